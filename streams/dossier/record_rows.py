"""Makes rows of records kept about a person: until when, under which hold, erased when, and requests about them.

Intervals are half-open. A day without a time ends at the midnight that follows it, in Brussels.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from inzage.streams.dossier.law import midnight
from inzage.streams.dossier.relation_rows import stated
from inzage.streams.dossier.rows import Row
from inzage.streams.dossier.time import FAR, until


def kept_record(body: Mapping[str, Any]) -> Row:
    """A record with the instant until which it may be kept; null when that is not stated, or not as a time."""
    return {
        "ref": body["record_id"] or "",
        "category": stated(body["data_category"]),
        "rule": body["retention_rule_id"] or "",
        "until": _instant(body["retention_until"]),
        "by_day": len(body["retention_until"] or "") == len("2026-03-10"),
        "state": stated(body["state"]),
    }


def _instant(text: str | None) -> datetime | None:
    try:
        if text is not None and len(text) == len("2026-03-10"):
            return midnight(date.fromisoformat(text) + timedelta(days=1))
        instant = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None


def erasure(body: Mapping[str, Any]) -> Row:
    return {"ref": body["record_id"] or "", "erased_at": until(body["erased_at"])}


def hold(body: Mapping[str, Any]) -> Row:
    """A hold on one record, or on all when it names none. `type` is what it is for: complaint, claim, proceedings."""
    return {
        "ref": body["hold_ref"] or "",
        "record": body["record_id"] or "",
        "matter": body["matter_ref"] or "",
        "type": (body["matter_type"] or stated(body["ground"])).upper(),
        "from": until(body["placed_at"]),
        "to": FAR,
        "review_at": until(body["review_at"]),
        "reviewed_at": FAR,
    }


def released(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"to": body["released_at"] or recorded_at}


def reviewed(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"reviewed_at": body["reviewed_at"] or recorded_at}


def request(body: Mapping[str, Any]) -> Row:
    """A request under chapter III of the GDPR; what was done about it has the far future until it is done."""
    return {
        "ref": body["request_ref"] or "",
        "type": stated(body["request_type"]),
        "channel": body.get("channel") or "",
        "destination": body.get("destination_org_id") or "",
        "verified": body["identity_verified"],
        "received_at": until(body["received_at"]),
        "extended_at": FAR,
        "fulfilled_at": FAR,
        "refused_at": FAR,
        "informed_at": FAR,
    }


def extended(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    """An extension counts only if the person was told of it, GDPR 12(3)."""
    return {} if body.get("notified") is False else {"extended_at": body["extended_at"] or recorded_at}


def fulfilled(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"fulfilled_at": body["fulfilled_at"] or recorded_at}


def refused(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"refused_at": body["refused_at"] or recorded_at}


def informed(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"informed_at": body["informed_at"] or recorded_at}


def answered_only(request_ref: str) -> Row:
    """A request of which only what was done about it is known."""
    return request({"request_ref": request_ref, "request_type": None, "received_at": None, "identity_verified": None})


def recipient_to_be_told(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["request_ref"] or "",
        "org": body["org_id"] or "",
        "change": stated(body["change"]),
        "owed_from": until(body["owed_from"]),
        "disproportionate": body["disproportionate"] is True,
    }


def recipient_told(body: Mapping[str, Any]) -> Row:
    return {"ref": body["request_ref"] or "", "org": body["org_id"] or "", "told_at": until(body["notified_at"])}


def register_entry(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["entry_ref"] or "",
        "register": body["register"] or "",
        "entered_at": until(body["entered_at"]),
        "expires_at": until(body["expires_at"]),
    }


def notice(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["notice_version"] or "",
        "delivered_at": until(body["delivered_at"]),
        "sources": list(body["sources"]),
    }


def enquiry(body: Mapping[str, Any]) -> Row:
    """A question that somebody asked: whether over unsecured social media, and whether it told special data."""
    return {
        "ref": body["enquiry_ref"] or "",
        "asked_at": until(body["asked_at"]),
        "unsecured": body["unsecured"],
        "special": body["special"],
    }


def breach_recorded(body: Mapping[str, Any]) -> Row:
    """A decision about what a confirmed violation led to, as an activity says it."""
    return {"ref": body["violation_ref"] or "", "told": False, "at": until(body["at"]), "reasoned": False}


def authority_told(body: Mapping[str, Any]) -> Row:
    """The authority was told of it, with reasons where it was late."""
    return {"ref": body["violation_ref"] or "", "told": True, "at": until(body["at"]), "reasoned": body["reasoned"]}
