"""Derives a person's dossier from the facts said about them: consents, emergencies and the rest, as intervals.

A pure function from facts, oldest first, to rows. A later fact with the same reference corrects or ends the
earlier one; a fact that names another in `corrects` takes its place. Intervals are half-open, `from <= t < to`.
What began at an unknown time never holds; what ended at an unknown time ended when that was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from inzage.streams.dossier.time import FAR, since, until

FAMILIES = (
    "consents",
    "emergencies",
    "enrolments",
    "fraud_cases",
    "applications",
    "objections",
    "authority_requests",
)

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Family -> rows. `fact_ids` of a row are the statements it was made from; all else are columns of state.sql."""

_MAJORITY_YEARS = 18
_CERTIFIERS = frozenset({"PHYSICIAN", "MEDICAL_ADVISER"})  # CIGNA-57


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
    if kind in _ENDING and not fact["corrects"]:
        family, reference_name, change = _ENDING[kind]
        row = known.get((family, body[reference_name] or ""))
        if row is not None and any(end < row[_STARTS[family]] for end in change(body, fact["recorded_at"]).values()):
            return f"{kind}: ends what {reference_name} names before it began"
    return None


class _Dossier:
    """Takes one fact after the other; each family is keyed by the reference its facts share."""

    def __init__(self) -> None:
        self._families: dict[str, dict[str, Row]] = {family: {} for family in FAMILIES}
        self._ends: dict[tuple[str, str], list[tuple[Row, str]]] = {}
        self._mandates: dict[str, Row] = {}
        self._birth_date: date | None = None

    def take(self, fact: Mapping[str, Any]) -> None:
        name, body = fact["body"]
        kind = name.rpartition(".")[2]
        if kind in _OPENING:
            family, reference, make = _OPENING[kind]
            self._open(family, reference(body) or fact["fact_id"], make(body), fact)
        elif kind in _ENDING:
            family, reference_name, change = _ENDING[kind]
            self._end(family, body[reference_name] or "", change(body, fact["recorded_at"]), fact)
        elif kind == "MandateGranted":
            self._mandates[body["mandate_ref"] or fact["fact_id"]] = {
                "representative": body["representative"],
                "parental": body["mandate_type"] == "PARENTAL",
                "from": since(body["valid_from"]),
                "to": until(body["valid_to"]),
            }
        elif kind == "MandateRevoked" and body["mandate_ref"] in self._mandates:
            self._mandates[body["mandate_ref"]]["to"] = body["revoked_at"] or fact["recorded_at"]
        elif kind == "SubjectRegistered":
            self._birth_date = body["birth_date"]

    def rows(self) -> Rows:
        rows = {family: list(of.values()) for family, of in self._families.items()}
        for consent in rows["consents"]:
            consent["rightful"] = self._may_consent(consent.pop("given_by"), consent["subject"], consent["given_at"])
            del consent["subject"]
        return rows

    def _open(self, family: str, key: str, row: Row, fact: Mapping[str, Any]) -> None:
        """What began. An end that was said already, even before this was, still holds if it comes after."""
        before = self._families[family].get(key, {}).get("fact_ids", ())
        row["fact_ids"] = (*before, fact["fact_id"])
        if family == "consents":
            row["subject"] = fact["subject"]
        for change, fact_id in self._ends.get((family, key), ()):
            if all(end > row[_STARTS[family]] for end in change.values()):
                row |= change
                row["fact_ids"] = (*row["fact_ids"], fact_id) if fact_id not in row["fact_ids"] else row["fact_ids"]
        self._families[family][key] = row

    def _end(self, family: str, key: str, change: Row, fact: Mapping[str, Any]) -> None:
        if change:
            self._ends.setdefault((family, key), []).append((change, fact["fact_id"]))
        row = self._families[family].get(key)
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
            for mandate in self._mandates.values()
        )

    def _is_adult(self, at: datetime) -> bool:
        born = self._birth_date
        if born is None:
            return False
        return (at.year - born.year) - ((at.month, at.day) < (born.month, born.day)) >= _MAJORITY_YEARS


def limit(values: list[str] | None) -> tuple[list[str], bool]:
    """A scope as (members, unlimited): null is no limit; what nobody recognised covers nothing."""
    return [value for value in values or () if value not in ("OTHER", "UNKNOWN")], values is None


