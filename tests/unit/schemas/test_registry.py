"""How a schema registry is asked, over a socket, and what its answers lead to."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inzage.schemas import registered as registered_module
from inzage.schemas.codec import current, encode
from inzage.schemas.emitter.registry_framing import RegistryFraming
from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.framing import registry_header
from inzage.schemas.registered import RegisteredSchemas
from inzage.schemas.registry import open_registry
from inzage.schemas.settings import SchemaRegistrySettings, load_settings
from tests.stand_in_registry import StandInRegistry, stand_in_registry
from tests.trail_stack import activity

ACTIVITY = current("activity").text
SUBJECT = "inzage.v1.Activity"


@pytest.fixture
def registry() -> Iterator[StandInRegistry]:
    with stand_in_registry() as running:
        yield running


def settings(registry: StandInRegistry, **more: Any) -> SchemaRegistrySettings:
    return SchemaRegistrySettings(url=registry.url, **more)


def test_what_is_registered_is_framed_and_found(registry: StandInRegistry) -> None:
    framing = RegistryFraming(settings(registry))
    message = encode("activity", activity(1, "CIGNA"))
    identifier = registry.subjects.setdefault(SUBJECT, [])
    assert framing.framed("activity", message) == registry_header(identifier[0]) + message[10:]
    framing.framed("activity", message)
    assert registry.asked == [f"POST /subjects/{SUBJECT}/versions", f"GET /schemas/ids/{identifier[0]}"]
    looking = RegistryFraming(settings(registry, auto_register_schemas=False))
    assert looking.schema("activity").registry_id == identifier[0]
    assert registry.asked[2] == f"POST /subjects/{SUBJECT}"


def test_without_registering_what_is_not_there_is_refused(registry: StandInRegistry) -> None:
    with pytest.raises(ConfigError, match=SUBJECT):
        RegistryFraming(settings(registry, auto_register_schemas=False)).schema("activity")
    registry.add(current("fact").text, SUBJECT)
    with pytest.raises(ConfigError, match="not registered"):
        RegistryFraming(settings(registry, auto_register_schemas=False)).schema("activity")
    assert all("versions" not in line for line in registry.asked)


def test_what_its_rules_refuse_and_what_is_another_schema_is_an_error(registry: StandInRegistry) -> None:
    source = json.loads(ACTIVITY)
    source["fields"][0]["type"] = "long"
    registry.add(json.dumps(source), SUBJECT)
    with pytest.raises(ConfigError, match="compatibility"):
        RegistryFraming(settings(registry)).schema("activity")
    first = registry.add(current("fact").text)
    registry.subjects.clear()
    registry.texts[first + 1] = registry.texts[first]  # what is registered next gets another's id
    registry.add = lambda text, subject="": first  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="not the one that was asked for"):
        RegistryFraming(settings(registry)).schema("activity")


def test_an_id_is_asked_for_once(registry: StandInRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.add(ACTIVITY)
    schemas = RegisteredSchemas(open_registry(settings(registry)))
    for _ in range(3):
        assert [schema.registry_id for schema in schemas.look_up([known, 9, known])] == [known]
    assert sorted(registry.asked) == [f"GET /schemas/ids/{known}", "GET /schemas/ids/9"]
    registry.texts[9] = current("fact").text
    assert schemas.look_up([9]) == []
    monkeypatch.setattr(registered_module, "ASK_AGAIN_AFTER", 0.0)
    assert [schema.name for schema in schemas.look_up([9])] == ["fact"]


@pytest.mark.parametrize(
    "other",
    [
        {"schema": "syntax = 'proto3';", "schemaType": "PROTOBUF"},
        {"schema": ACTIVITY, "references": [{"name": "x", "subject": "x", "version": 1}]},
        {"schema": "{not json"},
        {"schema": '"string"'},
    ],
    ids=["another language", "refers to others", "no schema", "no record"],
)
def test_what_no_record_is_written_with_is_as_if_absent(registry: StandInRegistry, other: dict[str, Any]) -> None:
    registry.other[5] = other
    found = RegisteredSchemas(open_registry(settings(registry))).look_up([5])
    assert [schema.name for schema in found] in ([], [""])


def test_a_registry_that_is_away_is_no_answer(registry: StandInRegistry) -> None:
    schemas = RegisteredSchemas(open_registry(settings(registry)))
    known = registry.add(ACTIVITY)
    registry.away = True
    with pytest.raises(TransientError, match="503"):
        schemas.look_up([known])
    registry.away = False
    assert len(schemas.look_up([known])) == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TransientError, match="does not answer"):
        open_registry(SchemaRegistrySettings(url=f"http://127.0.0.1:{port}")).text(1)


def test_a_404_of_something_else_says_nothing_about_ids(registry: StandInRegistry) -> None:
    elsewhere = SchemaRegistrySettings(url=f"{registry.url}/not/a/registry")
    with pytest.raises(TransientError, match="no clear answer"):
        open_registry(elsewhere).text(1)


def test_it_lets_in_whom_it_knows(registry: StandInRegistry, tmp_path: Path) -> None:
    registry.password = ("inzage", "s3cret")
    known = registry.add(ACTIVITY)
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    for stated in ({"password": "s3cret"}, {"password_file": secret}):
        assert open_registry(settings(registry, username="inzage", **stated)).text(known)
    for wrong in ({}, {"username": "inzage", "password": "guess"}):
        with pytest.raises(ConfigError, match="401") as refused:
            open_registry(settings(registry, **wrong)).text(known)
        assert "guess" not in refused.value.diagnostics()
    secret.chmod(0o640)
    with pytest.raises(ConfigError, match="by others"):
        open_registry(settings(registry, username="inzage", password_file=secret))
    with pytest.raises(ConfigError, match="https only"):
        open_registry(SchemaRegistrySettings(url="http://registry.example", username="a", password="b"))


@pytest.mark.parametrize(
    "stated",
    [
        {"username": "inzage"},
        {"password": "x"},
        {"username": "inzage", "password": "x", "password_file": "y"},
        {"auto_registr": False},
    ],
)
def test_settings_that_cannot_be_right_are_named(stated: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="schema_registry"):
        load_settings(schema_registry={"url": "http://127.0.0.1:8081", **stated})
