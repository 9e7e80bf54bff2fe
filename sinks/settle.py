"""Decides when a slice is settled: every record of it stands in the trail once, and only then is it committed.

A transient failure repeats the same block with the same token. A block that ClickHouse cannot decode is taken
apart: what the codec cannot read, and what is left alone after bisecting, is kept in `other_records` and said to be
dead; the rest is inserted. Before each insert Kafka is asked whether the partition is still ours.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import stamina
import structlog

from inzage.schemas.codec import decode
from inzage.schemas.errors import ContractError, TransientError
from inzage.sinks.block import (
    Block,
    Unreadable,
    blocks_of,
    leaves_of,
    unknown_schemas,
    unreadable_block,
)
from inzage.sinks.intake import Slice
from inzage.sinks.logs import Log
from inzage.sinks.metrics import BLOCKS, INSERT_SECONDS, RETRIES, ROWS, UNREADABLE
from inzage.sinks.row import Leaf
from inzage.sinks.schema_log import SchemaLog
from inzage.sinks.trail import BlockRefusedError, Trail

Fence = Callable[[], Awaitable[None]]
"""Returns when this process still owns the log, raises `Fenced` when it does not."""

SayDead = Callable[[Log, Sequence[Unreadable]], Awaitable[None]]

RETRY_AT_MOST_EVERY = 5.0  # seconds
STALE_AFTER = 1.0
"""Seconds after which an answer to the fence says nothing: the process may have been stopped meanwhile."""

_log = structlog.get_logger("inzage.sink")


class Fenced(Exception):  # noqa: N818 - not an error: the log belongs to another process now
    """The log was given to another process: what is not inserted is left to it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A slice as blocks, ready to insert."""

    slice: Slice
    blocks: Sequence[Block]
    unreadable: Sequence[Unreadable]


async def prepare(slice_: Slice, schemas: SchemaLog) -> Prepared:
    """Hash, sift and splice the records of a slice."""
    leaves = leaves_of(slice_.records)
    unknown = unknown_schemas(leaves, schemas.schemas)
    if unknown:
        await _repeated(partial(schemas.look_up, unknown))
    blocks, unreadable = blocks_of(slice_.log, slice_.base, leaves, schemas.schemas)
    for block in blocks:
        block.body  # noqa: B018 - made now, while ClickHouse works on the block before
    return Prepared(slice_, blocks, unreadable)


@dataclass(frozen=True, slots=True)
class Settler:
    """Brings one slice into the trail."""

    trail: Trail
    schemas: SchemaLog
    fence: Fence
    say_dead: SayDead

    async def settle(self, prepared: Prepared) -> None:
        """Return when every record of the slice is in the trail; raises `Fenced` and what cannot be retried."""
        unreadable = list(prepared.unreadable)
        for block in prepared.blocks:
            unreadable += await self._insert(block)
        if unreadable:
            await self._keep_unreadable(prepared.slice, unreadable)

    async def _insert(self, block: Block) -> list[Unreadable]:
        """Insert the block, whole or without the records that cannot be read, which are returned."""
        try:
            await self._insert_whole(block)
        except BlockRefusedError as refused:
            return await self._insert_apart(block, refused)
        return []

    async def _insert_apart(self, block: Block, refused: BlockRefusedError) -> list[Unreadable]:
        wrong = {place: why for place, leaf in enumerate(block.leaves) if (why := self._unreadable(leaf))}
        found = [Unreadable(block.leaves[place], why) for place, why in wrong.items()]
        rest = [place for place in range(len(block.leaves)) if place not in wrong]
        _log.warning("block refused", log=block.log.id, rows=len(block.leaves), unreadable=len(found))
        if not found and not refused.certain:
            await asyncio.sleep(RETRY_AT_MOST_EVERY)
            return await self._insert(block)
        if not found:
            return await self._bisect(block)
        return found + (await self._insert(block.part(rest)) if rest else [])

    async def _bisect(self, block: Block) -> list[Unreadable]:
        """The codec reads every record and yet ClickHouse does not: it is asked about ever smaller parts."""
        places = range(len(block.leaves))
        if len(places) == 1:
            why = ContractError("ClickHouse cannot decode what the codec reads", code=BlockRefusedError.code)
            return [Unreadable(block.leaves[0], why)]
        middle = len(places) // 2
        found: list[Unreadable] = []
        for half in (block.part(places[:middle]), block.part(places[middle:])):
            try:
                await self._insert_whole(half)
            except BlockRefusedError:
                found += await self._bisect(half)
        return found

    def _unreadable(self, leaf: Leaf) -> ContractError | None:
        try:
            decode(leaf.value, also=self.schemas.schemas)
        except ContractError as why:
            return why
        return None

    async def _keep_unreadable(self, slice_: Slice, unreadable: Sequence[Unreadable]) -> None:
        """The dead letter first: a row in the trail means that everything about the record was done."""
        await _repeated(lambda: self.say_dead(slice_.log, unreadable))
        for block in unreadable_block(slice_.log, slice_.base, unreadable):
            await self._insert_whole(block)
        for _, why in unreadable:
            UNREADABLE.labels(why.code).inc()

    async def _insert_whole(self, block: Block) -> None:
        async def once() -> None:
            block.body  # noqa: B018 - nothing slow between the fence and the insert
            await self.fence()
            await asyncio.to_thread(self._insert_fresh, block, time.monotonic())

        await _repeated(once)
        ROWS.labels(block.table.name).inc(len(block.leaves))
        BLOCKS.labels(block.table.name).inc()

    def _insert_fresh(self, block: Block, fenced_at: float) -> None:
        started = time.monotonic()
        if started - fenced_at > STALE_AFTER:
            raise TransientError("stopped between the fence and the insert", code="transient.stale")
        self.trail.insert(block)
        INSERT_SECONDS.observe(time.monotonic() - started)


async def _repeated(attempt: Callable[[], Awaitable[None]]) -> None:
    """Until it succeeds or fails for good: nothing is skipped because something outside was away."""
    retries = stamina.retry_context(on=TransientError, attempts=None, timeout=None, wait_max=RETRY_AT_MOST_EVERY)
    async for trial in retries:
        with trial:
            if trial.num > 1:
                RETRIES.inc()
            await attempt()
