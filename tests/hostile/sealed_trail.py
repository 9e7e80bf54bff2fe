"""Builds one real sealed trail, and copies of it that a test may tamper with as the owner of everything might."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inzage.schemas import codec
from inzage.sinks.block import blocks_of
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.note import Signer
from inzage.sinks.ledger.signing_key import read_verifiers
from inzage.sinks.logs import Log, topics_of
from inzage.sinks.row import Leaf
from inzage.sinks.sealing.round import Cut, Prune, Round, Sealed, note_hash, sign
from inzage.sinks.trail import Trail
from inzage.sinks.verification.finding import Finding, Severity, Verdict
from inzage.sinks.verification.procedure import OnProgress, Request, verify
from tests.trail_stack import Stack, activity, fact, schema_message

ACTIVITIES = 700
"""On the first partition; offsets from 700 on hold two facts, one message nobody can read, and a tombstone."""
CHECKPOINT_EVERY = 100

_numbers = itertools.count()


@dataclass(frozen=True)
class SealedTrail:
    """The trail nobody tampered with. `folder` holds the sealer's key and archive, `state` what a verifier keeps."""

    stack: Stack
    folder: Path
    state: Path

    @property
    def signer(self) -> Signer:
        return Signer.read((self.folder / "sealer" / "key").read_text())

    @contextmanager
    def copy(self, folder: Path) -> Iterator[Case]:
        """A copy of its database, its archive and the verifier's state."""
        client, own = self.stack.client, self.stack.database
        database = f"{own}_{next(_numbers)}"
        client.command(f"CREATE DATABASE {database}")
        held = f"SELECT name, total_rows FROM system.tables WHERE database = '{own}' AND engine = 'MergeTree'"
        for table, rows in self.stack.rows(held):
            client.command(f"CREATE TABLE {database}.`{table}` AS {own}.`{table}`")
            if rows:
                client.command(f"INSERT INTO {database}.`{table}` SELECT * FROM {own}.`{table}`")
        [(view,)] = self.stack.rows(
            f"SELECT create_table_query FROM system.tables WHERE database = '{own}' AND name = 'numbered'"
        )
        client.command(view.replace(own, database))
        shutil.copytree(self.folder / "archive", folder / "archive")
        shutil.copy(self.state, folder / "state.json")
        try:
            yield Case(self, database, folder)
        finally:
            client.command(f"DROP DATABASE {database}")


