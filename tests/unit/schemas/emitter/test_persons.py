"""Every field that names a person gets a reference, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from inzage.schemas.codec import current
from inzage.schemas.emitter.persons import PERSONS, Pseudonym, pseudonymise, pseudonymise_said
from inzage.schemas.emitter.reader import Reader
from inzage.schemas.emitter.vault import SqlVault
from inzage.schemas.errors import ContractError

NOT_A_PERSON = {("initiated_by",), ("instructed_by",)}  # roles, such as EMPLOYER


def paths(avro: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text field of a record with its documentation."""
    for field in avro["fields"]:
        kind = field["type"]
        kind = kind[1] if isinstance(kind, list) and kind[0] == "null" else kind
        inner = kind.get("items", kind) if isinstance(kind, dict) else kind
        if isinstance(inner, dict) and inner.get("type") == "record":
            yield from paths(inner, (*path, field["name"]))
        elif inner == "string":
            yield (*path, field["name"]), field["doc"]


def documented() -> dict[str, dict[tuple[str, ...], str]]:
    event = dict(paths(json.loads(current("activity").text)))
    fact: dict[tuple[str, ...], str] = {("subject",): ""}
    for name in ("fact", "reference"):
        for kind in json.loads(current(name).text)["fields"][-1]["type"]:
            fact.update(dict(paths(kind)))
    return {"event": event, "fact": fact}


@pytest.mark.parametrize("face", ["event", "fact"])
def test_every_path_is_a_field_of_the_contract(face: Any) -> None:
    assert set(PERSONS[face]) <= set(documented()[face])


@pytest.mark.parametrize("face", ["event", "fact"])
def test_no_field_that_names_a_person_is_forgotten(face: Any) -> None:
    named = {
        path
        for path, doc in documented()[face].items()
        if "seudonym" in doc or path[-1].endswith(("_by", "actor_id")) or path[-1] == "assigned_actor_ids"
    }
    assert named - NOT_A_PERSON <= set(PERSONS[face])


def test_the_same_person_has_the_same_reference_in_every_role() -> None:
    event = {
        "subject": {"pseudonym": "p:1"},
        "actor": {"id": "p:1", "org_id": "ORG-1"},
        "recipient": {"person": "p:1", "org_id": "ORG-2"},
    }
    given = pseudonymise("event", event, SqlVault.passing())
    references = {given["subject"]["pseudonym"], given["actor"]["id"], given["recipient"]["person"]}
    assert len(references) == 1 and "p:1" not in json.dumps(given)
    assert given["actor"]["org_id"] == "ORG-1" and given["recipient"]["org_id"] == "ORG-2"
    assert event["subject"] == {"pseudonym": "p:1"}


def test_a_pseudonym_is_left_as_it_is() -> None:
    given = pseudonymise("event", {"subject": {"pseudonym": Pseudonym("p_known")}}, SqlVault.passing())
    assert given["subject"]["pseudonym"] == "p_known" and type(given["subject"]["pseudonym"]) is str


@pytest.mark.parametrize(("source", "replaced"), [("REPRESENTATIVE", True), (None, True), ("EMPLOYER", False)])
def test_a_source_that_is_an_organisation_keeps_its_name(source: str | None, replaced: bool) -> None:
    given = pseudonymise("event", {"source_id": "X-1", "source_type": source}, SqlVault.passing())
    assert (given["source_id"] != "X-1") is replaced


@pytest.mark.parametrize("identifier", ["", "  "])
def test_an_empty_identifier_is_refused_by_name(identifier: str) -> None:
    with pytest.raises(ContractError, match=r"actor\.id"):
        pseudonymise("event", {"actor": {"id": identifier}}, SqlVault.passing())


def test_facts_that_were_read_already_are_pseudonymised_inside() -> None:
    vault = SqlVault.passing()
    fact = {"type": "CaseOpened", "subject": "p:1", "assigned_actor_ids": ["s:1", "s:2"], "case_ref": "C-1"}
    fact["recorded_at"] = "2026-03-10T12:00:00+01:00"
    said = Reader("CIGNA", "claims", vault).read({"fact": fact}, pseudonymised=True)
    record = pseudonymise_said(said, vault).record
    assert record["subject"] == vault.reference("p:1")
    assert record["body"][1]["assigned_actor_ids"] == [vault.reference("s:1"), vault.reference("s:2")]
    assert record["body"][1]["case_ref"] == "C-1"
