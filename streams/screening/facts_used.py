"""Names the facts a verdict rests on: kind, key and the statement that was known, from dossier and references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inzage.streams.dossier.kinds import FAMILIES, NAMED_BY
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.registers import BY_TABLE
from inzage.streams.dossier.rows import Row
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.row import Hit

FactUsed = dict[str, str]


def facts_used(
    families: Iterable[str],
    hit: Hit,
    dossier: PersonDossier | None,
    tables: Tables,
) -> list[FactUsed]:
    """The facts of `families` that the row of `hit` saw; a fact that is judged saw itself."""
    used = []
    for family in families:
        if family in FAMILIES:
            known = dossier.known_before(family, hit.horizon) if dossier else []
            rows = [row for row in known if _concerns(family, row, hit.seen)]
        else:
            rows = list(_reference_rows(family, hit.seen, tables))
        used += [
            {"kind": family, "key": str(row.get("ref") or row.get("employer_id") or fact_id), "version": fact_id}
            for row in rows
            for fact_id in row["fact_ids"][-1:]
        ]
    return used


def _concerns(family: str, row: Row, seen: Mapping[str, Any]) -> bool:
    """Whether a row is about what the event names; where it names nothing, every row of the person may count."""
    if family not in NAMED_BY:
        return True
    column, name = NAMED_BY[family]
    return not seen[name] or row[column] in ("", seen[name])


def _reference_rows(family: str, seen: Mapping[str, Any], tables: Tables) -> Iterator[Row]:
    org = tables["org"].get((seen["org_key"],))
    if family == "org" and org and org["fact_ids"]:
        yield {"ref": seen["org_key"], "fact_ids": org["fact_ids"]}
    elif family in ("agreements", "instruments", "dpf") and org:
        yield from org[family]
    elif family in BY_TABLE and (looked_up_by := BY_TABLE[family].looked_up_by):
        key = tuple(seen[name] or "" for name in looked_up_by)
        yield from tables[family].get(key, {}).get("entries", ())
    elif family == "matrix":
        key = (seen["actor.org_id"] or "", seen["actor.role"] or "", seen["purpose"] or "")
        yield from tables["matrix"].get(key, {}).get("entries", ())
    elif family == "template":
        row = tables["template"].get((seen["plan"], seen["purpose"] or ""))
        if row:
            yield row
    elif family == "interest":
        yield from tables["interest"].get((seen["purpose"] or "",), {}).get("assessments", ())
    elif family == "consent_rule":
        yield from tables["consent_rule"].get(("",), {}).get("rules", ())
    elif family == "adequacy":
        yield from tables["country"].get((seen["destination"] or "",), {}).get("adequacy", ())
