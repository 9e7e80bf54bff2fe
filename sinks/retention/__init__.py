"""Keeps the trail no longer than its period: whole months of a topic, after a signed and public statement."""
