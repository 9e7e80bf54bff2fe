"""What the trail's columns say of an event is what the engine decodes of its bytes, field by field."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from fastavro import schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzage.console.whatif.evidence import Evidence, Page, Scope, Share
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.schemas import codec
from inzage.schemas.settings import Settings
from inzage.schemas.statement import registered
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.block import blocks_of
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.logs import Log, topics_of
from inzage.sinks.migrations import migrate
from inzage.sinks.row import Leaf
from inzage.sinks.trail import Trail
from inzage.streams.dossier.versions import STILL_KNOWN
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.pack import LOOK, policies_of
from inzage.streams.screening.row import Hit, Row
from tests.records import records

NAME = "CIGNA"
AT = datetime(2026, 3, 1, tzinfo=UTC)
OFFSETS = count(0, 1_000)
OURS = codec.current("activity")
FIELDS = json.loads(OURS.text)["fields"]
OLDER = registered(7, json.dumps({**json.loads(OURS.text), "fields": FIELDS[:-40]}))
"""As somebody writes it who does not know our last fields."""


@pytest.fixture(scope="module")
def evidence(clickhouse: Endpoint) -> Iterator[Evidence]:
    database = f"trail_{uuid.uuid4().hex}"
    made = Settings(clickhouse={"url": clickhouse.url, "database": database})
    client = open_clickhouse(made.clickhouse, answer_within=30)
    migrate(lambda statement: str(client.command(statement, use_database=False) or ""), database)
    period = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    yield Evidence(Trail(client, database), Scope(ControllerTopics(NAME), *period, now=1_800_000_000_123))
    client.command(f"DROP DATABASE {database}", use_database=False)
    client.close()


@pytest.fixture(scope="module")
def controller() -> Controller:
    """Everything that an event says is seen of every event."""
    policies = policies_of(NAME)
    rule = replace(policies.rules[0], violated_when=f"event_type = '{LOOK}' OR 1", warned_when=None, due=())
    policies = replace(policies, entries=(), rules=(rule,), judged_facts=frozenset())
    return engine().add(policies, shown=(*leaves(), "known_at", "now"))


def message(record: dict[str, Any], schema: codec.Schema) -> bytes:
    buffer = BytesIO()
    buffer.write(schema.header)
    schemaless_writer(buffer, schema.parsed, record)
    return buffer.getvalue()


def kept(trail: Trail, messages: list[bytes]) -> tuple[Share, list[Leaf]]:
    """The messages in the trail, as the sink puts them there."""
    log = Log(topics_of([NAME])[ControllerTopics(NAME).events], 0, "cluster", str(uuid.UUID(int=7)))
    begin, headers = next(OFFSETS), headers_bytes([])
    made = []
    for offset, value in enumerate(messages, begin):
        at = int(AT.timestamp() * 1000) + offset
        hashed = leaf_hash(leaf_bytes(offset, 1, at, b"", value, headers))
        made.append(Leaf(offset, at, 1, b"", value, headers, hashed))
    blocks, unreadable = blocks_of(log, 0, made, {OLDER.header: OLDER})
    assert not unreadable
    for block in blocks:
        trail.insert(block)
    return Share(log.id, begin, begin + len(made) - 1), made


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(records("activity"), st.booleans()), min_size=1, max_size=12))
def test_columns_and_bytes_say_the_same(
    evidence: Evidence, controller: Controller, said: list[tuple[dict[str, Any], bool]]
) -> None:
    dated = [({**record, "occurred_at": AT}, OLDER if older else OURS) for record, older in said]
    share, made = kept(evidence.trail, [message(record, schema) for record, schema in dated])
    (page,) = evidence.pages(share)
    assert page == Page(share, len(made))

    by_columns = engine().judge_block(controller, evidence.block(page, controller.plan.named), page.count)
    by_bytes = list[Hit]()
    for schema in (OURS, OLDER):
        rows = [
            Row(
                *(leaf.offset, leaf.timestamp, (leaf.value or b"")[len(schema.header) :]),
                *("", STILL_KNOWN, evidence.scope.now),
            )
            for leaf, (_, written) in zip(made, dated, strict=True)
            if written is schema
        ]
        by_bytes += engine().judge_at_once(controller, schema, rows)[0] if rows else []
    assert by_columns is not None and len(by_bytes) == len(made)
    assert sorted(by_columns, key=lambda hit: hit.offset) == sorted(by_bytes, key=lambda hit: hit.offset)