def _consent(body: Mapping[str, Any]) -> Row:
    scope = body["scope"] or {}
    recipients, any_recipient = limit(scope.get("recipient_org_ids"))
    categories, any_category = limit(scope.get("data_categories"))
    purposes, any_purpose = limit(scope.get("purposes"))
    return {
        "ref": body["consent_ref"],
        "explicit": bool(body["explicit"]),
        "given_by": body["given_by"],
        "given_at": until(body["given_at"]),
        "withdrawn_at": FAR,
        "expires_at": until(body["expires_at"]),
        "recipients": recipients,
        "any_recipient": any_recipient,
        "categories": categories,
        "any_category": any_category,
        "purposes": purposes,
        "any_purpose": any_purpose,
        "countries": list(scope.get("countries") or ()),
        "any_country": False,
        "risk_informed": bool(scope.get("risk_informed")),
    }


def _emergency(body: Mapping[str, Any]) -> Row:
    certification = body["clinical_certification"] or {}
    criteria = ("immediate_effect", "serious_deterioration_if_untreated", "life_threat")
    met = all(certification.get(criterion) is True for criterion in criteria)
    return {
        "ref": body["emergency_ref"],
        "type": body["emergency_type"] or "UNKNOWN",
        "opened_at": until(body["opened_at"]),
        "closed_at": FAR,
        "certified": met and certification.get("certifier_role") in _CERTIFIERS,
        "certified_at": until(certification.get("certified_at")),
        "incapable": body["subject_incapable"],
    }


def _enrolment(body: Mapping[str, Any]) -> Row:
    return {
        "employer_id": body["employer_id"] or "",
        "plan": body["plan"] or "",
        "country_of_work": body["country_of_work"] or "",
        "from": since(body["valid_from"]),
        "to": until(body["valid_to"]),
    }


def _fraud_case(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["case_ref"],
        "opened_at": until(body["opened_at"]),
        "closed_at": until(body["closed_at"]),
        "documented": body["suspicion_documented"] is True,
        "claims": list(body["claim_refs"]),
    }


def _application(body: Mapping[str, Any]) -> Row:
    return {"ref": body["application_ref"], "opened_at": until(body["opened_at"]), "closed_at": FAR}


def _objection(body: Mapping[str, Any]) -> Row:
    purposes, any_purpose = limit(body["purposes"])
    return {
        "ref": body["objection_ref"],
        "purposes": purposes,
        "any_purpose": any_purpose,
        "from": until(body["effective_at"] or body["raised_at"]),
        "to": FAR,
    }


def _authority_request(body: Mapping[str, Any]) -> Row:
    return {"ref": body["request_ref"], "items": list(body["scope_data_items"])}


def _objection_end(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    """An objection that was upheld goes on; one that was dismissed or withdrawn ends."""
    return {} if body["outcome"] == "UPHELD" else {"to": body["resolved_at"] or recorded_at}


def _closed(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"closed_at": body["closed_at"] or recorded_at}


def _withdrawn(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"withdrawn_at": body["withdrawn_at"] or recorded_at}


_Reference = Callable[[Mapping[str, Any]], str | None]
_Make = Callable[[Mapping[str, Any]], Row]
_Change = Callable[[Mapping[str, Any], datetime], Row]

_OPENING: dict[str, tuple[str, _Reference, _Make]] = {
    "ConsentGiven": ("consents", lambda body: body["consent_ref"], _consent),
    "EmergencyOpened": ("emergencies", lambda body: body["emergency_ref"], _emergency),
    "EnrolmentRecorded": (
        "enrolments",
        lambda body: f"{body['employer_id']}|{body['plan']}|{body['service_ref']}|{body['relation']}",
        _enrolment,
    ),
    "FraudCaseOpened": ("fraud_cases", lambda body: body["case_ref"], _fraud_case),
    "ApplicationOpened": ("applications", lambda body: body["application_ref"], _application),
    "ObjectionRaised": ("objections", lambda body: body["objection_ref"], _objection),
    "AuthorityRequestReceived": ("authority_requests", lambda body: body["request_ref"], _authority_request),
}
_ENDING: dict[str, tuple[str, str, _Change]] = {
    "ConsentWithdrawn": ("consents", "consent_ref", _withdrawn),
    "EmergencyClosed": ("emergencies", "emergency_ref", _closed),
    "FraudCaseClosed": ("fraud_cases", "case_ref", _closed),
    "ApplicationClosed": ("applications", "application_ref", _closed),
    "ObjectionResolved": ("objections", "objection_ref", _objection_end),
}
_STARTS = {
    "consents": "given_at",
    "emergencies": "opened_at",
    "fraud_cases": "opened_at",
    "applications": "opened_at",
    "objections": "from",
}
