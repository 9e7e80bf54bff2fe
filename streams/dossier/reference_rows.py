"""Folds reference facts into the rows the engine looks up: organisations, role matrix, templates, law, settings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from inzage.schemas.countries import COUNTRY_CODES
from inzage.streams.dossier.law import Decision, Law, scope_code
from inzage.streams.dossier.organisation_rows import agreement, interval, org
from inzage.streams.dossier.registers import REGISTERS, tables_of
from inzage.streams.dossier.relation_rows import stated
from inzage.streams.dossier.rows import Row, limit
from inzage.streams.dossier.tenant_settings import setting_name, setting_value
from inzage.streams.dossier.time import FAR, LONG_AGO, since, until

Key = tuple[str, ...]
Tables = dict[str, dict[Key, Row]]
"""Table -> key -> row; columns as in state.sql. Lists of rows carry `fact_ids`, which the engine leaves out."""


_MAJORITY_YEARS = 18


class ReferenceRows:
    """Takes one fact after the other; `tables` gives what follows from them."""

    def __init__(self, controller_id: str, law: Law, defaults: Mapping[str, float | list[str]]) -> None:
        self._controller_id = controller_id
        self._law = law
        self._decisions = list(law.decisions)
        self._settings: dict[str, float | list[str]] = dict(defaults)
        self._orgs: dict[str, Mapping[str, Any]] = {}
        self._by_ref: dict[str, dict[str, Row]] = defaultdict(dict)
        self._ends: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
        listed = self._settings.get("health_revealing_items", [])
        self._items: dict[str, bool] = dict.fromkeys(listed if isinstance(listed, list) else [], True)
        self._templates: dict[Key, Row] = {}
        self._registers: dict[str, dict[str, Row]] = defaultdict(dict)
        self._majority: dict[str, int] = {}

    def take(self, fact: Mapping[str, Any]) -> None:
        """Take in one decoded reference fact."""
        name, body = fact["body"]
        kind = name.rpartition(".")[2]
        if kind in REGISTERS:
            self._register(kind, fact, body)
        take = getattr(self, f"_take_{_snake(kind)}", None)
        if take is not None:
            take(fact, body)

    # --- what is said --------------------------------------------------------------------------------------------

    def _take_organisation_registered(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        own = bool(body["own_organisation"]) and fact["controller_id"].upper() == self._controller_id.upper()
        self._orgs[body["org_id"] or ""] = {**body, "own_organisation": own, "fact_id": fact["fact_id"]}

    def _take_agreement_signed(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._keep("agreement", body["agreement_ref"], fact, body)

    def _take_agreement_ended(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._end("agreement", body["agreement_ref"], fact, valid_to=body["ended_at"])

    def _take_instrument_signed(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._keep("instrument", body["instrument_ref"], fact, body)

    def _take_instrument_ended(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._end("instrument", body["instrument_ref"], fact, valid_to=body["ended_at"])

    def _take_dpf_certification(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._certify("dpf", fact, body)

    def _take_dpf_certification_ended(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._end("dpf", body["org_id"], fact, valid_to=body["valid_to"])

    def _take_privacy_shield_certification(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._certify("shield", fact, body)

    def _certify(self, family: str, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """An inactive status ends what was active; an active one begins an interval of its own."""
        if body["status"] == "ACTIVE":
            self._keep(family, body["org_id"], fact, body, f"{body['org_id']}|{body['valid_from']}")
        else:
            self._end(family, body["org_id"], fact, valid_to=body["valid_from"] or body["valid_to"])

    def _take_role_matrix_entry(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        words = ("org_id", "role", "purpose", "decision", "data_categories")
        key = "|".join(str(body[word]) for word in words)
        self._keep("matrix", key, fact, body)

    def _take_template_registered(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        key = (body["plan"] or "", body["purpose"] or "")
        if (body["template"] or "").startswith("EMPLOYER"):
            self._templates[key] = {"items": list(body["data_items"]), "fact_ids": (fact["fact_id"],)}

    def _register(self, kind: str, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        said = self._registers[kind]
        identity = REGISTERS[kind].identify(body)
        before = said.pop(identity, {}).get("fact_ids", ())
        said[identity] = {**body, "fact_ids": (*before, fact["fact_id"])}

    def _take_majority_age_set(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        if body["country"] and body["age_years"] is not None:
            self._majority[body["country"]] = body["age_years"]

    def _take_data_item_classified(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._items[body["data_item"]] = bool(body["health_revealing"])

    def _take_consent_rule_set(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        key = "|".join(
            str(body[name]) for name in ("country_of_work", "data_category", "recipient_category", "product")
        )
        self._keep("consent_rule", key, fact, body)

    def _take_legitimate_interest_assessment_recorded(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._keep("interest", body["lia_ref"], fact, body)

    def _take_international_agreement_registered(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._keep("international_agreement", body["international_agreement_ref"], fact, body)

    def _take_adequacy_decision_registered(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        decision = Decision(
            body["country"] or "",
            body["decision_ref"] or fact["fact_id"],
            scope_code(body["scope_predicate"]),
            since(body["valid_from"]),
            until(body["valid_to"]),
        )
        same = [
            index
            for index, known in enumerate(self._decisions)
            if known.country == decision.country
            and (known.named(decision.ref) or known.valid_from.date() == decision.valid_from.date())
        ]
        for index in same:
            self._decisions[index] = decision
        if not same:
            self._decisions.append(decision)

    def _take_adequacy_decision_ended(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        of_country = [decision for decision in self._decisions if decision.country == body["country"]]
        named = [decision for decision in of_country if decision.named(body["decision_ref"])] or of_country
        end = until(body["valid_to"])
        self._decisions = [
            replace(decision, valid_to=min(end, decision.valid_to)) if decision in named else decision
            for decision in self._decisions
        ]

    def _take_tenant_setting(self, fact: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        name = setting_name(body["key"] or "")
        if name in self._settings and body["value"] is not None:
            self._settings[name] = setting_value(body["value"], self._settings[name])

    def _keep(
        self, family: str, ref: str | None, fact: Mapping[str, Any], body: Mapping[str, Any], key: str | None = None
    ) -> None:
        """What began, under `key` if one reference has several. An end said before still holds if it is later."""
        key = key or ref or fact["fact_id"]
        before = self._by_ref[family].pop(key, {}).get("fact_ids", ())
        row = {**body, "fact_ids": (*before, fact["fact_id"]), "ended_with": ref}
        self._by_ref[family][key] = row
        for end, fact_id in self._ends[family, ref or ""]:
            if end > since(row["valid_from"]):
                _close(row, end, fact_id)

    def _end(self, family: str, ref: str | None, fact: Mapping[str, Any], *, valid_to: datetime | None) -> None:
        """What ended; at an unknown time means when that was recorded."""
        end = valid_to or fact["recorded_at"]
        self._ends[family, ref or ""].append((end, fact["fact_id"]))
        rows = [row for row in self._rows(family) if row["ended_with"] == ref]
        for row in rows:
            if row is rows[-1] or end < until(row["valid_to"]):
                _close(row, end, fact["fact_id"])

    # --- what follows --------------------------------------------------------------------------------------------

    def tables(self) -> Tables:
        """The tables as of the facts taken in."""
        return {
            "org": self._org_table(),
            "matrix": self._matrix_table(),
            "template": dict(self._templates),
            **tables_of(self._registers),
            "classification": {("",): {"health_revealing": sorted(i for i, health in self._items.items() if health)}},
            "consent_rule": {("",): {"rules": [self._consent_rule(row) for row in self._rows("consent_rule")]}},
            "interest": self._interest_table(),
            "international_agreement": {
                (ref,): {"terms": [interval(row)]} for ref, row in self._by_ref["international_agreement"].items()
            },
            "country": self._country_table(),
            "setting": {
                (name,): {
                    "value": 0.0 if isinstance(value, list) else value,
                    "list": value if isinstance(value, list) else [],
                }
                for name, value in self._settings.items()
            },
        }

    def _rows(self, family: str) -> list[Row]:
        return list(self._by_ref[family].values())

    def _org_table(self) -> dict[Key, Row]:
        agreements: dict[str, list[Row]] = defaultdict(list)
        listed: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows("agreement"):
            agreements[row["party_org_id"] or ""].append(agreement(row))
            for org_id in row["subprocessor_org_ids"]:
                listed[org_id].append({"ref": row["agreement_ref"], **interval(row)})
        instruments: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows("instrument"):
            for org_id in {row["importer_org_id"] or "", *row["bcr_members"]} - {""}:
                instruments[org_id].append(self._instrument(row, org_id))
        certified: dict[str, dict[str, list[Row]]] = {family: defaultdict(list) for family in ("dpf", "shield")}
        for family, of_orgs in certified.items():
            for row in self._rows(family):
                of_orgs[row["org_id"] or ""].append(interval(row))
        known = {*self._orgs, *agreements, *listed, *instruments, *certified["dpf"], *certified["shield"]} - {""}
        return {
            (org_id,): {
                **org(org_id, self._orgs.get(org_id)),
                **{family: of_orgs[org_id] for family, of_orgs in certified.items()},
                "agreements": agreements[org_id],
                "listed_as_subprocessor": listed[org_id],
                "instruments": instruments[org_id],
            }
            for org_id in sorted(known)
        }

    def _instrument(self, row: Row, org_id: str) -> Row:
        exporter = self._orgs.get(row["exporter_org_id"] or "")
        ours = exporter is None or exporter["own_organisation"] or row["exporter_role"] == "PROCESSOR"
        limit_days = self._settings["assessment_max_days"]
        assessed_on = row["tia_date"]
        assert isinstance(limit_days, float)
        assessed_until = (
            datetime.combine(assessed_on, time(), UTC) + timedelta(days=limit_days) if assessed_on else FAR
        )
        role = stated(row["importer_role"])
        return {
            "ref": row["instrument_ref"] or "",
            "type": row["instrument"] or "",
            "module": row["module"] or 0,
            "exporter_ours": self._exporter_bound(row) if row["instrument"] == "BCR" else ours,
            "importer_role": {"SUB_PROCESSOR": "PROCESSOR", "JOINT_CONTROLLER": "CONTROLLER"}.get(role, role),
            "signed_at": max(until(row["signed_by_exporter_at"]), until(row["signed_by_importer_at"])),
            **interval(row),
            "assessed": row["tia_ref"] is not None,
            "assessed_until": assessed_until if row["tia_ref"] is not None else since(None),
            "member": org_id in row["bcr_members"],
        }

    def _exporter_bound(self, row: Row) -> bool:
        """Whether the exporter is a member of the corporate rules; who is not stated is the controller itself."""
        if row["exporter_org_id"] is not None:
            return row["exporter_org_id"] in row["bcr_members"]
        own = {org_id for org_id, org in self._orgs.items() if org["own_organisation"]} | {self._controller_id}
        return not own.isdisjoint(row["bcr_members"])

    def _matrix_table(self) -> dict[Key, Row]:
        table: dict[Key, Row] = defaultdict(lambda: {"entries": []})
        for row in self._rows("matrix"):
            entry = {
                "allow": row["decision"] == "ALLOW",
                "categories": limit(row["data_categories"])[0],
                **interval(row),
            }
            table[row["org_id"] or "", row["role"] or "", row["purpose"] or ""]["entries"].append(entry)
        return dict(table)

    def _consent_rule(self, row: Row) -> Row:
        return {
            "country": row["country_of_work"] or "",
            "category": row["data_category"] or "",
            "recipient": row["recipient_category"] or "",
            "product": row["product"] or "",
            "required": row["result"] == "CONSENT_REQUIRED",
            **interval(row),
        }

    def _interest_table(self) -> dict[Key, Row]:
        table: dict[Key, Row] = defaultdict(lambda: {"assessments": []})
        for row in self._rows("interest"):
            passed = row["outcome"] == "PASSED"
            table[(row["purpose"] or "",)]["assessments"].append(
                {"ref": row["lia_ref"] or "", "passed": passed, **interval(row)}
            )
        return dict(table)

    def _country_table(self) -> dict[Key, Row]:
        """Every code with its memberships: until when the GDPR applied there as in the EEA, and the Union lasted."""
        table: dict[Key, Row] = {
            (code,): {
                "listed": True,
                "in_eea_until": FAR if code in self._law.eea else LONG_AGO,
                "in_eu_until": FAR if code in self._law.eu else LONG_AGO,
                "majority": self._majority.get(code, _MAJORITY_YEARS),
                "adequacy": [],
            }
            for code in COUNTRY_CODES
        }
        table["GB",] |= {"in_eea_until": self._law.gdpr_left_gb, "in_eu_until": self._law.eu_left_gb}
        for decision in self._decisions:
            row = table.setdefault(
                (decision.country,),
                {"listed": False, "in_eea_until": LONG_AGO, "in_eu_until": LONG_AGO, "majority": 0, "adequacy": []},
            )
            row["adequacy"].append(
                {
                    "scope": decision.scope,
                    "from": decision.valid_from,
                    "to": decision.valid_to,
                    "fact_ids": (decision.ref,),
                }
            )
        return table


def _close(row: Row, end: datetime, fact_id: str) -> None:
    row["valid_to"] = end
    row["fact_ids"] = (*row["fact_ids"], fact_id) if fact_id not in row["fact_ids"] else row["fact_ids"]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
