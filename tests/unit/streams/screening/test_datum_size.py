"""A datum is as long as the leaves that were decoded and a byte for each other one only if these say nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from inzage.schemas.codec import Schema, current, encode_datum, schema_of
from inzage.streams.screening.column import said
from inzage.streams.screening.datum_size import least
from inzage.streams.screening.decoding import Decoding
from inzage.streams.screening.engine import engine
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.row import Row

ACTIVITY = current("activity")
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "event_id": "event-1",
    "event_type": "AccessEvent",
    "occurred_at": AT,
    "recorded_at": AT,
    "controller_id": "HMBS",
    "source_system": "CRM",
    "actor": {},
    "subject": {"pseudonym": "subject-1"},
}
LONGS = [0, 63, 64, 8_191, 8_192, 2**20, 2**27 - 1, 2**34, 2**41 - 1, 2**48, 2**55, 2**62, 2**63 - 1]
TEXTS = ["", "a", "é" * 31, "x" * 63, "x" * 64, "x" * 8_191]
SAID: list[Mapping[str, Any]] = [
    *({"source_sequence": number} for number in (*LONGS, *(-1 - number for number in LONGS))),
    *({"trace_id": text} for text in TEXTS),
    *({"attachments": [text]} for text in TEXTS),
    *({"attachments": ["x"] * count} for count in (63, 64, 65)),
    {"data_items": ["NAME"] * 70, "data_categories": ["IDENTITY", "HEALTH_PHYSICAL"]},
    {"cell_sizes": [1, 2, 63]},
    {"unrecognised": {"colour": "red", "size": "x" * 80}},
    {"fee_amount": 2.5, "special_category": True, "purpose": "CLAIMS_HANDLING"},
    {"ended_at": datetime(1979, 1, 1, tzinfo=UTC), "aware_at": datetime(2290, 1, 1, tzinfo=UTC)},
    {"recipient": {}},
    {"recipient": {"org_id": "ORG-1", "processing_countries": ["BE", "NL"]}},
    {"transfer": {"instrument": "SCC_DPA", "risk_informed": False}, "record": {"state": "ACTIVE"}},
    {"actor": {"id": "A1", "type": "HUMAN", "access_country": "IN"}, "template": {"class": "LEGAL"}},
]


@pytest.fixture(scope="module")
def decoding() -> Iterator[Decoding]:
    embedded = engine()._embedded
    embedded.query("CREATE DATABASE sized")
    yield Decoding(embedded, "sized", [], of_many=False)
    embedded.query("DROP DATABASE sized")


def sizes(decoding: Decoding, datums: Collection[bytes], paths: Collection[str], schema: Schema) -> list[int]:
    """What datums take at least, of what stands at `paths`."""
    assert decoding.decode(schema, [Row(0, 0, datum, "", 0, 0) for datum in datums], paths)
    found = engine()._embedded.query(f"SELECT {least(schema, paths)} FROM {decoding.table}", "TSV")
    return [int(line) for line in found.split()]


def datums() -> list[bytes]:
    return [encode_datum("activity", {**PLAIN, **more}) for more in SAID]


def test_what_is_decoded_whole_is_as_long_as_it_is(decoding: Decoding) -> None:
    """But a recipient that is there and of whom nothing is said might as well not be."""
    everything = {leaf.path for leaf in leaves().values()}
    found = sizes(decoding, datums(), everything, ACTIVITY)
    exact = [len(datum) for datum in datums()]
    exact[SAID.index({"recipient": {}})] = len(encode_datum("activity", PLAIN))
    assert found == exact


def test_what_says_something_that_is_not_decoded_is_longer(decoding: Decoding) -> None:
    random, plain = Random(5), encode_datum("activity", PLAIN)
    always = {leaf.path for leaf in leaves().values() if not said(leaf.path, leaf.type).silent}
    sometimes = sorted({leaf.path for leaf in leaves().values()} - always)
    for _ in range(6):
        paths = {*always, *random.sample(sometimes, random.randrange(len(sometimes)))}
        found = sizes(decoding, [plain, *datums()], paths, ACTIVITY)
        assert found[0] == len(plain)
        for size, datum, more in zip(found[1:], datums(), SAID, strict=True):
            missed = {path for path in _paths(more) if path not in paths}
            assert (size < len(datum)) == bool(missed or more == {"recipient": {}}), more


def test_another_schema_has_its_own_leaves(decoding: Decoding) -> None:
    """An older one knows fewer of them, a newer one more, which stand in no column."""
    fields = [{"name": "event_id", "type": "string"}, {"name": "colour", "type": ["null", "string"], "default": None}]
    other = schema_of("activity", _record(fields))
    assert sizes(decoding, [b"\x02a\x00", b"\x02a\x02\x06red"], {"event_id", "trace_id"}, other) == [3, 3]


def test_a_union_of_other_types_has_no_size() -> None:
    with pytest.raises(KeyError):
        least(schema_of("activity", _record([{"name": "event_id", "type": ["string", "null"]}])), [])


def _record(fields: list[dict[str, Any]]) -> str:
    return json.dumps({"type": "record", "name": "Activity", "namespace": "inzage", "fields": fields})


def _paths(more: Mapping[str, Any]) -> set[str]:
    """The paths of leaves at which something is said."""
    names = {f"{name}.{inner}" for name, value in more.items() if isinstance(value, dict) for inner in value}
    names |= {name for name, value in more.items() if not isinstance(value, dict) or name == "unrecognised"}
    return {leaf.path for leaf in leaves().values() if leaf.name in names}
