"""Which table a record goes to, how blocks are cut, and what an intake lets through."""

from __future__ import annotations

import json
from collections import namedtuple
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastavro import schemaless_writer

from inzage.schemas import codec
from inzage.schemas.errors import TamperError
from inzage.schemas.framing import SINGLE_OBJECT_BYTES, registry_header
from inzage.schemas.statement import registered
from inzage.sinks.block import blocks_of, leaves_of, unknown_schemas, unreadable_block
from inzage.sinks.intake import Intake, Pace
from inzage.sinks.logs import Log, topics_of
from inzage.sinks.status import Extent, reconcile
from inzage.sinks.trail import Held
from tests.trail_stack import activity, fact

Record = namedtuple("Record", "offset timestamp timestamp_type key value headers serialized_value_size")
LOG = Log(topics_of(["CIGNA"])["inzage.cigna.events.v1"], 3, "cluster", str(UUID(int=7)))
VERDICTS = Log(topics_of(["CIGNA"])["inzage.cigna.verdicts.v1"], 0, "cluster", str(UUID(int=8)))
MARCH = int(datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC).timestamp() * 1000)
ACTIVITY = codec.encode("activity", activity(1, "CIGNA"))


def record(offset: int, value: bytes | None = ACTIVITY, at: int = MARCH) -> Any:
    return Record(offset, at, 1, b"k", value, (), len(value or b""))


def test_the_same_records_make_the_same_block() -> None:
    one, other = (blocks_of(LOG, 0, leaves_of([record(at) for at in range(5)]), {})[0][0] for _ in range(2))
    assert (one.token, one.body) == (other.token, other.body)
    assert one.token.startswith(f"inzage/cigna/cluster/{UUID(int=7)}/3:0-4:")


def test_a_token_names_the_content() -> None:
    """The same token with different data was dropped silently: it has to differ."""
    changed = codec.encode("activity", activity(2, "CIGNA"))
    tokens = {blocks_of(LOG, 0, leaves_of([record(0, value)]), {})[0][0].token for value in (ACTIVITY, changed)}
    assert len(tokens) == 2


def test_a_block_is_of_one_month() -> None:
    records = [record(0), record(1, at=MARCH + 2000), record(2, at=MARCH + 3000)]
    blocks, _ = blocks_of(LOG, 0, leaves_of(records), {})
    assert [[leaf.offset for leaf in block.leaves] for block in blocks] == [[0], [1, 2]]


