"""Decides in which order a round becomes true: persisted, signed, published, archived, done.

Nothing is signed before its text is kept, nothing is public before it is signed, and a round that was begun is
finished by whoever comes next: from the same texts it is the same round.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from inzage.sinks.ledger.note import Signer
from inzage.sinks.sealing import metrics
from inzage.sinks.sealing.archive import Archive
from inzage.sinks.sealing.publisher import Publisher
from inzage.sinks.sealing.round import Round, Sealed, Statement, note_hash, sign
from inzage.sinks.sealing.state import Standing, State

Point = Literal[
    "before-persist", "after-persist", "before-sign", "before-persist-meta", "after-persist-meta", "before-sign-meta",
    "before-publish", "after-publish", "before-archive", "after-archive", "after-done", "before-commit",
]  # fmt: skip
"""Where a test can end a round."""

Passes = Callable[[Point], None]


class Rounds:
    """Makes rounds over one meta log, one at a time. `passes` is told each point a round comes to."""

    def __init__(
        self, meta_origin: str, state: State, signer: Signer, archive: Archive, publisher: Publisher, passes: Passes
    ) -> None:
        self._meta_origin = meta_origin
        self._meta = state.meta()
        self._state = state
        self._signer = signer
        self._archive = archive
        self._publisher = publisher
        self._passes = passes

    async def finish_pending(self) -> Sealed | None:
        """Finish the round the state keeps, now that the state agrees with what is public."""
        self._meta = self._state.meta()
        pending = self._state.pending()
        return await self._finish(pending) if pending else None

    async def make(
        self,
        statements: Sequence[Statement],
        moves: Sequence[tuple[int | None, Standing]],
        answered_until: int,
        watched: Mapping[str, Any],
    ) -> Sealed:
        """Make a round of `statements`; the rest is kept with it (see `State.begin`)."""
        started = time.monotonic()
        round_ = Round(self._meta_origin, self._meta.size, tuple(statements), datetime.now(UTC))
        self._passes("before-persist")
        await asyncio.to_thread(self._state.begin, round_, moves, answered_until, watched)
        self._passes("after-persist")
        sealed = await self._finish(round_)
        metrics.ROUND_SECONDS.observe(time.monotonic() - started)
        return sealed

    async def _finish(self, round_: Round) -> Sealed:
        self._passes("before-sign")
        notes = await asyncio.to_thread(self._sign, [said.text for said in round_.statements])
        if round_.meta is None:
            leaves = [note_hash(note) for note in notes]
            round_ = round_.over(self._meta, leaves)
            self._passes("before-persist-meta")
            await asyncio.to_thread(self._state.complete, round_, self._meta, leaves)
            self._passes("after-persist-meta")
        assert round_.meta is not None
        self._passes("before-sign-meta")
        sealed = Sealed.of(round_, notes, sign(round_.meta.text, self._signer))
        self._passes("before-publish")
        last = await self._publisher.publish(sealed.messages())
        self._passes("after-publish")
        await asyncio.to_thread(self._keep, sealed, last + 1)
        metrics.ROUNDS.inc()
        metrics.CHECKPOINTS.inc(sum(name == "checkpoint" for name, _ in sealed.statements))
        metrics.META_SIZE.set(round_.size)
        metrics.SEALED_AT.set(time.time())
        return sealed

    def _sign(self, texts: Sequence[str]) -> list[str]:
        return [sign(text, self._signer) for text in texts]

    def _keep(self, sealed: Sealed, public_until: int) -> None:
        self._passes("before-archive")
        self._archive.put(sealed.archive_name, sealed.archived())
        self._passes("after-archive")
        self._state.done(public_until)
        self._passes("after-done")
