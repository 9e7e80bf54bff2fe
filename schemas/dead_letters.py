"""Identifies dead letters: a record that cannot be read is one dead letter, whoever refuses it and however often."""

from __future__ import annotations

import hashlib

REPLAY_HEADER = "inzage_replay_of"
"""Header of a record that was put back on its topic: the identifier of the dead letter it was."""


def dead_letter_id(topic_id: str, partition: int, offset: int) -> str:
    """SHA-256 over Kafka's topic id, partition and offset, as 64 hexadecimal digits."""
    return hashlib.sha256(f"{topic_id}/{partition}/{offset}".encode()).hexdigest()
