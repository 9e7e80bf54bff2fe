"""Makes rows of a person's relations: enrolments, products, applications, cases, emergencies, links to staff.

Intervals are half-open. What began at an unknown time never holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from inzage.streams.dossier.rows import Row
from inzage.streams.dossier.time import FAR, after, since, until

_CERTIFIERS = frozenset({"PHYSICIAN", "MEDICAL_ADVISER"})  # CIGNA-57


def enrolment(body: Mapping[str, Any]) -> Row:
    return {
        "employer_id": body["employer_id"] or "",
        "plan": body["plan"] or "",
        "country_of_work": body["country_of_work"] or "",
        "service": body["service_ref"] or "",
        "policyholder": body["policyholder"] or "",
        "role_linked": body["role_linked_eligibility"],
        "from": since(body["valid_from"]),
        "to": until(body["valid_to"]),
    }


def application(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["application_ref"],
        "product": body["product"] or "",
        "partner": body["partner_org_id"] or "",
        "initiated_by": body["initiated_by"] or "",
        "opened_at": until(body["opened_at"]),
        "closed_at": FAR,
    }


def fraud_case(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["case_ref"],
        "opened_at": until(body["opened_at"]),
        "closed_at": until(body["closed_at"]),
        "documented": body["suspicion_documented"] is True,
        "claims": list(body["claim_refs"]),
    }


def authority_request(body: Mapping[str, Any]) -> Row:
    return {"ref": body["request_ref"], "items": list(body["scope_data_items"])}


def emergency(body: Mapping[str, Any]) -> Row:
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
        "country": body["location_country"] or "",
    }


def closed(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"closed_at": body["closed_at"] or recorded_at}


def case(body: Mapping[str, Any]) -> Row:
    """A case with who works on it; an assignment without a time counts from the opening."""
    opened_at = until(body["opened_at"])
    return {
        "ref": body["case_ref"] or "",
        "type": stated(body["case_type"]),
        "opened_at": opened_at,
        "closed_at": until(body["closed_at"]),
        "assigned": [{"actor": actor, "at": opened_at} for actor in body["assigned_actor_ids"]],
        "providers": list(body["provider_org_ids"]),
    }


def product(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["product_ref"] or "",
        "product": body["product"] or "",
        "from": since(body["valid_from"]),
        "to": until(body["valid_to"]),
    }


def staff_link(body: Mapping[str, Any]) -> Row:
    return {"actor": body["actor_id"] or "", "link": stated(body["link"])}


def registered_person(body: Mapping[str, Any]) -> Row:
    born = body["birth_date"]
    return {
        "born": born.isoformat() if born else None,
        "country": body["residence_country"] or body["home_country"] or "",
        "home": body["home_country"] or "",
        "vip": body["vip"] is True,
    }


def termination(body: Mapping[str, Any]) -> Row:
    """The end of cover, and of its run-off; that of a run-off which is neither a period nor a time is not known."""
    ended = until(body["terminated_at"])
    run_off = body["run_off"]
    return {
        "ref": body["service_ref"] or "",
        "at": ended,
        "run_off_until": after(ended, run_off) or _instant(run_off) if run_off else ended,
    }


def _instant(text: str) -> datetime | None:
    """A time with a zone; None for anything else."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None


def stated(symbol: str | None) -> str:
    """A term as the engine has it: empty when it is not stated, or not known."""
    return "" if symbol in (None, "UNKNOWN") else str(symbol)