@dataclass
class Case:
    """One copy, to tamper with and to verify."""

    trail: SealedTrail
    database: str
    folder: Path
    late: timedelta = field(default=timedelta(0))

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def topic(self) -> str:
        return self.trail.stack.topics.events

    def log(self, topic: str = "", partition: int = 0) -> Log:
        stack = self.trail.stack
        return stack.cluster().log(topics_of([stack.controller])[topic or self.topic], partition)

    @property
    def origin(self) -> str:
        """The log that most cases tamper with: the first partition of the events."""
        return self.log().id

    def run(self, sql: str) -> None:
        """Run a statement; `trail.` is the copy's database, `{log}` the origin."""
        text = sql.replace("trail.", f"{self.database}.").replace("{log}", f"log_id = '{self.origin}'")
        self.trail.stack.client.command(text, settings={"mutations_sync": 2, "lightweight_deletes_sync": 2})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        text = sql.replace("trail.", f"{self.database}.").replace("{log}", f"log_id = '{self.origin}'")
        return list(self.trail.stack.client.query(text).result_rows)

    def update(self, change: str, offset: int, table: str = "events") -> None:
        """Change one row in place."""
        self.run(f"ALTER TABLE trail.`{table}` UPDATE {change} WHERE {{log}} AND offset = {offset}")

    def delete(self, where: str, table: str = "events") -> None:
        self.run(f"ALTER TABLE trail.`{table}` DELETE WHERE {{log}} AND {where}")

    def replace(self, rows: str, *offsets: int) -> None:
        """Put what `rows` selects in the place of the events at `offsets`."""
        self.run("CREATE TABLE trail.kept AS trail.events")
        self.run(f"INSERT INTO trail.kept {rows}")
        self.delete(f"offset IN {offsets}" if len(offsets) > 1 else f"offset = {offsets[0]}")
        self.run("INSERT INTO trail.events SELECT * FROM trail.kept")
        self.run("DROP TABLE trail.kept SYNC")

    def insert(self, leaf: Leaf, log: Log | None = None) -> None:
        """Insert a row as the sink would, whatever its leaf says."""
        trail = Trail(self.trail.stack.client, self.database)
        blocks, unreadable = blocks_of(log or self.log(), 0, [leaf], {})
        assert not unreadable
        for block in blocks:
            trail.client.raw_insert(f"{self.database}.`{block.table.name}`", insert_block=block.body, fmt="Avro")

    def forged(self, offset: int, number: int = 9_000, at: int | None = None) -> Leaf:
        """A record that was never said, with the leaf hash it should have."""
        record = activity(number, self.trail.stack.controller)
        value, key = codec.encode("activity", record), record["subject"]["pseudonym"].encode()
        if at is None:
            [(at,)] = self.rows("SELECT toUnixTimestamp64Milli(max(broker_time)) FROM trail.events WHERE {log}")
        return record_leaf(offset, at, key, value)

    def seal(self, *statements: Cut | Prune, signer: Signer | None = None) -> Sealed:
        """Sign a further round with the sealer's key, and put it in the copy's tables and archive."""
        signer = signer or self.trail.signer
        held = self.rows("SELECT note, meta_index FROM trail.checkpoints WHERE meta_index >= 0")
        held += self.rows("SELECT note, meta_index FROM trail.prunings")
        notes = [note for note, _ in sorted(held, key=lambda row: row[1])]
        meta = CompactRange()
        meta.extend([note_hash(note) for note in notes])
        meta_origin = self.trail.stack.cluster().meta_origin
        said = [sign(statement.text, signer) for statement in statements]
        round_ = Round(meta_origin, len(notes), statements, datetime.now(UTC))
        round_ = round_.over(meta, [note_hash(note) for note in said])
        assert round_.meta
        sealed = Sealed.of(round_, said, sign(round_.meta.text, signer))
        file = self.archive / sealed.archive_name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sealed.archived())
        log = self.log("inzage.checkpoints.v1")
        [(last,)] = self.rows("SELECT max(log_offset) FROM trail.checkpoints")
        for offset, (key, value) in enumerate(sealed.messages(), last + 10):
            self.insert(record_leaf(offset, int(round_.sealed_at.timestamp() * 1000), key, value), log)
        return sealed

    def tree(self, size: int) -> CompactRange:
        """The tree over the first leaves of the log, from the leaf hashes that stand there."""
        found = self.rows(
            "SELECT offset, leaf_hash FROM trail.events WHERE {log} UNION ALL "
            "SELECT offset, leaf_hash FROM trail.facts WHERE {log} UNION ALL "
            "SELECT offset, leaf_hash FROM trail.other_records WHERE {log}"
        )
        tree = CompactRange()
        tree.extend([hashed for _, hashed in sorted(found)][:size])
        return tree

    def verify(self, on_progress: OnProgress = lambda progress: None, **said: Any) -> Verdict:
        """What the verifier says of the copy."""
        stack = self.trail.stack
        clickhouse = stack.settings.clickhouse.model_copy(update={"database": self.database})
        settings = stack.settings.model_copy(update={"clickhouse": clickhouse})
        asked: dict[str, Any] = {
            "keys": read_verifiers(self.trail.folder / "sealer" / "key.pub"),
            "archive": self.archive,
            "state": self.folder / "state.json",
            "absent_for": self.late,
            **said,
        }
        return verify(settings, Request(**asked), on_progress)

    def found(self, **said: Any) -> list[Finding]:
        """The findings of tampering."""
        return [one for one in self.verify(**said).findings if one.severity is Severity.TAMPER]


def build(stack: Stack, folder: Path) -> SealedTrail:
    """Say things of every kind, keep and seal them, and verify once."""

    def sequenced(numbers: Sequence[int], partition: int) -> None:
        said = [
            activity(number, stack.controller, source_instance=f"crm/{partition}", source_sequence=place)
            for place, number in enumerate(numbers, 1)
        ]
        messages = [(one["subject"]["pseudonym"].encode(), codec.encode("activity", one)) for one in said]
        stack.send(stack.topics.events, messages, partition)

    sequenced(range(ACTIVITIES), 0)
    given = {"subject": "SUB-1", "consent_id": "C-1", "purposes": ["MARKETING"]}
    withdrawn = {"subject": "SUB-1", "consent_id": "C-1"}
    facts = [fact(1, stack.controller, **given), fact(2, stack.controller, "ConsentWithdrawn", **withdrawn)]
    stack.send(stack.topics.events, [(b"SUB-1", message) for message in facts])
    stack.send(stack.topics.events, [(b"SUB-2", b"not a message"), (b"SUB-3", None)])
    sequenced(range(1_000, 1_000 + 150), 1)
    stack.send("inzage.schemas.v1", [schema_message("activity", codec.current("activity").text)])
    asyncio.run(_keep(stack, folder))
    trail = SealedTrail(stack, folder, folder / "verifier.json")
    keys = read_verifiers(folder / "sealer" / "key.pub")
    verdict = verify(stack.settings, Request(keys=keys, archive=folder / "archive", state=trail.state))
    assert not verdict.findings, verdict.findings
    return trail


async def _keep(stack: Stack, folder: Path) -> None:
    await stack.seal(folder)
    await stack.keep_sealed()  # what cannot be read is said to be dead: further records
    await stack.seal(folder)
    await stack.keep_sealed()


def record_leaf(offset: int, at: int, key: bytes, value: bytes) -> Leaf:
    """The leaf of a record without headers that the broker stamped with `at`, milliseconds since 1970."""
    headers = headers_bytes([])
    return Leaf(offset, at, 1, key, value, headers, leaf_hash(leaf_bytes(offset, 1, at, key, value, headers)))


def only(findings: Sequence[Finding], code: str) -> list[Finding]:
    """Those with `code`."""
    return [finding for finding in findings if finding.code == code]
