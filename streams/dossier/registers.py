"""Says which reference facts fill which register: a table that is looked up by key and tells what held when.

Each register is a table of state.sql with its key and `entries`, half-open intervals `from <= t < to`. A later fact
with the same identity corrects the earlier one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inzage.streams.dossier.relation_rows import stated
from inzage.streams.dossier.rows import Row, limit
from inzage.streams.dossier.time import since, until

Body = Mapping[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """One register. `looked_up_by` are the columns of the view that make its key, for naming the facts used.

    Of a register that holds one entry at a time, the latest to begin ends the one before.
    """

    table: str
    columns: tuple[str, ...]
    key: Callable[[Body], Key]
    entry: Callable[[Body], Row]
    identity: tuple[str, ...]
    looked_up_by: tuple[str, ...] = ()
    begins: str = "valid_from"
    ends: str = "valid_to"
    one_at_a_time: bool = False

    def identify(self, body: Body) -> str:
        """What makes two statements about the same thing."""
        return "|".join(str(body[name]) for name in self.identity)

    def interval(self, body: Body) -> Row:
        """The half-open interval in which a statement holds; not stated is since ever and open."""
        return {"from": since(body.get(self.begins)), "to": until(body.get(self.ends))}


def scope_of(categories: list[str] | None) -> Row:
    """The categories that a scope covers; null is any."""
    covered, any_category = limit(categories)
    return {"categories": covered, "any_category": any_category}


def _template_key(body: Body) -> Key:
    if body["partner_org_id"]:
        return "PARTNER", body["partner_org_id"]
    if "FORM" in (body["template"] or "").upper():
        return "FORM", ""
    return "PURPOSE", body["purpose"] or ""


REGISTERS: dict[str, Register] = {
    "StaffRegistered": Register(
        table="staff",
        columns=("actor_id",),
        key=lambda body: (body["actor_id"] or "",),
        entry=lambda body: {
            "org": body["org_id"] or "",
            "unit": body["unit"] or "",
            "role": body["role"] or "",
            "secrecy_at": until(body["confidentiality_signed_at"]),
        },
        identity=("actor_id", "employment_from"),
        looked_up_by=("actor.id",),
        begins="employment_from",
        ends="employment_to",
    ),
    "PartnerRegistered": Register(
        table="partner",
        columns=("org_id",),
        key=lambda body: (body["partner_org_id"] or "",),
        entry=lambda body: {"product": body["product"] or "", "published": body["published"] is True},
        identity=("partner_org_id", "product", "valid_from"),
        looked_up_by=("org_key",),
    ),
    "TemplateRegistered": Register(
        table="item_template",
        columns=("kind", "key"),
        key=_template_key,
        entry=lambda body: {
            "name": (body["template"] or "").upper(),
            "product": body["product"] or "",
            "items": list(body["data_items"]),
        },
        identity=("template", "plan", "purpose", "partner_org_id", "product"),
    ),
    "InformationWallSet": Register(
        table="wall",
        columns=("from_unit", "to_unit"),
        key=lambda body: (body["from_unit"] or "", body["to_unit"] or ""),
        entry=lambda body: {"category": stated(body["data_category"]), "deny": body["decision"] == "DENY"},
        identity=("from_unit", "to_unit", "data_category", "decision"),
        looked_up_by=("record.unit", "actor.unit"),
    ),
    "ChannelPolicySet": Register(
        table="channel_policy",
        columns=("key",),
        key=lambda body: ("",),
        entry=lambda body: {"channels": list(body["approved_secure_channels"])},
        identity=("valid_from",),
        one_at_a_time=True,
    ),
    "RetentionOverrideSet": Register(
        table="retention_override",
        columns=("record_id",),
        key=lambda body: (body["record_id"] or "",),
        entry=lambda body: {
            "law": body["governing_law"] or "",
            "source": body["source"] or "",
            "approver": body["approver"] or "",
            "reason": body["reason"] or "",
        },
        identity=("record_id",),
        looked_up_by=("record.record_id",),
    ),
    "EngagementRegistered": Register(
        table="engagement",
        columns=("org_id",),
        key=lambda body: (body["party_org_id"] or "",),
        entry=lambda body: {
            "ref": body["engagement_ref"] or "",
            "confidential": body["confidentiality"] is True,
            **scope_of(body["scope_data_categories"]),
        },
        identity=("engagement_ref",),
        looked_up_by=("org_key",),
    ),
    "TransactionOpened": Register(
        table="deal",
        columns=("ref",),
        key=lambda body: (body["deal_id"] or "",),
        entry=lambda body: {
            "stage": stated(body["stage"]),
            "parties": list(body["selected_party_org_ids"]),
            "secret": body["nda"] is True,
        },
        identity=("deal_id",),
        looked_up_by=("deal_id",),
        begins="opened_at",
        ends="closed_at",
    ),
    "RetentionRuleSet": Register(
        table="retention_rule",
        columns=("category",),
        key=lambda body: (stated(body["data_category"]),),
        entry=lambda body: {
            "ref": body["retention_rule_id"] or "",
            "period": body["period"] or "",
            "approved": body["approved_at"] is not None,
        },
        identity=("retention_rule_id", "data_category", "purpose", "product"),
        begins="approved_at",
    ),
    "PolicyPackInForce": Register(
        table="pack_in_force",
        columns=("key",),
        key=lambda body: ("",),
        entry=lambda body: {"pack": (body["pack"] or "").upper(), "version": body["version"] or ""},
        identity=("pack", "version", "valid_from"),
    ),
    "NoticePublished": Register(
        table="notice",
        columns=("country",),
        key=lambda body: (body["country"] or "",),
        entry=lambda body: {"version": body["notice_version"] or "", "material": body["material"] is True},
        identity=("notice_version", "country"),
    ),
    "EntitlementRegistered": Register(
        table="entitlement",
        columns=("source_id",),
        key=lambda body: (body["source_id"] or "",),
        entry=lambda body: {"ref": body["entitlement_ref"] or "", "ground": body["ground"] or ""},
        identity=("entitlement_ref",),
        looked_up_by=("source_id",),
    ),
    "LegalProvisionRegistered": Register(
        table="provision",
        columns=("ref",),
        key=lambda body: (body["legal_provision_ref"] or "",),
        entry=lambda body: {
            "jurisdiction": body["jurisdiction"] or "",
            "national_id": body["entitles_national_id_recipients"] is True,
            "recipients": list(body["national_id_recipients"]),
        },
        identity=("legal_provision_ref",),
        looked_up_by=("legal_provision_ref",),
    ),
    "AnonymisationApproved": Register(
        table="anonymisation",
        columns=("ref",),
        key=lambda body: (body["anonymisation_ref"] or "",),
        entry=lambda body: {"k": body["k"], "approved": bool(body["approved_by"])},
        identity=("anonymisation_ref",),
        looked_up_by=("anonymisation_ref",),
    ),
    "BreakGlassReviewed": Register(
        table="break_glass_review",
        columns=("event_id",),
        key=lambda body: (body["event_id"] or "",),
        entry=lambda body: {"by": body["reviewed_by"] or "", "at": until(body["reviewed_at"])},
        identity=("event_id",),
        looked_up_by=("event_id",),
    ),
    "BreachRecorded": Register(
        table="breach",
        columns=("violation_ref",),
        key=lambda body: (body["violation_ref"] or "",),
        entry=lambda body: {
            "ref": body["breach_ref"] or "",
            "at": until(body["decided_at"]),
            "notifiable": body["notifiable"] is not False,
        },
        identity=("violation_ref", "breach_ref"),
        looked_up_by=("violation_ref",),
    ),
    "AuthorityNotified": Register(
        table="authority_notice",
        columns=("breach_ref",),
        key=lambda body: (body["breach_ref"] or "",),
        entry=lambda body: {"at": until(body["notified_at"]), "reasoned": bool(body["delay_reasons"])},
        identity=("breach_ref",),
    ),
    "SystemRegistered": Register(
        table="client_system",
        columns=("system",),
        key=lambda body: (body["system"] or "",),
        entry=lambda body: {"approved": body["approved"] is not False},
        identity=("system", "valid_from"),
        looked_up_by=("source_system",),
    ),
    "AccessCategoryDesignated": Register(
        table="health_role",
        columns=("role",),
        key=lambda body: (body["role"] or "",),
        entry=lambda body: {"description": body["description"] or ""},
        identity=("role", "valid_from"),
        looked_up_by=("actor.role",),
    ),
}
"""Kind of fact -> register."""

BY_TABLE = {register.table: register for register in REGISTERS.values()}


def tables_of(kept: Mapping[str, Mapping[str, Row]]) -> dict[str, dict[Key, Row]]:
    """The registers as tables, from what was said by kind of fact and identity; `loaded` names those with entries."""
    tables: dict[str, dict[Key, Row]] = {}
    for kind, register in REGISTERS.items():
        table: dict[Key, Row] = {}
        for body in kept.get(kind, {}).values():
            entry = {**register.entry(body), **register.interval(body), "fact_ids": body["fact_ids"]}
            table.setdefault(register.key(body), {"entries": []})["entries"].append(entry)
        for row in table.values() if register.one_at_a_time else ():
            _end_with_the_next(row["entries"])
        tables[register.table] = table
    tables["registry"] = {(table,): {"loaded": True} for table, rows in tables.items() if rows}
    return tables


def _end_with_the_next(entries: list[Row]) -> None:
    entries.sort(key=lambda entry: entry["from"])
    for entry, following in itertools.pairwise(entries):
        entry["to"] = min(entry["to"], following["from"])
