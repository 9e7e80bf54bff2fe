"""Keeps the law as data: memberships of EU and EEA, adequacy decisions with their scope and dates.

`law.yaml` is the starting point; facts (`AdequacyDecisionRegistered`, `AdequacyDecisionEnded`) change it. Days in
the file begin at midnight in Brussels; an end is exclusive. Sources stand in the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from inzage.streams.dossier.time import since, until

_BRUSSELS = ZoneInfo("Europe/Brussels")


@dataclass(frozen=True, slots=True)
class Decision:
    """An adequacy decision, GDPR 45. `scope` is empty when it covers the whole country, else a code of the view."""

    country: str
    ref: str
    scope: str
    valid_from: datetime
    valid_to: datetime

    def named(self, ref: str | None) -> bool:
        """Whether `ref` names this decision; the number counts, not how it is written."""
        return ref is not None and (ref == self.ref or _number(ref) == _number(self.ref))


@dataclass(frozen=True, slots=True)
class Law:
    """Memberships and decisions as shipped."""

    eu: tuple[str, ...]
    eea: tuple[str, ...]
    eu_left_gb: datetime
    gdpr_left_gb: datetime
    decisions: tuple[Decision, ...]


def _number(ref: str) -> str:
    found = re.search(r"\d{4}/\d+|\d+/\d{4}", ref)
    return found.group() if found else ref.casefold()


def midnight(day: date | None) -> datetime | None:
    """The start of a day in Brussels, in UTC."""
    return None if day is None else datetime.combine(day, time(), _BRUSSELS).astimezone(UTC)


@cache
def law() -> Law:
    """The law as shipped."""
    source: dict[str, Any] = yaml.safe_load(
        files("inzage.streams.dossier").joinpath("law.yaml").read_text(encoding="utf-8")
    )
    decisions = tuple(
        Decision(
            entry["country"],
            entry["decision"],
            entry.get("scope", ""),
            since(midnight(entry["from"])),
            until(midnight(entry.get("to"))),
        )
        for entry in source["adequacy"]
    )
    eu = tuple(source["eu"].split())
    return Law(
        eu=eu,
        eea=(*eu, *source["eea_besides_eu"].split()),
        eu_left_gb=since(midnight(source["gb"]["left_eu"])),
        gdpr_left_gb=since(midnight(source["gb"]["gdpr_ceased"])),
        decisions=decisions,
    )


def scope_code(predicate: str | None) -> str:
    """The scope code for the words of a fact; words nobody knows make the scope unknown, never full."""
    if not predicate:
        return ""
    words = predicate.casefold()
    known = {
        "pipeda": "PIPEDA",
        "dpf": "DPF",
        "appi": "APPI",
        "pipa": "PIPA",
        "uk_immigration": "NOT_UK_IMMIGRATION",
        "privacy_shield": "PRIVACY_SHIELD",
    }
    return next((code for word, code in known.items() if word in words), "UNKNOWN")
