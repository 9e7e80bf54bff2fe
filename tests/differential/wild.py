"""Makes events that nobody would say of those that examples and generated streams say: any field may be any other.

Nothing is judged on the way: the rows are kept, and what they would be judged against is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from random import Random
from typing import Any
from unittest.mock import patch

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from inzage.schemas.codec import Schema, current, schema_of
from inzage.schemas.json_lines import read_arrivals
from inzage.schemas.vocabulary import symbols
from inzage.streams.dossier.versions import STILL_KNOWN
from inzage.streams.screening.engine import Controller, Engine, engine
from inzage.streams.screening.event_fields import Leaf, leaves
from inzage.streams.screening.examples import apart, holds_for_everybody, said_by
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.row import Row
from tests.differential.generator import COUNTRIES, INSTANTS
from tests.differential.stream import generated

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANTS = [
    *INSTANTS,
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),  # clocks go forward in Brussels at one
    datetime(2026, 2, 28, 1, 30, tzinfo=UTC),
    datetime(2026, 9, 25, 0, 30, tzinfo=UTC),  # a month before the hour that comes twice
    datetime(2016, 3, 27, 1, 15, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
    datetime(2026, 1, 30, 23, 30, tzinfo=UTC),
    datetime(2018, 5, 24, 22, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1955, 6, 1, tzinfo=UTC),
    datetime(2190, 6, 1, tzinfo=UTC),
]
_ODD_TEXTS = ["", "UNKNOWN", "unknown", "é", "ÀB", "a'b\\c", "%", "X|Y", "nul\x00in", "日本"]


@cache
def _controller(controller_id: str) -> Controller:
    return engine().add(policies_of(controller_id))


@dataclass
class Wild:
    """The rows of one controller, and its dossiers and references loaded."""

    controller: Controller
    rows: list[Row] = field(default_factory=list)
    texts: dict[str, list[Any]] = field(default_factory=dict)
    """What fields were seen to say, by name; `*` has what any text field said."""

    def __post_init__(self) -> None:
        self._schema: Any = parse_schema(_plain(json.loads(current("activity").text)))

    def learn(self) -> None:
        """Remember what the rows say, to say it elsewhere."""
        for row in self.rows:
            event = self.read(row.datum)
            for name, leaf in leaves().items():
                value = _get(event, name)
                if value not in (None, [], {}) and not leaf.type.startswith("Array"):
                    self.texts.setdefault(name, []).append(value)
                    if "String" in leaf.type and not leaf.enum and isinstance(value, str):
                        self.texts.setdefault("*", []).append(value)

    def read(self, datum: bytes) -> dict[str, Any]:
        event: dict[str, Any] = schemaless_reader(BytesIO(datum), self._schema, None)  # type: ignore[assignment]
        return event

    def write(self, event: dict[str, Any]) -> bytes:
        return written(self._schema, event)

    def made(self, random: Random, count: int) -> list[Row]:
        """`count` rows, each one of those collected with a few fields changed, at some horizon and time."""
        kinds = ["", *sorted(self.controller.policies.judged_facts)]
        rows = []
        last = max(row.horizon for row in self.rows) + 1
        for number in range(count):
            row = random.choice(self.rows)
            event = self.read(row.datum)
            for _ in range(random.choice([0, 1, 1, 2, 3, 5, 8])):
                leaf = random.choice(list(leaves().values()))
                _set(event, leaf.name, self._value(leaf, random))
            horizon = random.choice([row.horizon, row.horizon, 0, last, *self._edges(event["subject"]["pseudonym"])])
            now = random.choice([row.now, row.now, *(row.now + 86_400_000 * days for days in (29, 31, 400, 4_000))])
            fact = row.fact if random.random() < 0.9 else random.choice(kinds)
            rows.append(
                Row(number, row.known_at, self.write(event), fact, horizon, now + random.choice([0, 0, 1, -1]))
            )
        return rows

    def _edges(self, subject: str) -> list[int]:
        """The offsets at which something about a person became known or ceased to be, and those after."""
        versions = self.controller.held.dossiers.get(subject, {})
        known = {row[name] for rows in versions.values() for row in rows for name in ("known_from", "known_to")}
        return [offset + after for offset in sorted(known - {STILL_KNOWN}) for after in (0, 1)]

    def _value(self, leaf: Leaf, random: Random) -> Any:
        if leaf.type.startswith("Map"):
            return {
                name: random.choice(_ODD_TEXTS) for name in random.sample(["purpose", "a", "b"], random.randint(0, 2))
            }
        if leaf.type.startswith("Array"):
            return [self._one(leaf, leaf.type[6:-1], random) for _ in range(random.randint(0, 3))]
        if leaf.type.startswith("Nullable"):
            return None if random.random() < 0.35 else self._one(leaf, leaf.type[9:-1], random)
        return self._one(leaf, leaf.type, random)

    def _one(self, leaf: Leaf, kind: str, random: Random) -> Any:
        if leaf.enum:
            return "UNKNOWN" if random.random() < 0.1 else random.choice(sorted(symbols(leaf.enum)))
        if kind == "Bool":
            return random.random() < 0.5
        if kind.startswith("DateTime64"):
            instant = random.choice(_INSTANTS) + random.choice([0, 0, 1, -1]) * timedelta(microseconds=1)
            return (instant - EPOCH) // timedelta(microseconds=1)
        if kind == "Float64":
            return random.choice([0.0, 0.5, 1.0, -1.5, 499.99, 1e9])
        if kind == "Int64":
            return random.choice([0, 1, 9, 10, 499, 500, 501, -1, 255, 256, 1 << 40, (1 << 63) - 1, -(1 << 63)])
        if "country" in leaf.name:
            return random.choice([country for country in COUNTRIES if country])
        said = self.texts.get(leaf.name if random.random() < 0.5 else "*") or self.texts["*"]
        return random.choice(said) if random.random() < 0.85 else random.choice(_ODD_TEXTS)


def of_examples(controller_id: str, most: int = 1 << 30) -> Wild:
    """What the examples of a controller's packs say, those that go together, or `most` of them."""
    policies = policies_of(controller_id)
    screening = OfflineScreening()
    screening._controllers[controller_id] = _controller(controller_id)
    wild = Wild(_controller(controller_id))
    shared = [
        (entry, example)
        for entry in policies.entries
        for example in entry.every_example
        if not holds_for_everybody(example)
    ]
    Random(len(shared)).shuffle(shared)
    lines = [
        apart(line, number)
        for number, (entry, example) in enumerate(shared[:most])
        for line in said_by(controller_id, policies.pack_of[entry.id], example)
    ]
    numbered = [(number, "", line) for number, line in enumerate(lines, start=1)]
    said = read_arrivals(numbered, strict=False, controller_id=controller_id)
    with _kept(wild.rows):
        screening.screen(said, otherwise=controller_id, deadlines=False)
    wild.learn()
    return wild


