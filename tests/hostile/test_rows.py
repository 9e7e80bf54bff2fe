"""Rows that were changed, moved, removed, doubled or added are found, and named by log and index."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inzage.schemas import codec
from inzage.schemas.statement import registered, statement, statement_key
from inzage.schemas.topics import SCHEMAS
from inzage.sinks.verification.finding import Finding, Severity
from tests.hostile.sealed_trail import ACTIVITIES, Case, only, record_leaf

WHERE = 123


def _only_one(found: list[Finding], code: str, case: Case, index: int) -> Finding:
    """The one finding, if it has this code and names this row."""
    [finding] = found
    assert (finding.code, finding.log, finding.first, finding.last) == (code, case.origin, index, index)
    return finding


# 1. One byte of what was sealed

_BYTE = (
    "concat(substring({0}, 1, 20), char(bitXor(reinterpretAsUInt8(substring({0}, 21, 1)), 1)), substring({0}, 22))"
)


@pytest.mark.parametrize(
    "change",
    [
        f"raw = {_BYTE.format('raw')}",
        "key = 'SUB-49'",
        "headers = concat(substring(headers, 1, 10), 'X', substring(headers, 12))",
        "timestamp_type = 0",
        "leaf_hash = toFixedString(unhex(repeat('ab', 32)), 32)",
    ],
)
def test_a_changed_part_of_a_record_is_named(case: Case, change: str) -> None:
    case.update(change, WHERE)
    found = case.found()
    _only_one(only(found, "row.changed"), "row.changed", case, WHERE)
    # what was hashed is also what the columns are compared with
    assert {(finding.code, finding.first) for finding in found} <= {("row.changed", WHERE), ("column.changed", WHERE)}


def test_a_changed_time_is_named(case: Case) -> None:
    """A key column: no UPDATE changes it, but a row put in its place does."""
    later = "SELECT * REPLACE (broker_time + INTERVAL 1 MILLISECOND AS broker_time)"
    case.replace(f"{later} FROM (SELECT * FROM trail.events WHERE {{log}} AND offset = {WHERE})", WHERE)
    _only_one(case.found(), "row.changed", case, WHERE)


def test_a_changed_fact_and_a_changed_unreadable_message(case: Case) -> None:
    case.update("raw = concat(raw, 'x')", ACTIVITIES, "facts")
    case.update("raw = 'was never said'", ACTIVITIES + 2, "other_records")
    found = only(case.found(), "row.changed")
    assert [(finding.table, finding.first) for finding in found] == [
        ("facts", ACTIVITIES),
        ("other_records", ACTIVITIES + 2),
    ]


def test_every_changed_row_is_named(case: Case) -> None:
    case.run("ALTER TABLE trail.events UPDATE key = 'X' WHERE {log} AND offset IN (3, 4, 5, 250, 699)")
    found = case.found()
    assert [(finding.first, finding.last) for finding in found] == [(3, 5), (250, 250), (699, 699)]


# 2. Columns, while the raw bytes are as they were


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("outcome", "'FAILURE'"),
        ("subject", "tuple('SUB-X', NULL)"),
        ("recipient", "NULL"),
        ("data_categories", "['IDENTITY', 'HEALTH']"),
        ("occurred_at", "occurred_at + INTERVAL 1 MICROSECOND"),
        ("source_sequence", "NULL"),
        ("break_glass", "false"),
        ("unrecognised", "map('purpose', 'x')"),
        ("schema_fingerprint", "'0000000000000000'"),
    ],
)
def test_a_changed_column_is_named(case: Case, column: str, value: str) -> None:
    case.update(f"{column} = {value}", WHERE + 1)
    assert _only_one(case.found(), "column.changed", case, WHERE + 1).column == column


def test_a_changed_body_of_a_fact_is_named(case: Case) -> None:
    case.update("body = replace(body, '\"crm\"', '\"erp\"')", ACTIVITIES, "facts")
    assert _only_one(case.found(), "column.changed", case, ACTIVITIES).column == "body"


def test_a_body_that_means_the_same_is_as_good(case: Case) -> None:
    case.update("body = replace(body, '\": ', '\" :  ')", ACTIVITIES + 1, "facts")
    assert not case.found()


def test_a_changed_leaf_index_is_named(case: Case) -> None:
    case.update("leaf_index = 7", WHERE)
    _only_one(case.found(), "row.index", case, WHERE)


def test_a_record_hidden_among_those_nobody_can_read(case: Case) -> None:
    columns = (
        "log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type, key, raw, headers, leaf_hash"
    )
    columns += ", schema_fingerprint, block, block_end"
    case.run(
        f"INSERT INTO trail.other_records ({columns}, record, reason, has_value) "
        f"SELECT {columns}, '', 'contract.undecodable', true FROM trail.events WHERE {{log}} AND offset = {WHERE}"
    )
    case.delete(f"offset = {WHERE}")
    assert _only_one(case.found(), "row.moved", case, WHERE).table == "other_records"


@pytest.mark.parametrize(
    "change", ["MODIFY COLUMN occurred_at DateTime64(3, 'UTC')", "DROP COLUMN purpose", "RENAME COLUMN purpose TO p"]
)
def test_a_table_whose_columns_are_not_those_of_the_schema(case: Case, change: str) -> None:
    case.run(f"ALTER TABLE trail.events {change}")
    found = only(case.found(), "column.type")
    assert {finding.column for finding in found} == {"purpose" if "purpose" in change else "occurred_at"}


# 3. Row and leaf hash replaced together


@pytest.mark.parametrize("offset", [0, 255, 600, ACTIVITIES - 1])
def test_a_row_replaced_with_its_leaf_hash(case: Case, offset: int) -> None:
    [(at,)] = case.rows(
        f"SELECT toUnixTimestamp64Milli(broker_time) FROM trail.events WHERE {{log}} AND offset = {offset}"
    )
    case.delete(f"offset = {offset}")
    case.insert(case.forged(offset, at=at))
    [finding] = case.found()
    first, last = finding.first, finding.last
    assert finding.code in ("leaf.replaced", "log.root") and finding.log == case.origin
    assert first is not None and last is not None and first <= offset <= last and last - first < 256
    _only_one(case.found(kafka=True), "leaf.replaced", case, offset)


def test_rows_replaced_far_apart_are_each_found(case: Case) -> None:
    for offset in (10, 300):
        case.delete(f"offset = {offset}")
        case.insert(case.forged(offset))
    assert [(one.first, one.last) for one in case.found(kafka=True)] == [(10, 10), (300, 300)]
    assert [(one.first, one.last) for one in case.found()] == [(0, 255), (300, 511)]  # 300 was sealed


# 4. Rows that are gone


@pytest.mark.parametrize("offset", [0, WHERE, ACTIVITIES - 1])
@pytest.mark.parametrize("how", ["ALTER TABLE trail.events DELETE", "DELETE FROM trail.events"])
def test_a_deleted_row_is_missed(case: Case, how: str, offset: int) -> None:
    if how.startswith("DELETE"):  # beside a projection ClickHouse refuses it, until it is told to drop that
        case.run("ALTER TABLE trail.events MODIFY SETTING lightweight_mutation_projection_mode = 'drop'")
    case.run(f"{how} WHERE {{log}} AND offset = {offset}")
    found = case.found()
    _only_one(only(found, "row.missing"), "row.missing", case, offset)
    # of the last subtree nothing is claimed yet, so that nothing more can be said of the rows beside it
    assert {finding.code for finding in found} <= {"row.missing", "prune.unstated", "log.root"}
    assert bool(only(found, "log.root")) == (offset == ACTIVITIES - 1)
    assert bool(only(found, "prune.unstated")) == (offset == 0)


def test_a_row_taken_to_another_log_is_missed_there(case: Case) -> None:
    elsewhere = "SELECT * REPLACE ('inzage/x/y/z/0' AS log_id)"
    case.replace(f"{elsewhere} FROM (SELECT * FROM trail.events WHERE {{log}} AND offset = {WHERE})", WHERE)
    verdict = case.verify()
    assert [one.log for one in only(list(verdict.findings), "log.unsealed")] == ["inzage/x/y/z/0"]
    _only_one(only(list(verdict.findings), "row.missing"), "row.missing", case, WHERE)


def test_a_whole_log_that_is_gone(case: Case) -> None:
    [(last,)] = case.rows("SELECT max(offset) FROM trail.events WHERE partition = 1")
    case.run("ALTER TABLE trail.events DELETE WHERE partition = 1")
    [gone] = only(case.found(), "row.missing")
    assert (gone.log, gone.first, gone.last) == (case.log(partition=1).id, 0, last) and last >= 149


# 7. Rows twice, rows in each other's place


def test_a_row_that_stands_twice_is_a_warning(case: Case) -> None:
    case.run(f"INSERT INTO trail.events SELECT * FROM trail.events WHERE {{log}} AND offset = {WHERE}")
    verdict = case.verify()
    [finding] = only(list(verdict.findings), "row.duplicate")
    assert (finding.severity, finding.first, finding.log) == (Severity.WARNING, WHERE, case.origin)
    assert not verdict.tampered


def test_two_different_rows_at_one_offset(case: Case) -> None:
    """An offset used again with other bytes: which of the two was sealed, the tree says."""
    case.insert(case.forged(WHERE))
    found = case.found()
    _only_one(only(found, "row.duplicate"), "row.duplicate", case, WHERE)


def test_rows_that_changed_places(case: Case) -> None:
    held = "SELECT * REPLACE (41 - offset AS offset, 41 - leaf_index AS leaf_index)"
    case.replace(f"{held} FROM (SELECT * FROM trail.events WHERE {{log}} AND offset IN (20, 21))", 20, 21)
    found = case.found()
    assert [(one.code, one.first, one.last) for one in found] == [("row.changed", 20, 21)]


# 8. Rows that were put there later


def test_a_backdated_row_behind_the_sealed_ones(case: Case) -> None:
    [(oldest,)] = case.rows("SELECT toUnixTimestamp64Milli(min(broker_time)) FROM trail.events WHERE {log}")
    end = ACTIVITIES + 4
    case.insert(case.forged(end, at=oldest))
    _only_one(case.found(), "row.backdated", case, end)


def test_rows_that_wait_for_the_sealer_are_a_note(case: Case) -> None:
    [(newest,)] = case.rows("SELECT toUnixTimestamp64Milli(max(broker_time)) FROM trail.other_records WHERE {log}")
    case.insert(case.forged(ACTIVITIES + 4, at=newest))
    case.late = timedelta(hours=1)
    [finding] = case.verify().findings
    assert (finding.severity, finding.code, finding.first) == (Severity.NOTE, "row.unsealed", ACTIVITIES + 4)


def test_a_log_of_somebody_elses_making(case: Case) -> None:
    case.run(
        "INSERT INTO trail.events SELECT * REPLACE (concat(log_id, '9') AS log_id) "
        "FROM (SELECT * FROM trail.events WHERE {log} AND offset < 3)"
    )
    [finding] = only(list(case.verify().findings), "log.unsealed")
    assert finding.log == f"{case.origin}9"


# 10. What shows only across rows


def test_a_number_that_a_source_gave_and_that_never_arrived(case: Case) -> None:
    case.run(f"ALTER TABLE trail.events DELETE WHERE {{log}} AND offset IN ({WHERE}, {WHERE + 1})")
    [gap] = only(list(case.verify().findings), "source.gap")
    assert (gap.severity, gap.log, gap.first, gap.last) == (Severity.WARNING, case.topic, WHERE + 1, WHERE + 2)


def test_a_topic_that_was_made_again(case: Case) -> None:
    parts = case.origin.split("/")
    again = "/".join([*parts[:3], "11111111-1111-1111-1111-111111111111", "0"])
    case.run(
        f"INSERT INTO trail.events SELECT * REPLACE ('{again}' AS log_id, concat('other-', event_id) AS event_id) "
        "FROM (SELECT * FROM trail.events WHERE {log} AND offset < 3)"
    )
    verdict = case.verify()
    [made] = only(list(verdict.findings), "log.recreated")
    assert (made.severity, made.log) == (Severity.WARNING, case.topic)
    assert not only(list(verdict.findings), "log.repeated")
    case.run(f"ALTER TABLE trail.events UPDATE event_id = substring(event_id, 7) WHERE log_id = '{again}'")
    [repeated] = only(case.found(), "log.repeated")
    assert repeated.log == case.topic


def test_a_second_schema_for_an_id_of_the_registry(case: Case) -> None:
    """Who may write to the schemas topic says what an id stands for; a second statement shows that one is false."""
    topic = case.log(SCHEMAS)
    [(last,)] = case.rows(f"SELECT max(offset) FROM trail.schemas WHERE log_id = '{topic.id}'")
    [(at,)] = case.rows("SELECT toUnixTimestamp64Milli(max(broker_time)) FROM trail.schemas")
    texts = [codec.current(name).text for name in ("activity", "activity", "fact")]
    for offset, text in enumerate(texts, last + 1):
        case.insert(
            record_leaf(offset, at, statement_key(registered(7, text)), statement(registered(7, text))), topic
        )
    case.late = timedelta(hours=1)  # they wait for the sealer
    verdict = case.verify()
    [finding] = only(list(verdict.findings), "schema.contradicted")
    assert (finding.severity, finding.log, finding.first) == (Severity.WARNING, topic.id, last + 3)
    assert (finding.last, finding.table, verdict.tampered) == (last + 3, "schemas", False)
    for told in (
        "registry id 7",
        f"index {last + 1}",
        *(codec.current(one).fingerprint for one in ("activity", "fact")),
    ):
        assert told in finding.what
    assert not only(list(case.verify(log=case.topic).findings), "schema.contradicted")
    assert only(list(case.verify(log=SCHEMAS, sample=1).findings), "schema.contradicted")
