"""Keeps what the demonstration asks the trail."""