def of_stream(controller_id: str, seed: int, events: int) -> Wild:
    """What a generated stream says."""
    wild = Wild(_controller(controller_id))
    stream = generated(seed, controller_id, events, blocks=2)
    with _kept(wild.rows):
        stream.screener(wild.controller).screen(stream.records)
    wild.learn()
    return wild


def older_schema(absent: Container[str]) -> Schema:
    """The schema of activities from before there were the fields `absent`, by dotted name."""
    source = json.loads(current("activity").text)

    def prune(avro: Any, above: str) -> None:
        if isinstance(avro, list):
            for branch in avro:
                prune(branch, above)
        elif isinstance(avro, dict) and "fields" in avro:
            avro["fields"] = [field for field in avro["fields"] if f"{above}{field['name']}" not in absent]
            for one in avro["fields"]:
                prune(one["type"], f"{above}{one['name']}.")

    prune(source, "")
    return schema_of("activity", json.dumps(source))


def written(schema: Any, event: Mapping[str, Any]) -> bytes:
    """A datum of an event whose instants are microseconds since 1970."""
    buffer = BytesIO()
    schemaless_writer(buffer, schema, event)
    return buffer.getvalue()


def as_written_by(schema: Schema, event: Mapping[str, Any]) -> bytes:
    """The datum that an older writer would have made of an event."""
    return written(parse_schema(_plain(json.loads(schema.text))), event)


@contextmanager
def _kept(rows: list[Row]) -> Iterator[None]:
    """While this lasts rows are kept, not judged."""

    def judge(_: Engine, __: Controller, ___: Any, judged: Sequence[Row]) -> tuple[list[Any], list[Any]]:
        rows.extend(judged)
        return [], []

    with patch.object(Engine, "judge", judge):
        yield


def _plain(avro: Any) -> Any:
    if isinstance(avro, dict):
        return {name: _plain(value) for name, value in avro.items() if name != "logicalType"}
    return [_plain(item) for item in avro] if isinstance(avro, list) else avro


def _get(event: Any, name: str) -> Any:
    for step in name.split("."):
        event = event.get(step) if event is not None else None
    return event


def _set(event: dict[str, Any], name: str, value: Any) -> None:
    *above, last = name.split(".")
    for step in above:
        if event[step] is None:
            event[step] = _blank(step)
        event = event[step]
    event[last] = value


def _blank(block: str) -> dict[str, Any]:
    """A block of the event that says nothing."""
    inner = {name.partition(".")[2]: leaf for name, leaf in leaves().items() if name.startswith(f"{block}.")}
    made: dict[str, Any] = {}
    for name, leaf in inner.items():
        *above, last = name.split(".")
        assert not above, "blocks within blocks that may be absent"
        made[last] = [] if leaf.type.startswith("Array") else {} if leaf.type.startswith("Map") else None
    return made
