"""Keeps what FHIR cannot say: legal basis, instrument, which organisation is which, for one importing system.

Checked in full when it is read, so that a word that is not in the vocabulary is seen before anything is imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inzage.schemas.errors import ConfigError, ContractError
from inzage.schemas.json_face import read

Fields = dict[str, Any]

_SAMPLE: Fields = {
    "event_id": "sample",
    "event_type": "ProcessingEvent",
    "controller_id": "sample",
    "occurred_at": "2026-01-01T00:00:00Z",
    "subject": {"pseudonym": "sample"},
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Condition(_Part):
    """When a rule applies: all that is stated must hold."""

    event_type: str | None = None
    code: str | None = None
    purpose: str | None = None


class Rule(_Part):
    """Sets fields of the events it applies to."""

    when: Condition
    set: Fields


class KnownRecipient(_Part):
    """What is known about one receiving end."""

    recipient: Fields = Field(default_factory=dict)
    transfer: Fields | None = None


class FhirMapping(_Part):
    """The mapping file. `defaults` fill what is missing; `rules` set what they name, later ones last."""

    controller_id: str | None = None
    source_system: str | None = None
    defaults: Fields = Field(default_factory=dict)
    rules: list[Rule] = Field(default_factory=list)
    purposes: dict[str, str] = Field(default_factory=dict)
    organisations: dict[str, str] = Field(default_factory=dict)
    recipients: dict[str, KnownRecipient] = Field(default_factory=dict)

    def apply(self, event: Fields, codes: tuple[str, ...]) -> Fields:
        """`event` with what the file adds to it."""
        for rule in self.rules:
            if _holds(rule.when, event, codes):
                event = {**event, **rule.set}
        return {**self.defaults, **{name: value for name, value in event.items() if value not in (None, [], {})}}


def _holds(when: Condition, event: Fields, codes: tuple[str, ...]) -> bool:
    return (
        when.event_type in (None, event.get("event_type"))
        and when.purpose in (None, event.get("purpose"))
        and (when.code is None or when.code in codes)
    )


def read_mapping(path: Path) -> FhirMapping:
    """Read a mapping file; raises `ConfigError` naming what is wrong in it."""
    try:
        mapping = FhirMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path.name}: cannot be read as YAML", code="config.fhir-mapping") from error
    except ValidationError as error:
        wrong = "; ".join(".".join(map(str, found["loc"])) + f": {found['msg']}" for found in error.errors())
        raise ConfigError(f"{path.name}: {wrong}", code="config.fhir-mapping") from error
    _check(path.name, "defaults", mapping.defaults)
    for number, rule in enumerate(mapping.rules):
        _check(path.name, f"rules.{number}.set", rule.set)
    for name, known in mapping.recipients.items():
        stated = {"recipient": known.recipient, "transfer": known.transfer}
        _check(path.name, f"recipients.{name}", stated)
    for code, purpose in mapping.purposes.items():
        _check(path.name, f"purposes.{code}", {"purpose": purpose})
    return mapping


def _check(file: str, where: str, fields: Fields) -> None:
    try:
        read({"event": {**_SAMPLE, **fields}})
    except ContractError as error:
        raise ConfigError(f"{file}: {where}: {error}", code="config.fhir-mapping") from error
