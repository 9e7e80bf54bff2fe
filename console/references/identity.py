"""Says which statements are about the same thing: by kind of reference fact, the fields that name it.

A later statement about the same thing changes it. An interval that begins at another time is another thing where the
same may hold twice, as with a role's entry in the matrix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from inzage.schemas.codec import current

Body = Mapping[str, Any]

BEGINS = ("valid_from", "opened_at", "employment_from", "approved_at")
ENDS = ("valid_to", "closed_at", "employment_to")


@dataclass(frozen=True, slots=True)
class Named:
    """What names a thing: fields that must be stated, and those that may be absent."""

    by: tuple[str, ...]
    besides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """What an ending kind ends: statements of `kind` that agree in `shared`, as far as it is stated, at `at`."""

    kind: str
    shared: tuple[str, ...]
    at: str


IDENTITIES: Mapping[str, Named] = {
    "AdequacyDecisionEnded": Named(("country",), ("decision_ref",)),
    "AdequacyDecisionRegistered": Named(("country", "decision_ref")),
    "AgreementEnded": Named(("agreement_ref",)),
    "AgreementSigned": Named(("agreement_ref",)),
    "AnonymisationApproved": Named(("anonymisation_ref",)),
    "AuthorityNotified": Named(("breach_ref",), ("authority",)),
    "BreachRecorded": Named(("breach_ref",)),
    "BreakGlassReviewed": Named(("event_id",)),
    "ChannelPolicySet": Named((), ("valid_from",)),
    "ConsentRuleSet": Named(("country_of_work",), ("data_category", "recipient_category", "product", "valid_from")),
    "DataItemClassified": Named(("data_item",)),
    "DpfCertification": Named(("org_id", "status"), ("valid_from",)),
    "DpfCertificationEnded": Named(("org_id",)),
    "EngagementRegistered": Named(("engagement_ref",)),
    "EntitlementRegistered": Named(("entitlement_ref",)),
    "InformationWallSet": Named(("from_unit", "to_unit"), ("data_category", "valid_from")),
    "InstrumentEnded": Named(("instrument_ref",)),
    "InstrumentSigned": Named(("instrument_ref",)),
    "InternationalAgreementRegistered": Named(("international_agreement_ref",)),
    "LegalProvisionRegistered": Named(("legal_provision_ref",)),
    "LegitimateInterestAssessmentRecorded": Named(("lia_ref",)),
    "MajorityAgeSet": Named(("country",)),
    "OrganisationRegistered": Named(("org_id",)),
    "PartnerRegistered": Named(("partner_org_id",), ("product", "valid_from")),
    "PolicyPackInForce": Named(("pack", "version")),
    "PrivacyShieldCertification": Named(("org_id", "status"), ("valid_from",)),
    "RetentionOverrideSet": Named(("record_id",)),
    "RetentionRuleSet": Named(("retention_rule_id",)),
    "RoleMatrixEntry": Named(("org_id", "role", "purpose", "decision"), ("valid_from",)),
    "StaffRegistered": Named(("actor_id",), ("employment_from",)),
    "TemplateRegistered": Named(("template",), ("plan", "purpose", "partner_org_id", "product")),
    "TenantSetting": Named(("key",)),
    "TransactionOpened": Named(("deal_id",)),
}
"""Kind -> what names it. Another kind is named by all its texts and terms."""

ENDINGS: Mapping[str, Ending] = {
    "AdequacyDecisionEnded": Ending("AdequacyDecisionRegistered", ("country", "decision_ref"), "valid_to"),
    "AgreementEnded": Ending("AgreementSigned", ("agreement_ref",), "ended_at"),
    "DpfCertificationEnded": Ending("DpfCertification", ("org_id",), "valid_to"),
    "InstrumentEnded": Ending("InstrumentSigned", ("instrument_ref",), "ended_at"),
}
"""Kind that ends -> what it ends."""


def named(kind: str) -> Named:
    """What names statements of `kind`."""
    return IDENTITIES.get(kind) or Named(
        (), tuple(name for name in fields_of(kind) if _is_word(fields_of(kind)[name]))
    )


def key_of(kind: str, body: Body) -> str:
    """The names of one thing, in order, with strokes between; those absent stay empty."""
    names = named(kind)
    return "|".join(_text(body.get(name)) for name in (*names.by, *names.besides))


def begin_of(body: Body) -> datetime | None:
    """From when a statement holds, UTC; None is since ever."""
    return next((body[name] for name in BEGINS if body.get(name)), None)


def end_of(body: Body) -> datetime | None:
    """Until when a statement holds, exclusive, UTC; None is open."""
    return next((body[name] for name in ENDS if body.get(name)), None)


@cache
def fields_of(kind: str) -> Mapping[str, Any]:
    """Fields of a kind of reference fact with their Avro types; raises `KeyError` for a kind that is none."""
    return _kinds()[kind]


@cache
def _kinds() -> Mapping[str, Mapping[str, Any]]:
    bodies = json.loads(current("reference").text)["fields"][-1]["type"]
    return {body["name"]: {field["name"]: field["type"] for field in body["fields"]} for body in bodies}


def kinds() -> tuple[str, ...]:
    """Every kind of reference fact."""
    return tuple(_kinds())


def _is_word(avro: Any) -> bool:
    inner = avro[-1] if isinstance(avro, list) else avro
    if isinstance(inner, str):
        return inner == "string" or inner.startswith("inzage.vocabulary.")
    return bool(inner["type"] == "enum")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
