"""Decides where a sealer goes on: what its state says, compared with what is public and with what Kafka holds.

A state that is older than what is public, or none at all, takes over the meta log and awaits of each log the root
that is public. What contradicts what is public is never signed: it raises `TamperError`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from inzage.schemas.codec import RecordName
from inzage.schemas.errors import ConfigError, TamperError
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.note import Note, NoteError, Verifier, open_note
from inzage.sinks.sealing.archive import Archive
from inzage.sinks.sealing.growth import Growth
from inzage.sinks.sealing.public import Public
from inzage.sinks.sealing.round import Cut, Prune, Round, Statement, note_hash
from inzage.sinks.sealing.state import Adoption, Awaited, Pruned, State
from inzage.sinks.status import Extent


async def take_over(
    state: State, rounds: AsyncIterator[Public], trusted: Sequence[Verifier], archive: Archive
) -> Public | None:
    """Bring `state` up to what is public, and archive the newest round once more; returns it, None for none new.

    A pending round that turns out to be public is done. Raises `TamperError` when state and topic contradict each
    other, `ConfigError` when a key signed that is not trusted.
    """
    pending, standing, newest = state.pending(), state.standing(), None
    with state.adopting() as adoption:
        async for newest in rounds:
            if _meta_root(adoption, pending, newest) != newest.sealed.meta["root"]:
                raise _contradiction(f"the meta log at size {newest.sealed.meta['size']}")
            for name, record in newest.sealed.statements:
                said = _said(name, record)
                if isinstance(said, Prune):
                    adoption.pruned(Pruned(said.origin, said.minimum_index, said.frontier))
                    continue
                log = standing.get(said.origin)
                if log is None or log.tree.size < said.size:
                    adoption.awaits(Awaited(said.origin, said.base, said.size, said.root))
                elif log.base != said.base or (log.tree.size == said.size and log.tree.root() != said.root):
                    raise _contradiction(f"{said.origin} at size {said.size}")
        if newest is not None:
            _check_signature(newest, trusted)
            archive.put(newest.sealed.archive_name, newest.sealed.archived())
            adoption.finish(newest.until, pending_done=pending is not None and pending.first <= newest.first)
    return newest


def _meta_root(adoption: Adoption, pending: Round | None, public: Public) -> bytes:
    """The root the meta log has after `public`, by our own reckoning."""
    if pending is not None and public.first == pending.first:
        if [Note.read(note).text for note in public.notes] != [said.text for said in pending.statements]:
            raise _contradiction(f"the round after size {pending.first} of the meta log")
        if pending.meta is not None:  # the state's meta log has it
            return pending.meta.root
    if public.first != adoption.meta.size:
        raise _contradiction(f"the meta log at size {public.first}")
    return adoption.round([note_hash(note) for note in public.notes])


def _said(name: RecordName, record: Mapping[str, Any]) -> Statement:
    """What a record states; its note must state the same."""
    said: Statement
    if name == "pruning":
        fields = ("origin", "minimum_index", "minimum_offset", "size", "root", "frontier", "reason", "approver")
        said = Prune(**{field: record[field] for field in fields})
    else:
        said = Cut(record["origin"], record["base"], record["size"], record["root"])
    if said.text != Note.read(record["note"]).text:
        raise TamperError(f"{said.origin}: a record says other than its note", code="tamper.checkpoints")
    return said


def _check_signature(public: Public, trusted: Sequence[Verifier]) -> None:
    """The signature under the newest checkpoint of the meta log covers all before it."""
    meta = public.sealed.meta
    try:
        note = open_note(meta["note"], trusted)
    except NoteError as error:
        raise ConfigError(
            f"{meta['origin']}: what is public at size {meta['size']} was signed with another key",
            code="config.key",
            hint="name its verifier key in sealing.trusted_keys if that key was replaced",
        ) from error
    if Checkpoint.read(note.text) != Checkpoint(meta["origin"], meta["size"], meta["root"]):
        raise TamperError(f"{meta['origin']}: a record says other than its note", code="tamper.checkpoints")


def growths(state: State, extents: Sequence[Extent], step: int) -> list[Growth]:
    """Each log as it is to be read on; `step` is the most records between two cuts.

    Raises `TamperError` when Kafka holds less than was sealed, or lacks what was not.
    """
    standing, awaited, pruned = state.standing(), state.awaited(), state.pruned()
    return [
        _growth(extent, standing.get(origin), awaited.get(origin), pruned.get(origin), step)
        for extent in extents
        for origin in (extent.log.id,)
    ]


def _growth(extent: Extent, standing: Any, awaited: Awaited | None, pruned: Pruned | None, step: int) -> Growth:
    origin = extent.log.id
    if standing is not None:
        growth = Growth(origin, standing.base, standing.tree, step, sealed=standing.tree.size)
    elif awaited is not None:
        growth = Growth(origin, awaited.base, CompactRange(), step)
        if extent.begin > awaited.base and pruned is not None:
            growth.tree = CompactRange.of(pruned.minimum_index, pruned.frontier)
    else:
        growth = Growth(origin, extent.begin, CompactRange(), step)
    growth.awaited, growth.cut_at = awaited, growth.tree.size
    if growth.due < extent.begin:
        raise TamperError(
            f"{origin}: Kafka begins at offset {extent.begin}, offset {growth.due} is not sealed",
            code="tamper.gap",
            hint="records were removed before they were sealed, or without a statement of retention",
        )
    wanted = growth.base + max(growth.tree.size, awaited.size if awaited else 0)
    if extent.end < wanted:
        raise TamperError(
            f"{origin}: Kafka ends at offset {extent.end}, {wanted} were sealed", code="tamper.truncated"
        )
    growth.agree()
    return growth


def _contradiction(what: str) -> TamperError:
    return TamperError(
        f"{what}: what is public is not what this sealer kept",
        code="tamper.sealer-state",
        hint="if another sealer took over, end it and remove this one's state.sqlite, not its key, to go on here",
    )
