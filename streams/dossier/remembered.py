"""Says which activities a dossier remembers, as the facts they amount to: requests, erasures, questions, entries.

A request that was received, or data that were erased, may be said as an activity or as a fact; either way later
events are judged by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inzage.schemas.vocabulary import symbols

Activity = Mapping[str, Any]
Body = dict[str, Any]

_UNSECURED = frozenset({"SOCIAL_MEDIA_PUBLIC", "SOCIAL_MEDIA_DM_UNSECURED"})
_SPECIAL = frozenset(
    {
        *("HEALTH_PHYSICAL", "HEALTH_MENTAL", "HEALTH_HISTORY", "MEDICAL_REPORT", "INJURY", "GENETIC", "BIOMETRIC"),
        *("ETHNIC_ORIGIN", "POLITICAL_OPINION", "RELIGION", "TRADE_UNION", "SEX_LIFE"),
    }
)


def remembered(activity: Activity) -> dict[str, Any] | None:
    """The fact that a decoded activity amounts to; None when dossiers do not remember its kind."""
    amounts_to = _AMOUNTS_TO.get(activity["event_type"])
    if amounts_to is None or activity["outcome"] in ("DENIED", "FAILED"):
        return None
    kind, body = amounts_to
    return {
        "fact_id": activity["event_id"],
        "corrects": activity["corrects"],
        "recorded_at": activity["recorded_at"],
        "subject": activity["subject"]["pseudonym"],
        "body": (f"inzage.v1.{kind}", body(activity)),
    }


def _request(activity: Activity) -> Body:
    asked = "ERASURE" if activity["event_type"] == "ErasureRequested" else activity["request_type"]
    return {
        "request_ref": activity["request_ref"] or activity["event_id"],
        "request_type": asked,
        "received_at": activity["occurred_at"],
        "identity_verified": activity["identity_verified"],
        "channel": activity["channel"],
        "destination_org_id": (activity["recipient"] or {}).get("org_id"),
    }


def _answer(when: str) -> Callable[[Activity], Body]:
    return lambda activity: {"request_ref": activity["request_ref"], when: activity["occurred_at"]}


def _erasure(activity: Activity) -> Body:
    record = activity["record"] or {}
    return {"record_id": record.get("record_id"), "erased_at": activity["occurred_at"]}


def _entry(activity: Activity) -> Body:
    return {
        "entry_ref": activity["entry_ref"],
        "register": activity["register"],
        "entered_at": activity["entered_at"] or activity["occurred_at"],
        "expires_at": activity["expires_at"],
    }


def _breach_step(activity: Activity) -> Body:
    reasoned = bool(activity["reason_codes"]) or activity["reason_ref"] is not None
    return {"violation_ref": activity["violation_ref"], "at": activity["occurred_at"], "reasoned": reasoned}


def _enquiry(activity: Activity) -> Body:
    return {
        "enquiry_ref": activity["event_id"],
        "asked_at": activity["occurred_at"],
        "unsecured": activity["channel"] in _UNSECURED and activity["direction"] != "OUTBOUND",
        "special": bool(activity["special_category"]) or not _SPECIAL.isdisjoint(activity["data_categories"]),
    }


_AMOUNTS_TO: dict[str, tuple[str, Callable[[Activity], Body]]] = {
    "RightsRequestReceived": ("RightsRequestReceived", _request),
    "ErasureRequested": ("RightsRequestReceived", _request),
    "RightsRequestExtended": ("RightsRequestExtended", _answer("extended_at")),
    "RightsRequestFulfilled": ("RightsRequestFulfilled", _answer("fulfilled_at")),
    "RightsRequestRefused": ("RightsRequestRefused", _answer("refused_at")),
    "SubjectInformed": ("SubjectInformed", _answer("informed_at")),
    "DataErased": ("DataErased", _erasure),
    "RegisterEntryEvent": ("RegisterEntryRecorded", _entry),
    "EnquiryRegistered": ("EnquiryRegistered", _enquiry),
    "BreachRecorded": ("BreachDecided", _breach_step),
    "AuthorityNotified": ("AuthorityTold", _breach_step),
}
"""Event type -> kind of fact, and what makes its body."""

EVENT_TYPES = tuple(_AMOUNTS_TO)
"""The event types that dossiers remember."""

_TYPES = tuple(symbols("EventType"))
KINDS_ON_THE_WIRE = frozenset(bytes([_TYPES.index(kind) * 2]) for kind in _AMOUNTS_TO)
"""The event types as Avro writes them, one byte each: the second field of an activity, after the event id."""

LONGEST_PLAIN_ID = 127
"""A first byte above this means that the length of the event id takes more than one byte."""


def may_be_remembered(datum: bytes) -> bool:
    """Whether the event type of an encoded activity, of the current schema, is one of those, without decoding it."""
    if not datum or datum[0] > LONGEST_PLAIN_ID:
        return True
    place = 1 + (datum[0] >> 1)
    return datum[place : place + 1] in KINDS_ON_THE_WIRE
