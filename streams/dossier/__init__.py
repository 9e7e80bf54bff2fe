"""Keeps what is known: facts about persons and references, as of event time and as of when they were known."""
