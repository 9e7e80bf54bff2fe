"""Asks of a sealed stack whether everything that is public agrees, for the tests of sealing."""

from __future__ import annotations

from pathlib import Path

from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.sealing.archive import Directory
from inzage.sinks.sealing.public import Public, public_rounds
from inzage.sinks.sealing.round import note_hash
from tests.trail_stack import Stack


async def public_of(stack: Stack) -> list[Public]:
    """Every round on the topic, once the meta log is seen to be dense, and each of its roots to be right."""
    meta = CompactRange()
    found = [one async for one in public_rounds(stack.settings.kafka, stack.cluster().meta_origin, 0)]
    for one in found:
        assert one.first == meta.size
        meta.extend([note_hash(note) for note in one.notes])
        assert (meta.size, meta.root()) == (one.sealed.meta["size"], one.sealed.meta["root"])
    records = [record for one in found for name, record in one.sealed.statements if name == "checkpoint"]
    sizes = [(record["origin"], record["size"]) for record in records]
    assert len(sizes) == len(set(sizes))
    return found


def sizes_of(public: list[Public], origin: str) -> list[int]:
    """The sizes at which a log was sealed, in order."""
    records = [record for one in public for _, record in one.sealed.statements]
    return [record["size"] for record in records if record["origin"] == origin]


def archived(folder: Path) -> list[tuple[str, bytes]]:
    """Name and bytes of every object in the archive of a data_dir."""
    archive = Directory(folder / "archive")
    return sorted((name, archive.get(name)) for name in archive.names())


def as_archived(public: list[Public]) -> list[tuple[str, bytes]]:
    """What the archive must hold when it says the same as the topic."""
    return sorted((one.sealed.archive_name, one.sealed.archived()) for one in public)