def test_a_verdict_on_an_events_topic_is_kept_aside() -> None:
    """What may judge is said on the verdicts topic only: write access to events must not forge a verdict."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    said = {
        **dict.fromkeys(("verdict_id", "event_id", "controller_id", "subject", "rule_id", "theme"), "x"),
        **dict.fromkeys(("reason", "heading", "promise", "pack", "pack_version"), "x"),
        **{"result": "OK", "severity": "LOW", "articles": [], "facts": [], "occurred_at": at, "evaluated_at": at},
        **{"topic": "t", "partition": 0, "offset": 0},
    }
    verdict = codec.encode("verdict", said)
    tables = [blocks_of(log, 0, leaves_of([record(0, verdict)]), {})[0][0].table.name for log in (LOG, VERDICTS)]
    assert tables == ["other_records", "verdicts"]


def test_every_leaf_is_in_one_block_or_unreadable() -> None:
    truncated = fact(1, "CIGNA", subject="SUB-1")[:-3]
    values = [ACTIVITY, None, b"", b"{}", fact(2, "CIGNA", subject="SUB-1"), truncated, ACTIVITY]
    leaves = leaves_of([record(at, value) for at, value in enumerate(values)])
    blocks, unreadable = blocks_of(LOG, 0, leaves, {})
    blocks += unreadable_block(LOG, 0, unreadable)
    assert sorted(leaf.offset for block in blocks for leaf in block.leaves) == list(range(len(values)))
    assert {one.leaf.offset: one.why.code for one in unreadable} == {
        1: "contract.empty",
        2: "contract.undecodable",
        3: "contract.undecodable",
        5: "contract.undecodable",
    }


def test_columns_of_the_events_table_are_the_fields_of_the_schema() -> None:
    from inzage.sinks.migrations import migrations

    text = next(step.text for step in migrations() if step.name == "events")
    columns = {line.split()[0] for line in text.splitlines() if line.startswith("    ") and line.split()}
    assert {field["name"] for field in json.loads(codec.current("activity").text)["fields"]} <= columns


def intake(due: int = 0, held: Held | None = None) -> Intake:
    return Intake(LOG, 0, due, held or Held())


def test_a_missing_offset_stops_the_intake() -> None:
    with pytest.raises(TamperError, match="offset 2 is missing"):
        intake().take([record(0), record(1), record(3)], 0)
    with pytest.raises(TamperError, match="offset 5 is missing"):
        intake(5).take([record(6)], 0)


def test_a_transactional_topic_may_miss_offsets() -> None:
    checkpoints = Log(topics_of(["CIGNA"])["inzage.checkpoints.v1"], 0, "cluster", str(UUID(int=9)))
    taken = Intake(checkpoints, 0, 0, Held())
    taken.take([record(4), record(9)], 0)
    assert taken.due == 10


def test_what_is_older_than_a_seek_or_held_is_left_out() -> None:
    taken = intake(3, Held(((4, 5),)))
    taken.take([record(at) for at in range(8)], 0)
    slice_ = taken.cut(Pace(block_rows=4), 1)
    assert [one.offset for one in slice_.records] == [3, 6]
    assert slice_.last == 6
    assert [one.offset for one in taken.records] == [7]


def test_of_a_slice_that_is_held_whole_nothing_is_left_but_to_commit() -> None:
    taken = intake(0, Held(((1, 3),)))
    taken.take([record(at) for at in range(4)], 0)
    slices = [taken.cut(Pace(block_rows=2), 1) for _ in range(2)]
    assert [([one.offset for one in slice_.records], slice_.last) for slice_ in slices] == [([0], 1), ([], 3)]
    assert blocks_of(LOG, 0, leaves_of(slices[1].records), {}) == ([], [])


def test_held_runs() -> None:
    held = Held(((0, 4), (7, 9)))
    assert [at for at in range(12) if at in held] == [0, 1, 2, 3, 4, 7, 8, 9]
    assert (held.first_missing(0), held.first_missing(5), held.first_missing(8)) == (5, 5, 10)


KEPT = {"rows": 10, "distinct_offsets": 10, "first": 0, "last": 9, "unreadable": 1}


@pytest.mark.parametrize(
    ("changed", "gaps", "duplicates", "lag"),
    [
        ({}, 0, 0, 2),
        ({"rows": 9, "distinct_offsets": 9}, 1, 0, 2),
        ({"rows": 11}, 0, 1, 2),
        ({"first": 1, "rows": 9, "distinct_offsets": 9}, 1, 0, 2),
        ({"last": 11, "rows": 12, "distinct_offsets": 12}, 0, 0, 0),
    ],
)
def test_reconciliation(changed: dict[str, int], gaps: int, duplicates: int, lag: int) -> None:
    kept = {**KEPT, **changed}
    status = reconcile(Extent(LOG, 0, 12), {**kept, "standing": kept["distinct_offsets"]})
    assert (status.gaps, status.duplicates, status.lag) == (gaps, duplicates, lag)
    assert status.complete == (not gaps and not duplicates)


def test_a_block_is_of_one_framing_and_both_hold_the_same_datum() -> None:
    """A schema that takes Avro's rules is written anew for the columns; the bytes that are kept are as produced."""
    same = registered(7, codec.current("activity").text)
    source = json.loads(same.text)
    source["fields"] = [one for one in source["fields"] if one["name"] != "schema_version"]
    resolved = registered(8, json.dumps(source))
    theirs = BytesIO()
    schemaless_writer(theirs, resolved.parsed, activity(1, "CIGNA"))
    datum = ACTIVITY[SINGLE_OBJECT_BYTES:]
    values = [ACTIVITY, same.header + datum, resolved.header + theirs.getvalue(), registry_header(9) + datum]
    records = [record(at, value) for at, value in enumerate(values)]
    also = {same.header: same, resolved.header: resolved}
    assert unknown_schemas(leaves_of(records), also) == {registry_header(9)}
    blocks, unreadable = blocks_of(LOG, 0, leaves_of(records), also)
    assert [(block.fingerprint, list(block.data)) for block in blocks] == [
        (codec.current("activity").fingerprint, [datum]),
        ("registry:7", [datum]),
        ("registry:8", [datum]),
    ]
    assert [block.leaves[0].value for block in blocks] == values[:3]
    assert [(one.leaf.offset, one.why.code) for one in unreadable] == [(3, "contract.unknown-registry-id")]
    alone, _ = blocks_of(LOG, 0, leaves_of([record(0, values[1]), record(1, values[1])]), also)
    assert [len(block.leaves) for block in alone] == [2]
