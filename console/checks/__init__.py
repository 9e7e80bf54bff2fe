"""Checks that look over the whole trail on a schedule: what no single event can break."""
