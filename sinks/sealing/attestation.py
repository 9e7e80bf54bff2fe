"""Decides when others are asked to attest what was sealed: after a round, beside the sealing, the newest only.

However slow or broken those others are, sealing goes on; what they said late is published late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from inzage.schemas.codec import encode
from inzage.schemas.errors import InzageError
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.sealing.state import meta_rows

Publish = Callable[[Sequence[tuple[bytes, bytes]]], Awaitable[int]]

_log = structlog.get_logger("inzage.sealer")


@dataclass(frozen=True, slots=True)
class Sight:
    """A checkpoint of the meta log that is public: its signed `note`, and the tree that proofs are made from."""

    origin: str
    size: int
    root: bytes
    note: str
    tree: Tree


class Attestor(Protocol):
    """Asks witnesses or a time-stamp authority. Called in a thread of its own, one call at a time.

    `every_seconds` lie between two calls at least.
    """

    every_seconds: float

    def attest(self, sight: Sight) -> Sequence[Mapping[str, Any]]:
        """Records `Attestation` to publish, none when nobody answered or nothing is due."""
        ...

    def missing(self, note: str) -> bool:
        """Whether asking about this checkpoint again may bring more, though nothing was sealed since."""
        ...


class Attesting:
    """Runs one attestor. `note` may be called at any pace: only the newest checkpoint is ever shown."""

    def __init__(self, attestor: Attestor, publish: Publish, state: Path) -> None:
        self._attestor = attestor
        self._publish = publish
        self._state = state
        self._newest: Mapping[str, Any] | None = None
        self._arrived = asyncio.Event()

    def note(self, meta: Mapping[str, Any]) -> None:
        """A record `Checkpoint` of the meta log became public."""
        self._newest = meta
        self._arrived.set()

    async def run(self) -> None:
        """Ask until cancelled; raises only what the publisher cannot get over."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            newest = self._newest
            assert newest is not None
            records = await asyncio.to_thread(self._ask, newest)
            if records:
                await self._publish(
                    [(record["origin"].encode(), encode("attestation", record)) for record in records]
                )
            await asyncio.sleep(self._attestor.every_seconds)
            if self._attestor.missing(newest["note"]):
                self._arrived.set()

    def _ask(self, meta: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        try:
            with meta_rows(self._state) as read:
                tree = Tree(meta["size"], read)
                return self._attestor.attest(Sight(meta["origin"], meta["size"], meta["root"], meta["note"], tree))
        except InzageError as error:
            _log.warning("not attested", code=error.code, size=meta["size"])
        except Exception as error:  # nothing an attestor does may end the sealing
            _log.error("not attested", code="unexpected", why=type(error).__name__, size=meta["size"])
        return ()
