"""Reads a file of reference facts, YAML or CSV, and says for each which line it stands on and what is wrong with it.

YAML is a list of facts in their JSON face. CSV has one kind of fact: its columns are the fields. Nothing of a file is
used while anything in it is wrong.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from inzage.console.references.cells import content_of
from inzage.console.references.identity import begin_of, end_of, named
from inzage.schemas.countries import COUNTRY_CODES
from inzage.schemas.errors import ConfigError, ContractError
from inzage.schemas.json_face import Said, is_about_person, read
from inzage.streams.screening.plain_yaml import load_list

TO_BE_MADE = "to be made"
"""Stands for the identifier of a fact that states none."""

_COUNTRIES = ("country", "establishment_country", "country_of_work", "data_residency_countries")
_WRITTEN_OTHERWISE = {"EL": "GR", "UK": "GB"}
_NO_COUNTRY = frozenset({"EPO"})  # an international organisation with an adequacy decision


@dataclass(frozen=True, slots=True)
class Written:
    """One fact of a file: `line` is where it begins, `lines` where its fields stand."""

    line: int
    content: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """One fact that fits the contract, and the line it begins on. `fact_id` may be `TO_BE_MADE`."""

    line: int
    said: Said


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong with one fact."""

    file: str
    line: int
    field: str
    message: str


def written_in(path: Path, kind: str | None = None) -> list[Written]:
    """The facts of a file as written; raises `ConfigError` for one that is neither YAML nor CSV."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: cannot be read as UTF-8", code="config.input") from error
    if path.suffix.lower() == ".csv":
        return list(_rows(path.name, text, kind))
    if kind is not None:
        raise ConfigError("--kind is for CSV: facts of a YAML file name theirs", code="config.arguments")
    try:
        items = load_list(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}, line {mark.line + 1}" if mark else path.name
        raise ConfigError(f"{where}: not YAML: {getattr(error, 'problem', '')}", code="config.input") from error
    except ValueError as error:
        raise ConfigError(f"{path.name}: {error}", code="config.input") from error
    return [Written(line, content, lines) for line, lines, content in items]


def read_facts(name: str, written: list[Written], controller: str | None) -> tuple[list[Read], list[Refused]]:
    """What of a file called `name` fits the contract, and what is wrong with the rest."""
    taken: list[Read] = []
    refused: list[Refused] = []
    for one in written:
        try:
            taken.append(Read(one.line, _read(one, controller)))
        except ContractError as error:
            at = str(error).partition(":")[0]
            refused.append(Refused(name, one.lines.get(at.split(".")[0], one.line), at, str(error)))
    return taken, refused


def _rows(name: str, text: str, kind: str | None) -> Iterator[Written]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        columns = rows.fieldnames or []
        if kind is None and "type" not in columns:
            raise ConfigError(f"{name}: name the kind of its facts with --kind or a column type", code="config.input")
        for row in rows:
            if None in row or None in row.values():
                text = f"{name}, line {rows.line_num}: {len(columns)} columns are named, this line has another number"
                raise ConfigError(text, code="config.input")
            own = kind or row["type"]
            cells = {column: cell for column, cell in row.items() if column != "type"}
            yield Written(rows.line_num, {"type": own, **content_of(own, cells)})
    except csv.Error as error:
        raise ConfigError(f"{name}, line {rows.line_num}: not CSV: {error}", code="config.input") from error


def _read(one: Written, controller: str | None) -> Said:
    content = one.content
    if not isinstance(content, Mapping):
        raise ContractError("line: expected a fact: names and values", code="contract.not-an-object")
    if "type" not in content:
        raise ContractError("type: missing", code="contract.missing-field")
    if is_about_person(content["type"]):
        raise ContractError("type: a fact about a person: `inzage emit` says those", code="contract.unknown-fact")
    made = {"fact_id": TO_BE_MADE, "recorded_at": datetime.now(UTC), "source_system": "reference"}
    said = read({"fact": {**made, **content}}, controller_id=controller)
    _check(said.record["body"][0].rpartition(".")[2], said.record["body"][1])
    return said


def _check(kind: str, body: Mapping[str, Any]) -> None:
    for name in named(kind).by:
        if body[name] is None or body[name] == "":
            raise ContractError(f"{name}: missing, and nothing else names it", code="contract.missing-field")
    begin, end = begin_of(body), end_of(body)
    if begin and end and end < begin:
        at = next(name for name in ("valid_to", "closed_at", "employment_to") if body.get(name))
        raise ContractError(f"{at}: before it begins", code="contract.interval")
    for name in _COUNTRIES:
        values = body.get(name) or []
        for country in [values] if isinstance(values, str) else values:
            if country not in COUNTRY_CODES and country not in _NO_COUNTRY:
                other = _WRITTEN_OTHERWISE.get(country.upper())
                hint = f"; did you mean {other}?" if other else ""
                raise ContractError(f"{name}: no country of ISO 3166-1 alpha-2{hint}", code="contract.country")
