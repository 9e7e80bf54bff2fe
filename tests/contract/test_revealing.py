"""What is encrypted is what may reveal something, and nothing that a verdict depends on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inzage.schemas.build import _Builder
from inzage.schemas.codec import current
from inzage.schemas.emitter.persons import PERSONS
from inzage.schemas.emitter.vault import SqlVault
from inzage.schemas.emitter.words import encrypt_words
from inzage.schemas.errors import ConfigError
from inzage.schemas.json_face import read
from inzage.schemas.revealing import words_of
from inzage.streams.dossier.person import contradiction, rows_of
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.rows import as_activity
from inzage.streams.screening.view import View, derived_columns

CONTROLLERS = ("CIGNA", "HMBS")
KINDS = {
    "ApplicationClosed": {"application_ref": "A-1", "closed_at": "2026-03-02T00:00:00Z", "outcome": "declined: HIV"},
    "CaseClosed": {"case_ref": "C-1", "closed_at": "2026-03-02T00:00:00Z", "outcome": "settled"},
    "RightsRequestExtended": {"request_ref": "Q-1", "reason": "abroad for treatment"},
}


def marked(name: str) -> dict[str, tuple[str, ...]]:
    """The revealing fields of each record of a schema."""
    found: dict[str, tuple[str, ...]] = {}

    def visit(avro: Any) -> None:
        if isinstance(avro, list):
            for branch in avro:
                visit(branch)
        elif isinstance(avro, dict):
            if names := tuple(field["name"] for field in avro.get("fields", ()) if field.get("revealing")):
                found[avro["name"]] = names
            for field in avro.get("fields", ()):
                visit(field["type"])

    visit(json.loads(current(name).text))  # type: ignore[arg-type]
    return found


def test_the_fields_of_free_words_are_marked() -> None:
    assert set(marked("activity")["Activity"]) == {
        *("break_glass_reason", "filter", "unrecognised"),
    }
    assert marked("fact").keys() - {"Fact"} == KINDS.keys(), "an example for each kind"
    assert marked("reference") == {}, "organisations and law have no data subject"


def test_what_names_a_person_is_a_reference_and_never_encrypted() -> None:
    """A reference is looked up by its value, in the trail as in a policy."""
    named = {path[-1] for face in ("event", "fact") for path in PERSONS[face]}  # type: ignore[index]
    encrypted = {name for schema in ("activity", "fact") for names in marked(schema).values() for name in names}
    assert not named & encrypted


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_no_policy_reads_what_is_encrypted(controller: str) -> None:
    """Compiling refuses it (tests/unit/streams/screening/test_predicate.py), so what ships must compile."""
    assert View("screening_nowhere").plan(policies_of(controller)).judged


def test_no_derived_column_reads_what_is_encrypted() -> None:
    view = View("screening_nowhere")
    assert view._computed(derived_columns()).keys() == derived_columns().keys()


@pytest.mark.parametrize("kind", KINDS)
def test_no_dossier_depends_on_what_is_encrypted(kind: str) -> None:
    fact = {"type": kind, "fact_id": "F-1", "subject": "p_1", "recorded_at": "2026-03-03T00:00:00Z", **KINDS[kind]}
    plain, encrypted = (read({"fact": dict(fact)}, controller_id="CIGNA") for _ in range(2))
    encrypt_words([encrypted], SqlVault.passing())
    assert encrypted.record["body"] != plain.record["body"]
    assert rows_of([encrypted.record]) == rows_of([plain.record])
    assert as_activity(encrypted.record) == as_activity(plain.record)
    assert contradiction(encrypted.record, {}) == contradiction(plain.record, {})


def test_a_whole_example_of_each_kind_is_found() -> None:
    for kind, body in KINDS.items():
        said = read({"fact": {"type": kind, "subject": "p_1", "recorded_at": "2026-03-03T00:00:00Z", "fact_id": "F",
                              **body}}, controller_id="CIGNA")  # fmt: skip
        assert [words.path[:2] for words in words_of("fact", said.record)] == [("body", kind)]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"record": "R", "doc": "", "fields": {"a": ["string", ""]}, "revealing": ["b"]}, "R.b"),
        ({"record": "R", "doc": "", "fields": {"a": ["date", ""]}, "revealing": ["a"]}, "R.a"),
        (
            {"record": "R", "doc": "", "fields": {"x": ["X", ""]},
             "records": {"X": {"doc": "", "fields": {"a": ["string", ""]}, "revealing": ["a"]}}},
            "X",
        ),
    ],
)  # fmt: skip
def test_a_wrong_mark_is_refused_when_the_schema_is_made(table: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        _Builder(table).schema()
