"""The AsyncAPI document keeps to what AsyncAPI 3.0.0 allows, and says of every topic and record where they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from inzage.schemas import asyncapi
from inzage.schemas.build import RECORDS
from inzage.schemas.codec import schema_of
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import Theme, specs

DOCUMENT: dict[str, Any] = asyncapi.document()

_CHANNEL = {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"}
_OPERATION = {"action", "channel", "title", "summary", "description", "messages", "tags", "bindings", "reply"}


def _refused(document: dict[str, Any]) -> list[str]:
    """What AsyncAPI 3.0.0 does not allow: the version, names of fields, parameters of an address, actions."""
    wrong = [] if document["asyncapi"] == "3.0.0" else ["asyncapi"]
    wrong += [name for name in ("title", "version") if not document["info"].get(name)]
    for name, channel in document["channels"].items():
        wrong += [f"channels.{name}.{field}" for field in channel.keys() - _CHANNEL]
        named = set(re.findall(r"\{(\w+)\}", channel.get("address") or ""))
        wrong += [f"channels.{name}.parameters.{one}" for one in named ^ channel.get("parameters", {}).keys()]
        partitions = channel.get("bindings", {}).get("kafka", {}).get("partitions", 1)
        wrong += [] if partitions >= 1 else [f"channels.{name}.bindings.kafka.partitions"]
    for name, operation in document["operations"].items():
        wrong += [f"operations.{name}.{field}" for field in operation.keys() - _OPERATION]
        wrong += [] if operation["action"] in ("send", "receive") else [f"operations.{name}.action"]
    return wrong


def test_it_is_an_asyncapi_document() -> None:
    assert _refused(DOCUMENT) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"asyncapi": "2.6.0"},
        {"operations": {"one": {"action": "publish", "channel": {"$ref": "#/channels/events"}}}},
        {"channels": {"events": {"adress": "inzage.events"}}},
        {"channels": {"events": {"address": "e", "bindings": {"kafka": {"partitions": 0}}}}},
    ],
)
def test_what_judges_it_can_refuse(broken: dict[str, Any]) -> None:
    assert len(_refused({**DOCUMENT, **broken})) == 1


def test_every_topic_is_a_channel_with_its_partitions() -> None:
    partitions = {
        channel["address"].replace("{controller}", "own").replace("{theme}", theme.value): channel["bindings"][
            "kafka"
        ]
        for channel in DOCUMENT["channels"].values()
        for theme in Theme
    }
    wanted = {spec.name: spec for spec in specs(("OWN",))}
    assert set(partitions) == set(wanted)
    for name, spec in wanted.items():
        assert partitions[name]["partitions"] == (spec.partitions or KafkaSettings().partitions)
        assert partitions[name]["topicConfiguration"]["cleanup.policy"] == [spec.config["cleanup.policy"]]


def test_every_record_of_the_contract_is_a_message_with_its_schema() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert set(messages) == {*RECORDS, "schema"}
    for name in RECORDS:
        path = Path("docs") / messages[name]["payload"]["schema"]["$ref"]
        assert schema_of(name, path.read_text("utf-8")).fingerprint == messages[name]["x-fingerprint"]


def test_every_reference_leads_somewhere() -> None:
    def leads(reference: str) -> bool:
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return found is not None

    references = [
        reference["$ref"]
        for operation in DOCUMENT["operations"].values()
        for reference in (operation["channel"], *operation["messages"])
    ]
    assert references and all(leads(reference) for reference in references)


def test_a_topic_that_is_not_mentioned_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    read = yaml.safe_load

    def without_verdicts(text: str) -> Any:
        content = read(text)
        del content["channels"]["verdicts"]
        return content

    monkeypatch.setattr(yaml, "safe_load", without_verdicts)
    with pytest.raises(ConfigError, match=r"inzage\.\{controller\}\.verdicts\.v1"):
        asyncapi.document()
