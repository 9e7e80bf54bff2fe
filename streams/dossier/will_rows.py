"""Makes rows of what a person allowed, refused or had done by others: consents, objections, mandates, restrictions.

A limit that is not stated is none. What began at an unknown time never holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inzage.streams.dossier.rows import Row, limit
from inzage.streams.dossier.time import FAR, since, until


def consent(body: Mapping[str, Any]) -> Row:
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


def withdrawn(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"withdrawn_at": body["withdrawn_at"] or recorded_at}


def objection(body: Mapping[str, Any]) -> Row:
    purposes, any_purpose = limit(body["purposes"])
    return {
        "ref": body["objection_ref"],
        "purposes": purposes,
        "any_purpose": any_purpose,
        "from": until(body["effective_at"] or body["raised_at"]),
        "to": FAR,
        "withdrawn_at": FAR,
    }


def objection_end(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    """An objection that was dismissed, rejected or withdrawn ends; one that was upheld goes on, as where nobody says.

    Against marketing only the person ends it: there is nothing to balance, GDPR 21(3).
    """
    end = body["resolved_at"] or recorded_at
    if body["outcome"] == "WITHDRAWN":
        return {"to": end, "withdrawn_at": end}
    return {"to": end} if body["outcome"] in ("DISMISSED", "REJECTED") else {}


def mandate(body: Mapping[str, Any]) -> Row:
    categories, any_category = limit(body["scope_data_categories"])
    return {
        "ref": body["mandate_ref"] or "",
        "representative": body["representative"] or "",
        "parental": body["mandate_type"] == "PARENTAL",
        "formal": body["formal"] is True,
        "categories": categories,
        "any_category": any_category,
        "from": since(body["valid_from"]),
        "to": until(body["valid_to"]),
    }


def revoked(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"to": body["revoked_at"] or recorded_at}


def restriction(body: Mapping[str, Any]) -> Row:
    return {
        "ref": body["restriction_ref"] or "",
        "scope": body["scope"] or "",
        "from": until(body["set_at"]),
        "to": FAR,
    }


def lifted(body: Mapping[str, Any], recorded_at: datetime) -> Row:
    return {"to": body["lifted_at"] or recorded_at}
