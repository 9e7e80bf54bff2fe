"""Every schema reads what any released one wrote, and the other way round."""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from inzage.schemas.build import RECORDS
from inzage.schemas.codec import current, known, schema_of


def released() -> list[Traversable]:
    versions = files("inzage.schemas").joinpath("avro", "released").iterdir()
    return [path for version in versions if version.is_dir() for path in version.iterdir()]


def faults(reader: str, writer: str) -> list[str]:
    found = ReaderWriterCompatibilityChecker().get_compatibility(parse(reader), parse(writer))
    return [] if found.compatibility is SchemaCompatibilityType.compatible else sorted(found.messages)


@pytest.mark.parametrize("old", [pytest.param(path, id=str(path).rpartition("released/")[2]) for path in released()])
def test_full_transitive_compatibility(old: Traversable) -> None:
    new = current(old.name.removesuffix(".avsc")).text  # type: ignore[arg-type]
    assert faults(new, old.read_text("utf-8")) == []
    assert faults(old.read_text("utf-8"), new) == []


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_was_released_and_stays_readable(name: str) -> None:
    old = [path for path in released() if path.name == f"{name}.avsc"]
    assert old, "copy avro/*.avsc to avro/released/<version>/ when a version is released"
    for path in old:
        assert schema_of(name, path.read_text("utf-8")).header in known()


def changed(change: Any) -> str:
    schema = json.loads(current("activity").text)
    change(schema["fields"])
    return json.dumps(schema)


def require_a_field(fields: list[dict[str, Any]]) -> None:
    fields.append({"name": "new", "type": "string"})


def drop_a_required_field(fields: list[dict[str, Any]]) -> None:
    fields[:] = [field for field in fields if field["name"] != "event_id"]


def retype_a_field(fields: list[dict[str, Any]]) -> None:
    next(field for field in fields if field["name"] == "source_system")["type"] = "long"


@pytest.mark.parametrize("change", [require_a_field, drop_a_required_field, retype_a_field])
def test_an_incompatible_change_is_found(change: Any) -> None:
    new, old = changed(change), current("activity").text
    assert faults(new, old) + faults(old, new)


def add_an_optional_field(fields: list[dict[str, Any]]) -> None:
    fields.append({"name": "new", "type": ["null", "string"], "default": None})


def test_an_optional_field_may_come_and_an_older_reader_survives_a_new_symbol() -> None:
    new, old = changed(add_an_optional_field), current("activity").text
    assert faults(new, old) + faults(old, new) == []
    grown = old.replace('"AccessEvent",', '"AccessEvent", "NewEvent",')
    assert grown != old and faults(old, grown) + faults(grown, old) == []
