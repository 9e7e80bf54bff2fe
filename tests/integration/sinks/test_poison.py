"""A record that cannot be read costs no other record, stands in the trail with its bytes, and is said dead."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.schemas.dead_letters import dead_letter_id
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.topics import SCHEMAS
from inzage.sinks.logs import topics_of
from inzage.sinks.reading import open_trail
from inzage.sinks.replay import all_of, replay, replayed
from tests.trail_stack import Stack, activity, schema_message, stack_on

pytestmark = pytest.mark.kafka

ROWS = 12


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        yield made


def _messages(stack: Stack) -> list[bytes]:
    return [codec.encode("activity", activity(number, stack.controller)) for number in range(ROWS)]


def _broken(message: bytes, how: str) -> bytes:
    if how == "truncated":
        return message[:-40]
    if how == "trailing":
        return message + b"\x00\x00"
    if how == "not avro":
        return b"{}"
    # An event id that says it is longer than everything that follows.
    return message[:SINGLE_OBJECT_BYTES] + b"\xfe\xff\xff\xff\x0f" + message[SINGLE_OBJECT_BYTES + 1 :]


@pytest.mark.parametrize(
    ("how", "places"),
    [
        *((how, (0, 5, ROWS - 1)) for how in ("truncated", "trailing", "not avro", "false length")),
        *(("trailing", (place,)) for place in (0, ROWS - 1)),
        *(("truncated", (place,)) for place in (0, ROWS - 1)),
    ],
    ids=str,
)
async def test_poison_is_set_apart_and_the_rest_stands(stack: Stack, how: str, places: tuple[int, ...]) -> None:
    messages = _messages(stack)
    for place in places:
        messages[place] = _broken(messages[place], how)
    stack.send(stack.topics.events, [(b"k", message) for message in messages])
    await stack.keep_until(ROWS + len(places))
    assert stack.offsets() == list(range(ROWS))
    kept = stack.rows("SELECT offset, hex(raw), reason FROM trail.other_records ORDER BY offset")
    assert [(offset, bytes.fromhex(raw)) for offset, raw, _ in kept] == [(at, messages[at]) for at in places]
    typed = stack.rows("SELECT offset, event_id FROM trail.events ORDER BY offset")
    assert typed == [(at, f"event-{at}") for at in range(ROWS) if at not in places]
    topic_id = stack.cluster().topics[stack.topics.events][0]
    dead = stack.rows("SELECT dead_letter_id, offset, hex(value), stage FROM trail.dead_letters ORDER BY offset")
    assert [(one[0], one[1], bytes.fromhex(one[2]), one[3]) for one in dead] == [
        (dead_letter_id(topic_id, 0, at), at, messages[at], "trail") for at in places
    ]


def _other_schema(*, without: str = "", extra: str = "") -> codec.Schema:
    source = json.loads(codec.current("activity").text)
    source["fields"] = [field for field in source["fields"] if field["name"] != without]
    if extra:
        source["fields"].append({"name": extra, "type": ["null", "string"], "default": None})
    return codec.schema_of("activity", json.dumps(source))


def _written(stack: Stack, schema: codec.Schema, number: int, **more: str) -> bytes:
    from io import BytesIO

    from fastavro import schemaless_writer

    buffer = BytesIO()
    buffer.write(schema.header)
    schemaless_writer(buffer, schema.parsed, {**activity(number, stack.controller), **more})
    return buffer.getvalue()


async def test_schemas_of_older_and_newer_writers_stand_beside_ours(stack: Stack) -> None:
    """The schemas topic says what this version does not know; a column that a writer lacks is null."""
    older = _other_schema(without="register_ref")
    newer = _other_schema(extra=f"field_{stack.controller.lower()}")
    stack.send(SCHEMAS, [schema_message("activity", schema.text) for schema in (older, newer)])
    ours = codec.current("activity")
    written = [_written(stack, (ours, older, newer)[number % 3], number) for number in range(ROWS)]
    stack.send(stack.topics.events, [(b"k", message) for message in written])
    await stack.keep_until(ROWS)
    rows = stack.rows("SELECT offset, event_id, schema_fingerprint, purpose FROM trail.events ORDER BY offset")
    prints = [schema.fingerprint for schema in (ours, older, newer)]
    assert rows == [(at, f"event-{at}", prints[at % 3], None) for at in range(ROWS)]


async def test_an_unknown_schema_is_a_dead_letter_until_its_schema_is_said(stack: Stack) -> None:
    unknown = _other_schema(extra=f"late_{stack.controller.lower()}")
    messages = _messages(stack)
    messages[3] = _written(stack, unknown, 3)
    stack.send(stack.topics.events, [(b"k", message) for message in messages])
    await stack.keep_until(ROWS + 1)
    assert stack.rows("SELECT offset, reason FROM trail.other_records") == [(3, "contract.unknown-schema")]
    assert _replay(stack) == ["contract.unknown-schema"]
    stack.send(SCHEMAS, [schema_message("activity", unknown.text)])
    assert _replay(stack) == ["replayed"]
    await stack.keep_until(ROWS + 2)
    assert stack.offsets() == list(range(ROWS + 1))
    assert stack.rows(f"SELECT event_id, key FROM trail.events WHERE offset = {ROWS}") == [("event-3", "k")]
    assert _replay(stack) == ["trail.already-replayed"]


def _replay(stack: Stack) -> list[str]:
    with open_trail(stack.settings) as trail:
        letters = list(all_of(trail))
        topics = topics_of([stack.controller])
        return [became for _, became in replay(stack.settings.kafka, letters, topics, replayed(trail))]
