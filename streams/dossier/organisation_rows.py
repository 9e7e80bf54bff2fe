"""Makes the engine's rows about one organisation: the registry's entry, agreements, intervals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inzage.streams.dossier.relation_rows import stated
from inzage.streams.dossier.rows import Row, limit
from inzage.streams.dossier.time import since, until

_NO, _YES = 1, 2  # 0 means not known: what joinGet gives for a key it does not have


def interval(row: Row) -> Row:
    """The half-open interval a statement holds, with the statements it rests on."""
    return {"from": since(row["valid_from"]), "to": until(row["valid_to"]), "fact_ids": row["fact_ids"]}


def org(org_id: str, body: Mapping[str, Any] | None) -> Row:
    """What the registry says of an organisation; `body` is null for one that only agreements name."""
    body = body or {}
    public = body.get("public_body")
    registered = bool(body)
    international = ""
    if body.get("international_organisation"):
        international = "EPO" if "EPO" in re.split(r"[^A-Z]+", org_id.upper()) else org_id
    return {
        "own": bool(body.get("own_organisation")),
        "group_of": body.get("group_of") or "",
        "category": stated(body.get("category")),
        "country": body.get("establishment_country") or "",
        "acts_for_employer_id": body.get("acts_for_employer_id") or "",
        "international": international,
        "public_body": int(bool(public)),
        "pipeda": _three(body.get("pipeda")),
        # An organisation nobody marked is taken as private: that is what these two acts cover.
        "appi": _three(body["appi"] if body.get("appi") is not None else (not public if registered else None)),
        "pipa": _three(body["pipa"] if body.get("pipa") is not None else (True if registered else None)),
        "fact_ids": (body["fact_id"],) if registered else (),
    }


def _three(value: bool | None) -> int:
    return 0 if value is None else _YES if value else _NO


def agreement(row: Row) -> Row:
    """An agreement with what it covers."""
    scope = row["scope"] or {}
    categories, any_category = limit(scope.get("data_categories"))
    items = scope.get("data_items")
    purposes, any_purpose = limit(row["purposes"])
    return {
        "ref": row["agreement_ref"] or "",
        "processor": row["agreement_type"] == "DPA_ART28",
        "signed": row["signed_by_both"] is True,
        **interval(row),
        "categories": categories,
        "any_category": any_category,
        "items": list(items or ()),
        "any_item": items is None,
        "purposes": purposes,
        "any_purpose": any_purpose,
    }
