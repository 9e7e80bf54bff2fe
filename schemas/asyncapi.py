"""Makes the AsyncAPI 3 document of an installation: topics, their records and keys, and who sends and receives them.

`python -m inzage.schemas.asyncapi` writes `docs/asyncapi.yaml`; a test compares. Topics and their configuration come
from `topics`, records from the Avro schemas, which the document refers to, the rest from `definition/channels.yaml`.
Specification: AsyncAPI 3.0.0 with the Kafka bindings 0.5.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from inzage.schemas.codec import RecordName, current
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import Theme, TopicSpec, largest_batch, specs

ASYNCAPI = "3.0.0"
BINDING = "0.5.0"
AVRO = "application/vnd.apache.avro+json;version=1.9.0"  # the newest that the specification lists
SINGLE_OBJECT = "avro/binary"

_HEADERS = {
    "ce_specversion": "CloudEvents version, 1.0.",
    "ce_id": "The event_id or fact_id, or that of the verdict or dead letter.",
    "ce_type": "What it is, for example inzage.v1.DisclosureEvent.",
    "ce_source": "System and instance that speak.",
    "ce_time": "When it was said, ISO 8601.",
}
_WITH_HEADERS = frozenset({"activity", "fact", "reference", "heartbeat", "verdict", "dead_letter", "incompleteness"})
_SCHEMA_RECORD = {
    "type": "object",
    "required": ["name", "fingerprint", "sha256", "text"],
    "properties": {
        "name": {"type": "string", "description": "The record it describes."},
        "fingerprint": {"type": "string", "description": "CRC-64-AVRO of the canonical form, as messages carry it."},
        "sha256": {"type": "string", "description": "SHA-256 of the full text."},
        "text": {"type": "string", "description": "The schema as JSON."},
        "registry_id": {"type": "integer", "description": "What a registry calls it; absent for a fingerprint."},
    },
}
_CONFIGURATION = {"cleanup.policy", "retention.ms", "max.message.bytes"}  # what the binding has words for


def document() -> dict[str, Any]:
    """The document; raises `ConfigError` for a topic or a record that `channels.yaml` does not mention."""
    text = files("inzage.schemas").joinpath("definition", "channels.yaml").read_text(encoding="utf-8")
    stated: Mapping[str, Any] = yaml.safe_load(text)
    topics = {spec.name: spec for spec in specs(("{controller}",))}
    channels = {name: _channel(channel, topics) for name, channel in stated["channels"].items()}
    _see_that_all_is_there(topics, stated["channels"])
    return {
        "asyncapi": ASYNCAPI,
        "info": _info(),
        "defaultContentType": SINGLE_OBJECT,
        "servers": {"kafka": _server()},
        "channels": channels,
        "operations": _operations(stated["operations"]),
        "components": {"messages": {name: _message(name, key) for name, key in _keys(stated["channels"]).items()}},
    }


def render() -> str:
    """The text of `docs/asyncapi.yaml`."""
    head = (
        "# Made by `python -m inzage.schemas.asyncapi`; change schemas/definition/channels.yaml and make it again.\n"
    )
    return head + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=118)


def _info() -> dict[str, Any]:
    return {
        "title": "Inzage",
        "version": version("inzage"),
        "description": (
            "Event-sourced audit and transfer logging for personal data. Messages are Avro single-object encoding: "
            "two marker bytes, the fingerprint of the schema, the datum. Activities, facts, references and "
            "heartbeats may be in Confluent's wire format instead: a zero byte, the four-byte id of a schema "
            "registry, the datum; the subject is the full name of the record. What stands on a topic is never "
            "changed."
        ),
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _server() -> dict[str, Any]:
    return {
        "host": KafkaSettings().bootstrap_servers,
        "protocol": "kafka",
        "description": "The brokers of the installation; TLS and SASL by its settings.",
    }


def _channel(channel: Mapping[str, Any], topics: Mapping[str, TopicSpec]) -> dict[str, Any]:
    address = channel["address"]
    spec = next((topics[name] for name in topics if name == _of_theme(address, Theme.TRANSFER)), None)
    if spec is None:
        raise ConfigError(f"channels.yaml: there is no topic {address}", code="config.definition")
    return {
        "address": address,
        "title": channel["title"],
        "description": channel["description"],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel["messages"]},
        **({"parameters": parameters} if (parameters := _parameters(address)) else {}),
        "bindings": {"kafka": _topic_binding(spec)},
    }


def _parameters(address: str) -> dict[str, Any]:
    known = {
        "controller": {"description": "The controller, a tenant, in lower case.", "examples": ["cigna", "hmbs"]},
        "theme": {"description": "What the violation is about.", "enum": [theme.value for theme in Theme]},
    }
    return {name: parameter for name, parameter in known.items() if f"{{{name}}}" in address}


def _topic_binding(spec: TopicSpec) -> dict[str, Any]:
    configuration: dict[str, Any] = {"max.message.bytes": largest_batch(spec.name)}
    if "cleanup.policy" in spec.config:
        configuration["cleanup.policy"] = spec.config["cleanup.policy"].split(",")
    if "retention.ms" in spec.config:
        configuration["retention.ms"] = int(spec.config["retention.ms"])
    others = {name: value for name, value in spec.config.items() if name not in _CONFIGURATION}
    return {
        "partitions": spec.partitions or KafkaSettings().partitions,
        "replicas": KafkaSettings().replication_factor,
        "topicConfiguration": configuration,
        "bindingVersion": BINDING,
        **({"x-topic-configuration": others} if others else {}),
    }


def _message(name: str, key: str) -> dict[str, Any]:
    described: dict[str, Any] = {"name": name}
    if name == "schema":
        described |= {
            "title": "Schema",
            "summary": "The text of a schema that something was written with.",
            "contentType": "application/json",
            "payload": _SCHEMA_RECORD,
        }
    else:
        source = json.loads(current(_record(name)).text)
        described |= {
            "title": source["name"],
            "summary": source["doc"],
            "contentType": SINGLE_OBJECT,
            "payload": {"schemaFormat": AVRO, "schema": {"$ref": f"../schemas/avro/{name}.avsc"}},
            "x-fingerprint": current(_record(name)).fingerprint,
        }
    if name in _WITH_HEADERS:
        properties = {header: {"type": "string", "description": what} for header, what in _HEADERS.items()}
        described["headers"] = {"type": "object", "properties": properties}
    of_record = {"type": "string", "description": key}
    return {**described, "bindings": {"kafka": {"key": of_record, "bindingVersion": BINDING}}}


def _operations(processes: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for process, stated in processes.items():
        for direction, action in (("receives", "receive"), ("sends", "send")):
            for channel, messages in stated.get(direction, {}).items():
                found[f"{process}_{action}s_{channel}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{channel}"},
                    "summary": stated["description"],
                    "tags": [{"name": process}],
                    "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
                }
    return found


def _keys(channels: Mapping[str, Any]) -> dict[str, str]:
    """What the key of each record is, which must be the same wherever it stands."""
    keys: dict[str, str] = {}
    for channel in channels.values():
        for name, key in channel["messages"].items():
            if keys.setdefault(name, key) != key:
                raise ConfigError(f"channels.yaml: {name} has two kinds of key", code="config.definition")
    return dict(sorted(keys.items()))


def _record(name: str) -> RecordName:
    if name not in get_args(RecordName):
        raise ConfigError(f"channels.yaml: {name} is no record of the contract", code="config.definition")
    return cast("RecordName", name)


def _of_theme(address: str, theme: Theme) -> str:
    return address.replace("{theme}", theme.value)


def _see_that_all_is_there(topics: Mapping[str, TopicSpec], channels: Mapping[str, Any]) -> None:
    addresses = {_of_theme(channel["address"], theme) for channel in channels.values() for theme in Theme}
    if missing := sorted(set(topics) - addresses):
        raise ConfigError(f"channels.yaml: nothing is said of topic {missing[0]}", code="config.definition")


def main() -> None:
    """Write `docs/asyncapi.yaml`."""
    Path("docs/asyncapi.yaml").write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
