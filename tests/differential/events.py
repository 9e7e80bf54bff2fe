"""Makes one event from a seed: most fields of one kind of case, some missing, some beside the point."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.differential.generator import (
    BASES,
    CATEGORIES,
    COUNTRIES,
    EMERGENCY_ITEMS,
    INSTRUMENTS,
    ITEMS,
    ORGS,
    PURPOSES,
    RECIPIENTS,
    SUBJECTS,
    Generator,
)


def event(of: Generator) -> dict[str, Any]:
    """An event about one of the persons, inclined towards what the entries look at.

    `occurred_at` is a timedelta where it counts from the arrival, which the stream sets.
    """
    of.number += 1
    made = {**_plain(of), "event_id": f"E-{of.number}", "controller_id": of.controller}
    lean = of.one(["employer", "emergency", "transfer", "authority", "collection", "decision", "plain", "look"])
    made |= _LEANS[lean](of) if lean in _LEANS else {}
    if of.chance(0.02):
        made["unrecognised"] = {"purpose": "curiosity"}
    if of.chance(0.02):
        made |= {"occurred_at": timedelta(hours=1, microseconds=of.one([0, 1])), "ended_at": None}
    return made


def _plain(of: Generator) -> dict[str, Any]:
    at = of.instant()
    return {
        "event_type": of.one(["DisclosureEvent", "AccessEvent", "ProcessingEvent", "DecisionEvent", "OTHER"]),
        "occurred_at": at,
        "ended_at": at + timedelta(hours=of.one([0, 1, 5])) if of.chance(0.2) else None,
        "action": of.one(["DISCLOSE", "READ", "COLLECT", "REQUEST", "EXPORT", "UNKNOWN"]),
        "actor": {
            "org_id": of.one(["ORG-OWN", "ORG-OWN", of.controller, "ORG-A", "ORG-NOBODY"], absent=0.1),
            "role": of.one(["HANDLER", "HANDLER", "OTHER"], absent=0.1),
            "department": of.one(["CLAIMS", "Marketing"], absent=0.5),
            "access_country": of.one(COUNTRIES, absent=0.1),
            "supplier_org_id": of.one(["ORG-A", "ORG-OWN"], absent=0.9),
        },
        "subject": {"pseudonym": of.one(SUBJECTS)},
        "data_categories": of.some(CATEGORIES[:6] if of.chance(0.7) else CATEGORIES, 3),
        "data_items": of.some([*ITEMS, "tenant:x"], 3),
        "special_category": of.one([True, False, False], absent=0.3),
        "data_state": of.one(["IDENTIFIED", "ANONYMISED", "PSEUDONYMISED", "UNKNOWN"], absent=0.1),
        "purpose": of.one(PURPOSES, absent=0.05),
        "legal_basis": of.one(BASES, absent=0.05),
        "special_basis": of.one(["ART9_HEALTH_CARE", "ART9_EXPLICIT_CONSENT", "UNKNOWN"], absent=0.3),
        "consent_ref": of.one(["R-1", "R-2", "R-9"], absent=0.5),
        "emergency_ref": of.one(["R-1", "R-2", "R-9"], absent=0.9),
        "recipient": _recipient(of) if of.chance(0.7) else None,
        "transfer": _transfer(of) if of.chance(0.25) else None,
        "campaign_id": of.one(["CAMP-1"], absent=0.97),
        "necessity_note": of.one(["NOTE-1"], absent=0.6),
        "claim_refs": of.some(["CLM-1", "CLM-2"], 2),
        "cell_sizes": of.one([[9], [10, 11], [10, 9]], absent=0.9),
        "request_ref": of.one(["R-1", "R-2"], absent=0.6),
        "legal_provision_ref": of.one(["LAW-1"], absent=0.4),
        "lia_ref": of.one(["R-1", "R-9"], absent=0.7),
        "reason_ref": of.one(["REASON-1"], absent=0.3),
        "international_agreement_ref": of.one(["R-1", "R-9"], absent=0.9),
        "notified_subject_at": of.later(0.3),
    }


def _recipient(of: Generator) -> dict[str, Any]:
    org = of.one(ORGS, absent=0.15)
    return {
        "org_id": org,
        "person": of.one(["SUB-1", "PERSON-1"], absent=0.9),
        "contact_role": of.one(["OTHER"], absent=0.95),
        "category": of.one(RECIPIENTS, absent=0.15),
        "role": of.one(["CONTROLLER", "PROCESSOR", "SUB_PROCESSOR", "JOINT_CONTROLLER", "UNKNOWN"], absent=0.2),
        "acts_for_employer_id": of.one(["ORG-EMPLOYER"], absent=0.95),
        "establishment_country": of.one(COUNTRIES, absent=0.1),
        "processing_country": of.one(COUNTRIES, absent=0.2),
        "processing_countries": of.some(COUNTRIES[:-1], 2) if of.chance(0.15) else [],
        "international_organisation": of.one(["EPO"], absent=0.97),
    }


def _transfer(of: Generator) -> dict[str, Any]:
    return {
        "destination_country": of.one(COUNTRIES, absent=0.3),
        "destination_organisation": of.one(["EPO"], absent=0.97),
        "instrument": of.one(INSTRUMENTS, absent=0.15),
        "instrument_ref": of.one(["R-1", "R-2"], absent=0.4),
        "risk_informed": of.one([True, False], absent=0.5),
        "subject_incapable": of.one([True, False], absent=0.5),
        "exporter_role": of.one(["CONTROLLER", "PROCESSOR", "SUB_PROCESSOR"], absent=0.6),
    }


def _to_employer(of: Generator) -> dict[str, Any]:
    category = of.one(["EMPLOYER", "EMPLOYER_AGENT"], absent=0.3)
    org = of.one(["ORG-EMPLOYER", "ORG-AGENT", "ORG-A"])
    recipient = {"org_id": org, "category": category, "establishment_country": "BE", "processing_country": "BE"}
    return {"recipient": recipient, "purpose": of.one(PURPOSES[:3], absent=0.05)}


def _emergency(of: Generator) -> dict[str, Any]:
    made = _to_employer(of) | {"purpose": of.one(["EMERGENCY_EVACUATION", "CLAIMS_HANDLING"])}
    items = of.some(EMERGENCY_ITEMS, 3) if of.chance(0.8) else of.some(ITEMS, 2)
    return made | {"data_items": items, "emergency_ref": of.one(["R-1", "R-2"], absent=0.05)}


def _abroad(of: Generator) -> dict[str, Any]:
    country = of.one(["US", "GB", "CA", "JP", "KR", "IN", "CH", "AR"])
    recipient = _recipient(of) | {"establishment_country": country, "processing_country": country}
    return {"recipient": recipient, "transfer": _transfer(of) | {"destination_country": country}}


def _authority(of: Generator) -> dict[str, Any]:
    recipient = _recipient(of) | {"category": of.one(["POLICE", "COURT", "GOVERNMENT_BODY", "SUPERVISOR"])}
    return {
        "recipient": recipient,
        "legal_basis": of.one(["LEGAL_OBLIGATION", "LEGITIMATE_INTERESTS"]),
        "disclosure_ground": of.one(["CRIME_PREVENTION", "LEGAL_OBLIGATION", "UNKNOWN"], absent=0.2),
        "approver": of.one([{"role": "LEGAL"}, {"role": "SALES"}, {}], absent=0.1),
    }


def _collection(of: Generator) -> dict[str, Any]:
    return {
        "event_type": "CollectionEvent",
        "action": of.one(["COLLECT", "REQUEST"]),
        "recipient": None,
        "application_ref": of.one(["R-1", "R-2"], absent=0.1),
        "art10_basis": of.one(["UAVG-33"], absent=0.5),
        "purpose": of.one(["UNDERWRITING", "APPLICATION_ASSESSMENT", "CLAIMS_HANDLING"], absent=0.1),
        "direction": of.one(["OUTBOUND", "INBOUND"]),
        "channel": of.one(["SOCIAL_MEDIA_PUBLIC", "SOCIAL_MEDIA_DM_UNSECURED", "PHONE"], absent=0.1),
    }


def _decision(of: Generator) -> dict[str, Any]:
    return {
        "event_type": "DecisionEvent",
        "decision_type": of.one(["ENROLMENT", "CLAIM", "PREMIUM", "UNKNOWN"], absent=0.1),
        "automation_level": of.one(["SOLELY_AUTOMATED", "ASSISTED", "UNKNOWN"], absent=0.1),
        "effect": of.one(["LEGAL_OR_SIGNIFICANT", "MINOR", "UNKNOWN"], absent=0.1),
        "human_reviewer_id": of.one(["ACT-2"], absent=0.5),
    }


def _look(of: Generator) -> dict[str, Any]:
    actor = {"org_id": of.one(["ORG-A", "ORG-EMPLOYER", "ORG-AGENT", "ORG-NOBODY"]), "role": "HANDLER"}
    return {"recipient": None, "actor": actor | {"access_country": of.one(COUNTRIES)}, "action": "READ"}


_LEANS = {
    "employer": _to_employer,
    "emergency": _emergency,
    "transfer": _abroad,
    "authority": _authority,
    "collection": _collection,
    "decision": _decision,
    "look": _look,
}
