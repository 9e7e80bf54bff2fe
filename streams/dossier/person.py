"""Derives a person's dossier from the facts said about them: consents, emergencies and the rest, as intervals.

A pure function from facts, oldest first, to rows. A later fact with the same reference corrects or ends the
earlier one; a fact that names another in `corrects` takes its place. Intervals are half-open, `from <= t < to`.
What began at an unknown time never holds; what ended at an unknown time ended when that was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from inzage.streams.dossier.kinds import ENDING, FAMILIES, OPENING, STARTS
from inzage.streams.dossier.record_rows import answered_only
from inzage.streams.dossier.rows import Row, Rows
from inzage.streams.dossier.time import FAR

_MAJORITY_YEARS = 18


def rows_of(facts: Iterable[Mapping[str, Any]]) -> Rows:
    """The rows that follow from decoded facts of one person, oldest first."""
    said = list(facts)
    replaced = {fact["corrects"] for fact in said if fact["corrects"]}
    dossier = _Dossier()
    for fact in said:
        if fact["fact_id"] not in replaced:
            dossier.take(fact)
    return dossier.rows()


def contradiction(fact: Mapping[str, Any], known: Mapping[tuple[str, str], Row]) -> str | None:
    """What a fact says against itself or against `known`, the rows by family and reference; None when nothing.

    Something cannot end before it began. A fact that corrects another by name is no contradiction.
    """
    name, body = fact["body"]
    kind = name.rpartition(".")[2]
    for begin, end in (("valid_from", "valid_to"), ("opened_at", "closed_at"), ("given_at", "expires_at")):
        if body.get(begin) and body.get(end) and body[end] < body[begin]:
            return f"{kind}: {end} is before {begin}"
    if kind in ENDING and not fact["corrects"]:
        family, reference_name, change = ENDING[kind]
        row = known.get((family, body[reference_name] or ""))
        start = row[STARTS[family]] if row is not None else FAR
        if start != FAR and any(end < start for end in change(body, fact["recorded_at"]).values()):
            return f"{kind}: ends what {reference_name} names before it began"
    return None


class _Dossier:
    """Takes one fact after the other; each family is keyed by the reference its facts share."""

    def __init__(self) -> None:
        self._families: dict[str, dict[str, Row]] = {family: {} for family in FAMILIES}
        self._ends: dict[tuple[str, str], list[tuple[Row, str]]] = {}
        self._assigned: dict[str, list[tuple[Row, str]]] = {}
        self._left: list[tuple[str, datetime, str]] = []

    def take(self, fact: Mapping[str, Any]) -> None:
        name, body = fact["body"]
        kind = name.rpartition(".")[2]
        if kind in OPENING:
            family, reference, make = OPENING[kind]
            self._open(family, reference(body) or fact["fact_id"], make(body), fact)
        elif kind in ENDING:
            family, reference_name, change = ENDING[kind]
            self._end(family, body[reference_name] or "", change(body, fact["recorded_at"]), fact)
        elif kind == "CaseAssigned":
            assigned = {"actor": body["actor_id"] or "", "at": body["assigned_at"] or fact["recorded_at"]}
            self._assigned.setdefault(body["case_ref"] or "", []).append((assigned, fact["fact_id"]))

        elif kind == "EnrolmentEnded":
            end = body["valid_to"] or fact["recorded_at"]
            self._left.append((body["service_ref"] or "", end, fact["fact_id"]))

    def rows(self) -> Rows:
        for service, end, fact_id in self._left:
            for enrolment in self._families["enrolments"].values():
                if enrolment["service"] == service and enrolment["from"] < end < enrolment["to"]:
                    enrolment |= {"to": end, "fact_ids": (*enrolment["fact_ids"], fact_id)}
        rows = {family: list(of.values()) for family, of in self._families.items()}
        for consent in rows["consents"]:
            consent["rightful"] = self._may_consent(consent.pop("given_by"), consent["subject"], consent["given_at"])
            del consent["subject"]
        for case in rows["cases"]:
            for assigned, fact_id in self._assigned.get(case["ref"], ()):
                case["assigned"].append(assigned)
                case["fact_ids"] = (*case["fact_ids"], fact_id)
        return rows

    def _open(self, family: str, key: str, row: Row, fact: Mapping[str, Any]) -> None:
        """What began. An end that was said already, even before this was, still holds if it comes after."""
        before = self._families[family].get(key, {}).get("fact_ids", ())
        row["fact_ids"] = (*before, fact["fact_id"])
        if family == "consents":
            row["subject"] = fact["subject"]
        for change, fact_id in self._ends.get((family, key), ()):
            if all(end > row[STARTS[family]] for end in change.values()):
                row |= change
                row["fact_ids"] = (*row["fact_ids"], fact_id) if fact_id not in row["fact_ids"] else row["fact_ids"]
        self._families[family][key] = row

    def _end(self, family: str, key: str, change: Row, fact: Mapping[str, Any]) -> None:
        if change:
            self._ends.setdefault((family, key), []).append((change, fact["fact_id"]))
        row = self._families[family].get(key)
        if row is None and family == "requests" and key:
            row = self._families[family][key] = {**answered_only(key), "fact_ids": ()}
        if row is not None:
            row |= change
            row["fact_ids"] = (*row["fact_ids"], fact["fact_id"])

    def _may_consent(self, giver: str | None, subject: str, at: datetime) -> bool:
        """The person, or somebody with a mandate at the time; parents until majority (GDPR 4(11), 8)."""
        if giver is None or giver == subject:
            return True
        return any(
            mandate["representative"] == giver
            and mandate["from"] <= at < mandate["to"]
            and not (mandate["parental"] and self._is_adult(at))
            for mandate in self._families["mandates"].values()
        )

    def _is_adult(self, at: datetime) -> bool:
        person = self._families["person"].get("person")
        if person is None or person["born"] is None:
            return False
        born = date.fromisoformat(person["born"])
        return (at.year - born.year) - ((at.month, at.day) < (born.month, born.day)) >= _MAJORITY_YEARS
