"""Decides about a batch of records of one partition: which verdicts, which dead letters, which dossiers change.

The same code serves the worker and `inzage screen`. Facts of the batch are taken in first, each with its offset,
and an event sees only what was said before it; so where a batch was cut makes no difference. A batch is cut where
references changed, so that every part sees one state of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from inzage.schemas.codec import (
    Schema,
    as_written_here,
    current,
    datum_for_columns,
    decode,
    schema_at,
    split,
)
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import REGISTRY_BYTES, SINGLE_OBJECT_BYTES
from inzage.schemas.resolution import Reading
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.references import References
from inzage.streams.dossier.remembered import may_be_remembered, remembered
from inzage.streams.dossier.store import Counted, DossierStore, stretch_of
from inzage.streams.screening.engine import Controller, Judging
from inzage.streams.screening.record import Outcome, Place, SaidRecord, dead_letter, known_time
from inzage.streams.screening.redelivery import Redeliveries
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.rows import row_of, row_of_fact
from inzage.streams.screening.verdicts import VerdictMaker


@dataclass(frozen=True, slots=True)
class Found:
    """What one part of a batch led to at first sight, and the references it was judged with."""

    schema: Schema
    rows: list[Row]
    tables: Tables
    hits: list[Hit]
    unreadable: list[Row]

    @property
    def counted(self) -> list[Hit]:
        """What depends on how many there were: whether transfers are occasional, how many were told."""
        return [hit for hit in self.hits if hit.seen["counted_as"]]


@dataclass(slots=True)
class Screener:
    """The screening of one partition: dossiers, counters and recent events are this partition's."""

    engine: Judging
    controller: Controller
    references: References
    place: Place = field(default_factory=Place)
    schemas: Mapping[bytes, Schema] = field(default_factory=dict)
    store: DossierStore = field(default_factory=DossierStore)
    recent: Redeliveries = field(default_factory=Redeliveries)

    def screen(self, records: Sequence[SaidRecord]) -> Outcome:
        """Judge `records`, which follow each other in the partition."""
        outcome = Outcome()
        by_offset = {record.offset: record for record in records}
        rows: dict[bytes, list[Row]] = {}
        written = current("activity").header
        activities = rows.setdefault(written, [])
        alike = self._alike()
        is_new = self.recent.is_new
        new_row = tuple.__new__  # Row(...) calls a Python function for each event, which is a tenth of the batch
        facts = 0
        for record in records:
            value = record.value
            try:
                if value is not None and (
                    value[:SINGLE_OBJECT_BYTES] == written or (alike and value[:REGISTRY_BYTES] in alike)
                ):
                    datum = value[SINGLE_OBJECT_BYTES if value[0] else REGISTRY_BYTES :]
                    if record.key is None or record.key not in value:
                        self._refuse_key(record)
                    if is_new(record.offset, datum):
                        place, time = record.offset, record.timestamp
                        activities.append(new_row(Row, (place, time, datum, "", place, time)))
                        if may_be_remembered(datum):
                            self._remember(record.offset, value, outcome)
                else:
                    facts += self._take_other(record, rows, outcome)
            except ContractError as error:
                outcome.dead_letters.append(self._dead(record, error.code, str(error)))
        fresh = {dossier.subject: dossier for dossier in self.store.not_loaded(record.key for record in records)}
        self.engine.load_dossiers(self.controller, (fresh | outcome.changed).values())
        found = [
            found
            for header, of_schema in rows.items()
            if of_schema
            for found in self.judge(schema_at(header, self.schemas), of_schema)
        ]
        self._count(found, outcome)
        for part in found:
            self._conclude(part, by_offset, outcome)
        self.engine.forget_dossiers(self.controller, self.store.lay_away(record.key for record in records))
        outcome.rows = rows
        outcome.judged = self._report(records, facts, outcome)
        return outcome

    def _alike(self) -> frozenset[bytes]:
        """The headers in a registry's framing of activities that are written as we write them."""
        return frozenset(
            header
            for header, schema in self.schemas.items()
            if schema.name == "activity" and schema.registry_id is not None and schema.reading is Reading.ALIKE
        )

    def _refuse_key(self, record: SaidRecord) -> None:
        """An event keyed by another than its subject: order and dossier would be somebody else's."""
        _, event = decode(record.value, also=self.schemas)
        if record.key != event["subject"]["pseudonym"].encode():
            raise ContractError("the key is not the data subject", code="contract.wrong-key")

    def _take_other(self, record: SaidRecord, rows: dict[bytes, list[Row]], outcome: Outcome) -> int:
        """Take what is no activity of the current schema; the number of facts in it."""
        schema = split(record.value, also=self.schemas)
        assert record.value is not None
        if schema.name == "activity":
            schema, datum = datum_for_columns(record.value, schema)
            if record.key is None or record.key not in record.value:
                self._refuse_key(record)
            if self.recent.is_new(record.offset, datum):
                rows.setdefault(schema.header, []).append(row_of(record, datum))
                if schema is not current("activity"):
                    self._remember(record.offset, record.value, outcome)
                elif may_be_remembered(datum):
                    self._remember(record.offset, schema.header + datum, outcome)
            return 0
        if schema.name == "fact":
            row = self._take_fact(record, outcome)
            if row is not None:
                rows[current("activity").header].append(row)
            return 1
        if schema.name != "heartbeat":
            raise ContractError(f"a {schema.name} does not belong on an events topic", code="contract.wrong-topic")
        return 0

    def _remember(self, offset: int, message: bytes, outcome: Outcome) -> None:
        """Take an activity that amounts to a fact into the dossier.

        One that contradicts what was said is judged all the same, but changes nothing; an unreadable one becomes a
        dead letter where it is judged.
        """
        try:
            schema, activity = decode(message, also=self.schemas)
            fact = remembered(activity)
            if fact is not None:
                dossier = self.store.open(fact["subject"])
                if dossier.take(offset, as_written_here(message, schema, activity), fact):
                    outcome.changed[dossier.subject] = dossier
        except ContractError:
            return

    def _take_fact(self, record: SaidRecord, outcome: Outcome) -> Row | None:
        """Take a fact into its dossier; a row when some policy judges facts of its kind."""
        schema, fact = decode(record.value, also=self.schemas)
        assert record.value is not None
        if record.key != fact["subject"].encode():
            raise ContractError("the key is not the data subject", code="contract.wrong-key")
        dossier = self.store.open(fact["subject"])
        if dossier.take(record.offset, as_written_here(record.value, schema, fact), fact):
            outcome.changed[dossier.subject] = dossier
        kind = fact["body"][0].rpartition(".")[2]
        if kind not in self.controller.policies.judged_facts:
            return None
        return row_of_fact(record, fact)

    def maker(self, tables: Tables) -> VerdictMaker:
        """Makes the verdicts of what was judged with `tables`."""
        return VerdictMaker(self.controller.policies, self.place, self.store, tables)

    def judge(self, schema: Schema, rows: list[Row]) -> Iterator[Found]:
        """Judge rows of one schema, in parts that see one state of the references each."""
        for part in self._parts(rows):
            known_at = known_time(part[-1].now)
            tables = self.references.tables(known_at)
            self.engine.load_tables(self.controller, tables)
            yield Found(schema, part, tables, *self.engine.judge(self.controller, schema, part))

    def _conclude(self, found: Found, by_offset: Mapping[int, SaidRecord], outcome: Outcome) -> None:
        maker = self.maker(found.tables)
        for hit in self._again_with_counts(found):
            outcome.verdicts += maker.verdicts(hit, by_offset[hit.offset])
            if hit.due:
                outcome.due[hit.offset] = hit.due
        for row in found.unreadable:
            message = "activity: the datum cannot be read"
            outcome.dead_letters.append(self._dead(by_offset[row.offset], "contract.undecodable", message))

    def _parts(self, rows: list[Row]) -> list[list[Row]]:
        """`rows` cut where references changed. Broker times do not go back within a partition by more than skew."""
        moments = sorted({row.now for row in rows})
        first, last = known_time(moments[0]), known_time(moments[-1])
        changes = [int(change.timestamp() * 1000) for change in self.references.changes_between(first, last)]
        if not changes:
            return [rows]
        parts: dict[int, list[Row]] = {}
        for row in rows:
            parts.setdefault(sum(change <= row.now for change in changes), []).append(row)
        return [parts[number] for number in sorted(parts)]

    def _count(self, found: Sequence[Found], outcome: Outcome) -> None:
        """Count every event of the batch that is counted, whatever schema it was written with.

        One that comes again is counted already; the engine may not know of it, after a restart.
        """
        counters: dict[str, Counted] = {}
        added: set[tuple[str, int]] = set()
        for hit, key in [(one, key) for part in found for one in part.counted for key in one.seen["counted_as"]]:
            seen = counters[key] = self.store.counted(key)
            if hit.offset not in {offset for offset, _, _ in seen}:
                at = datetime.fromisoformat(hit.seen["occurred_at"]).replace(tzinfo=UTC)
                seen.append((hit.offset, at, hit.seen["receiver"]))
                added.add((key, stretch_of(hit.offset)))
        for key, stretch in sorted(added):
            outcome.counts[key, stretch] = [one for one in counters[key] if stretch_of(one[0]) == stretch]
        self.engine.load_counts(self.controller, counters)

    def _again_with_counts(self, found: Found) -> list[Hit]:
        """Judge what is counted once more, now that all are: rare, so worth a second look."""
        offsets = {hit.offset for hit in found.counted}
        if not offsets:
            return found.hits
        self.engine.load_tables(self.controller, found.tables)
        rows = [row for row in found.rows if row.offset in offsets]
        again, _ = self.engine.judge(self.controller, found.schema, rows)
        return sorted([hit for hit in found.hits if hit.offset not in offsets] + again, key=lambda hit: hit.offset)

    def _dead(self, record: SaidRecord, reason: str, message: str) -> dict[str, Any]:
        return dead_letter(self.place, self.controller.policies.controller_id, record, reason, message)

    def _report(self, records: Sequence[SaidRecord], facts: int, outcome: Outcome) -> dict[str, Any]:
        policies = self.controller.policies
        return {
            "controller_id": policies.controller_id,
            "topic": self.place.topic,
            "topic_id": self.place.topic_id,
            "partition": self.place.partition,
            "first_offset": records[0].offset,
            "last_offset": records[-1].offset,
            "activities": len(records) - facts - len(outcome.dead_letters),
            "facts": facts,
            "dead_letters": len(outcome.dead_letters),
            "violations": sum(verdict["result"] == "VIOLATION" for verdict in outcome.verdicts),
            "pack": policies.pack,
            "pack_version": policies.version,
            "deadlines": [
                {"offset": offset, "at": known_time(at)}
                for offset in sorted(outcome.due)
                for at in outcome.due[offset]
            ],
        }
