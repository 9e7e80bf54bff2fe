"""Every kind of fact can be said in JSON and comes back as the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inzage.schemas.codec import current, decode, encode
from inzage.schemas.json_face import SaidKind, read, write


def kinds() -> list[tuple[SaidKind, str]]:
    names: tuple[SaidKind, SaidKind] = ("fact", "reference")
    return [(name, kind["name"]) for name in names for kind in json.loads(current(name).text)["fields"][-1]["type"]]


@pytest.mark.parametrize(("name", "kind"), kinds())
def test_a_bare_fact_of_each_kind_survives_kafka_and_json(name: SaidKind, kind: str) -> None:
    fact: dict[str, Any] = {
        "type": kind,
        "fact_id": "F-1",
        "recorded_at": "2026-03-10T12:00:00+01:00",
        "controller_id": "CIGNA",
        "source_system": "claims",
    }
    if name == "fact":
        fact["subject"] = "P-1"
    if kind == "DataItemClassified":
        fact["data_item"] = "DIAGNOSIS_CODE"
    said = read({"fact": fact})
    assert said.kind == name
    _, record = decode(encode(name, said.record))
    assert record == said.record
    assert write(name, record) == {"fact": {**fact, "recorded_at": "2026-03-10T11:00:00+00:00"}}
