"""Verifies: recomputes what the trail claims, from its rows, and shares no code with what wrote them."""
