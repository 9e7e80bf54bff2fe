"""Judges again what the trail holds: when a fact comes late, when an instant has come, and when a check is due."""
