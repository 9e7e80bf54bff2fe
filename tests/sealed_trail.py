"""Writes a sealed trail straight into ClickHouse, as old as a test needs: Kafka would stamp each record with today.

Rows are blocks of the sink, checkpoints are signed notes of the ledger: only who writes them differs.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from inzage.schemas import codec
from inzage.schemas.settings import Settings
from inzage.schemas.topics import CHECKPOINTS, SCHEMAS, ControllerTopics
from inzage.sinks.block import blocks_of
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange, Subtree
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import Note, Signer
from inzage.sinks.logs import Cluster, Log, Said, Topic
from inzage.sinks.row import Leaf
from inzage.sinks.sealing.round import Prune
from inzage.sinks.trail import Trail

NOW = datetime(2026, 3, 1, tzinfo=UTC)

Message = tuple[bytes | None, bytes | None]


@dataclass
class Grown:
    """A log as it stands."""

    log: Log
    base: int = 0
    next: int = 0
    tree: CompactRange = field(default_factory=CompactRange)
    sealed: int = 0
    subtrees: list[Subtree] = field(default_factory=list)


@dataclass
class SealedTrail:
    """A trail of one controller, and the sealer's key."""

    settings: Settings
    client: Client
    signer: Signer = field(default_factory=lambda: Signer.generate("test-sealer"))
    cluster: Cluster = field(default_factory=lambda: Cluster(f"c{uuid.uuid4().hex[:20]}", {}))
    logs: dict[tuple[str, int], Grown] = field(default_factory=dict)
    meta: CompactRange = field(default_factory=CompactRange)
    meta_subtrees: list[Subtree] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    schemas: dict[bytes, codec.Schema] = field(default_factory=dict)
    """Schemas beside ours that messages are written with, by header."""

    @property
    def controller(self) -> str:
        return self.settings.controllers[0]

    @property
    def topics(self) -> ControllerTopics:
        return ControllerTopics(self.controller)

    @property
    def trail(self) -> Trail:
        return Trail(self.client, self.settings.clickhouse.database, 60.0)

    def grown(self, name: str, said: Said, partition: int = 0, base: int = 0) -> Grown:
        """The log of a partition, made when it is new."""
        if (name, partition) not in self.logs:
            controller = None if said in (Said.SCHEMAS, Said.CHECKPOINTS) else self.controller
            topic_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.cluster.id}{name}"))
            log = Log(Topic(name, said, controller), partition, self.cluster.id, topic_id)
            self.logs[name, partition] = Grown(log, base, base)
        return self.logs[name, partition]

    def keep(self, grown: Grown, messages: Sequence[Message], at: datetime, headers: Any = ()) -> list[Leaf]:
        """Put messages at the end of a log, stamped by the broker at `at`; returns their leaves."""
        leaves = self._insert(grown, messages, at, headers)
        grown.subtrees += grown.tree.extend([leaf.hash for leaf in leaves])
        return leaves

    def keep_sealed(self, grown: Grown, messages: Sequence[Message], at: datetime, every: int) -> None:
        """Put messages at the end of a log, and a round of the sealer after each `every` of them."""
        leaves = self._insert(grown, messages, at)
        said: list[bytes] = []
        for first in range(0, len(leaves), every):
            grown.subtrees += grown.tree.extend([leaf.hash for leaf in leaves[first : first + every]])
            said += self._round(at)[0]
        self._insert(self.grown(CHECKPOINTS, Said.CHECKPOINTS), [(None, one) for one in said], at)

    def _insert(self, grown: Grown, messages: Sequence[Message], at: datetime, headers: Any = ()) -> list[Leaf]:
        time, packed = int(at.timestamp() * 1000), headers_bytes(headers)
        leaves = [
            Leaf(offset, time, 1, key, value, packed, leaf_hash(leaf_bytes(offset, 1, time, key, value, packed)))
            for offset, (key, value) in enumerate(messages, grown.next)
        ]
        grown.next += len(leaves)
        blocks, unreadable = blocks_of(grown.log, grown.base, leaves, self.schemas)
        assert not unreadable
        for block in blocks:
            self.trail.insert(block)
        return leaves

    def events(self, messages: Sequence[Message], at: datetime, partition: int = 0) -> list[Leaf]:
        return self.keep(self.grown_events(partition), messages, at)

    def grown_events(self, partition: int = 0) -> Grown:
        return self.grown(self.topics.events, Said.EVENTS, partition)

    def schema(self, name: codec.RecordName, at: datetime = NOW) -> None:
        """Put the schema of a record on the schemas topic."""
        from inzage.schemas.emitter.message import schema_message

        message = schema_message(name)
        self.keep(self.grown(SCHEMAS, Said.SCHEMAS), [(message.key, message.value)], at)

    def seal(self, at: datetime = NOW) -> str:
        """A round: checkpoints of every log that grew, then of the meta log, whose note is returned."""
        said, note = self._round(at)
        self.keep(self.grown(CHECKPOINTS, Said.CHECKPOINTS), [(None, one) for one in said], at)
        return note

    def _round(self, at: datetime) -> tuple[list[bytes], str]:
        said: list[bytes] = []
        for grown in self.logs.values():
            if grown.log.topic.said is Said.CHECKPOINTS or grown.sealed == grown.tree.size:
                continue
            found = Checkpoint(grown.log.id, grown.tree.size, grown.tree.root())
            note = str(Note(found.text, (self.signer.sign(found.text),)))
            subtrees = (*grown.subtrees, *grown.tree.edge())
            said.append(self._said(found, note, grown.base, len(self.notes), subtrees, at))
            self.notes.append(note)
            grown.sealed, grown.subtrees = grown.tree.size, []
            self.meta_subtrees += self.meta.extend([hash_leaf(note.encode())])
        found = Checkpoint(self.cluster.meta_origin, self.meta.size, self.meta.root())
        note = str(Note(found.text, (self.signer.sign(found.text),)))
        said.append(self._said(found, note, 0, -1, self.meta_subtrees, at))
        self.meta_subtrees = []
        return said, note

    def prune(self, grown: Grown, below: int, at: datetime = NOW) -> None:
        """State that a log is dropped below an index, which a checkpoint covers, and drop its events there."""
        kept = CompactRange()
        kept.extend([bytes.fromhex(one) for _, one in self._leaves(grown)[:below]])
        said = Prune(
            grown.log.id,
            below,
            grown.base + below,
            grown.tree.size,
            grown.tree.root(),
            tuple(kept.hashes()),
            "r",
            "a",
        )
        note = str(Note(said.text, (self.signer.sign(said.text),)))
        message = codec.encode("pruning", said.record(note, len(self.notes), at))
        self.notes.append(note)
        self.meta_subtrees += self.meta.extend([hash_leaf(note.encode())])
        self.keep(self.grown(CHECKPOINTS, Said.CHECKPOINTS), [(None, message)], at)
        where = f"log_id = '{grown.log.id}' AND leaf_index < {below}"
        database = self.settings.clickhouse.database
        self.client.command(f"ALTER TABLE {database}.events DELETE WHERE {where} SETTINGS mutations_sync = 2")

    def _leaves(self, grown: Grown) -> list[tuple[int, str]]:
        where = {"log_id": grown.log.id, "low": 0, "high": grown.next}
        return sorted(self.trail.select("leaf_hashes", **where))

    def attest(self, note: str, kind: str, by: str, token: bytes | None = None, at: datetime = NOW) -> None:
        """What a witness or an authority says of a checkpoint of the meta log."""
        found = Checkpoint.read(Note.read(note).text)
        record = {
            "origin": found.origin,
            "size": found.size,
            "root": found.root,
            "kind": kind,
            "by": by,
            "note": note,
            "token": token,
            "attested_at": at,
        }
        message = codec.encode("attestation", record)
        self.keep(self.grown(CHECKPOINTS, Said.CHECKPOINTS), [(None, message)], at)

    @staticmethod
    def _said(
        found: Checkpoint, note: str, base: int, meta_index: int, subtrees: Sequence[Subtree], at: datetime
    ) -> bytes:
        record = {
            "origin": found.origin,
            "size": found.size,
            "root": found.root,
            "note": note,
            "base": base,
            "meta_index": meta_index,
            "subtrees": [{"level": level, "index": number, "hash": value} for level, number, value in subtrees],
            "sealed_at": at,
        }
        return codec.encode("checkpoint", record)
