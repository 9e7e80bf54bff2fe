"""Says which kind of fact begins, changes or ends a row of which family of the dossier, and by which reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from inzage.streams.dossier import record_rows, relation_rows, will_rows
from inzage.streams.dossier.rows import Row

Body = Mapping[str, Any]
Reference = Callable[[Body], str | None]
Make = Callable[[Body], Row]
Change = Callable[[Body, datetime], Row]


def _by(name: str) -> Reference:
    return lambda body: body[name]


OPENING: dict[str, tuple[str, Reference, Make]] = {
    "ConsentGiven": ("consents", _by("consent_ref"), will_rows.consent),
    "ObjectionRaised": ("objections", _by("objection_ref"), will_rows.objection),
    "MandateGranted": ("mandates", _by("mandate_ref"), will_rows.mandate),
    "RestrictionSet": ("restrictions", _by("restriction_ref"), will_rows.restriction),
    "EmergencyOpened": ("emergencies", _by("emergency_ref"), relation_rows.emergency),
    "EnrolmentRecorded": (
        "enrolments",
        lambda body: f"{body['employer_id']}|{body['plan']}|{body['service_ref']}|{body['relation']}",
        relation_rows.enrolment,
    ),
    "CoverTerminated": ("terminations", _by("service_ref"), relation_rows.termination),
    "ProductContracted": ("products", _by("product_ref"), relation_rows.product),
    "ApplicationOpened": ("applications", _by("application_ref"), relation_rows.application),
    "CaseOpened": ("cases", _by("case_ref"), relation_rows.case),
    "FraudCaseOpened": ("fraud_cases", _by("case_ref"), relation_rows.fraud_case),
    "AuthorityRequestReceived": ("authority_requests", _by("request_ref"), relation_rows.authority_request),
    "StaffSubjectLink": (
        "staff_links",
        lambda body: f"{body['actor_id']}|{body['link']}",
        relation_rows.staff_link,
    ),
    "SubjectRegistered": ("person", lambda body: "person", relation_rows.registered_person),
    "RecordRegistered": ("records", _by("record_id"), record_rows.kept_record),
    "DataErased": ("erasures", _by("record_id"), record_rows.erasure),
    "LegalHoldPlaced": ("holds", _by("hold_ref"), record_rows.hold),
    "RightsRequestReceived": ("requests", _by("request_ref"), record_rows.request),
    "RegisterEntryRecorded": ("register_entries", _by("entry_ref"), record_rows.register_entry),
    "EnquiryRegistered": ("enquiries", _by("enquiry_ref"), record_rows.enquiry),
    "RecipientToBeTold": (
        "recipients_to_be_told",
        lambda body: f"{body['request_ref']}|{body['org_id']}|{body['change']}",
        record_rows.recipient_to_be_told,
    ),
    "RecipientNotified": (
        "recipients_told",
        lambda body: f"{body['request_ref']}|{body['org_id']}|{body['notified_at']}",
        record_rows.recipient_told,
    ),
    "NoticeDelivered": (
        "notices",
        lambda body: f"{body['notice_version']}|{body['delivered_at']}",
        record_rows.notice,
    ),
    "BreachDecided": ("breach_steps", lambda body: f"{body['violation_ref']}|decided", record_rows.breach_recorded),
    "AuthorityTold": ("breach_steps", lambda body: f"{body['violation_ref']}|told", record_rows.authority_told),
}
"""Kind of fact -> family, what its reference is, and the row it makes."""

ENDING: dict[str, tuple[str, str, Change]] = {
    "ConsentWithdrawn": ("consents", "consent_ref", will_rows.withdrawn),
    "ObjectionResolved": ("objections", "objection_ref", will_rows.objection_end),
    "MandateRevoked": ("mandates", "mandate_ref", will_rows.revoked),
    "RestrictionLifted": ("restrictions", "restriction_ref", will_rows.lifted),
    "EmergencyClosed": ("emergencies", "emergency_ref", relation_rows.closed),
    "FraudCaseClosed": ("fraud_cases", "case_ref", relation_rows.closed),
    "CaseClosed": ("cases", "case_ref", relation_rows.closed),
    "ApplicationClosed": ("applications", "application_ref", relation_rows.closed),
    "LegalHoldReleased": ("holds", "hold_ref", record_rows.released),
    "LegalHoldReviewed": ("holds", "hold_ref", record_rows.reviewed),
    "RightsRequestExtended": ("requests", "request_ref", record_rows.extended),
    "RightsRequestFulfilled": ("requests", "request_ref", record_rows.fulfilled),
    "RightsRequestRefused": ("requests", "request_ref", record_rows.refused),
    "SubjectInformed": ("requests", "request_ref", record_rows.informed),
}
"""Kind of fact -> family, the name of the reference, and what changes in the row."""

STARTS = {
    "consents": "given_at",
    "objections": "from",
    "mandates": "from",
    "restrictions": "from",
    "emergencies": "opened_at",
    "fraud_cases": "opened_at",
    "cases": "opened_at",
    "applications": "opened_at",
    "holds": "from",
    "requests": "received_at",
}
"""Column in which a row of a family that can end begins."""

FAMILIES = tuple(dict.fromkeys(family for family, _, _ in OPENING.values()))

NAMED_BY = {
    "records": ("ref", "record.record_id"),
    "erasures": ("ref", "record.record_id"),
    "holds": ("record", "record.record_id"),
    "cases": ("ref", "case_ref"),
    "products": ("ref", "product_ref"),
    "staff_links": ("actor", "actor.id"),
}
"""Families of which an event that names one concerns that row alone: the row's column, and the event's."""


def kinds_of(families: Collection[str]) -> frozenset[str]:
    """The kinds of facts without any of which nobody has a row in one of `families`."""
    opening = {kind for kind, (family, _, _) in OPENING.items() if family in families}
    return frozenset(opening | {kind for kind, (family, _, _) in ENDING.items() if family in families})
