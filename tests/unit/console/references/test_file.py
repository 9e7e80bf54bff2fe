"""A file of reference facts is read whole, or refused with field, file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzage.console.references.file import Refused, read_facts, written_in
from inzage.console.references.identity import IDENTITIES, fields_of, kinds
from inzage.schemas.errors import ConfigError

YAML = """\
# a comment
- type: AgreementSigned
  agreement_ref: DPA-1
  agreement_type: DPA_ART28
  party_org_id: ORG-1
  signed_by_both: true
  valid_from: 2026-01-01T00:00:00+01:00
  scope: {data_categories: [IDENTITY, CLAIM]}
- {type: OrganisationRegistered, org_id: ORG-NO, establishment_country: NO}
"""


def _read(
    tmp_path: Path, text: str, name: str = "facts.yaml", kind: str | None = None
) -> tuple[list[dict], list[Refused]]:  # type: ignore[type-arg]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    taken, refused = read_facts(name, written_in(path, kind), "CIGNA")
    return [{"line": one.line, **one.said.record["body"][1]} for one in taken], refused


def test_yaml_as_an_analyst_means_it(tmp_path: Path) -> None:
    """NO is Norway, a time is a text, and a fact is found again by its line."""
    [agreement, norway], refused = _read(tmp_path, YAML)
    assert refused == []
    assert (agreement["line"], agreement["scope"]["data_categories"]) == (2, ["IDENTITY", "CLAIM"])
    assert (norway["line"], norway["establishment_country"]) == (9, "NO")


@pytest.mark.parametrize(
    ("wrong", "line", "field", "message"),
    [
        ("  agreement_typ: DPA_ART28", 4, "agreement_typ", "did you mean agreement_type"),
        ("  agreement_type: DPA", 4, "agreement_type", "not a term of AgreementType"),
        ("  agreement_type: DPA_ART28\n  valid_to: 2025-01-01T00:00:00Z", 5, "valid_to", "before it begins"),
        ("  agreement_type: DPA_ART28\n  valid_to: 2025-01-01", 5, "valid_to", "a time needs a zone"),
        ("  data_residency_countries: [BE, UK]", 4, "data_residency_countries", "did you mean GB"),
        ("  signed_by_both: maybe", 6, "signed_by_both", "true or false"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(
    tmp_path: Path, wrong: str, line: int, field: str, message: str
) -> None:
    text = YAML.replace("  agreement_type: DPA_ART28", wrong)
    if "maybe" in wrong:
        text = YAML.replace("  signed_by_both: true", wrong)
    _, [refused] = _read(tmp_path, text)
    assert (refused.file, refused.line, refused.field) == ("facts.yaml", line, field)
    assert message in refused.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {type: AgreementSigned, party_org_id: ORG-1}", "agreement_ref: missing"),
        ("- {type: AgrementSigned, agreement_ref: A}", "did you mean AgreementSigned"),
        ("- {type: ConsentGiven, subject: SUB-1}", "inzage emit"),
        ("- {agreement_ref: A}", "type: missing"),
        ("- only words", "expected a fact"),
    ],
)
def test_what_is_no_fact_of_reference_is_refused(tmp_path: Path, text: str, message: str) -> None:
    taken, [refused] = _read(tmp_path, text)
    assert taken == [] and refused.line == 1
    assert message in refused.message


def test_columns_are_fields(tmp_path: Path) -> None:
    """Lists have semicolons, a dot leads into a record, an empty cell says nothing and `[]` says: of nothing."""
    text = (
        "agreement_ref,party_org_id,signed_by_both,scope.data_categories,purposes,valid_from\n"
        "DPA-1,ORG-1,true,IDENTITY; CLAIM,,2026-01-01T00:00:00+01:00\n"
        '"DPA-2",ORG-2,false,,[],\n'
    )
    [one, two], refused = _read(tmp_path, text, "agreements.csv", "AgreementSigned")
    assert refused == []
    assert (one["line"], one["signed_by_both"], one["scope"]["data_categories"]) == (2, True, ["IDENTITY", "CLAIM"])
    assert (one["purposes"], two["purposes"], two["scope"]) == (None, [], None)
    assert two["line"] == 3


def test_a_table_names_its_kinds_in_a_column_too(tmp_path: Path) -> None:
    text = "type,country,age_years\nMajorityAgeSet,BE,18\nMajorityAgeSet,NL,eighteen\n"
    [one], [refused] = _read(tmp_path, text, "ages.csv")
    assert one["age_years"] == 18
    assert (refused.line, refused.field) == (3, "age_years")


@pytest.mark.parametrize(
    ("text", "name", "where"),
    [
        ("a: b: c", "f.yaml", "f.yaml, line 1"),
        ("type: AgreementSigned", "f.yaml", "expected a list"),
        ("country,age_years\nBE,18\n", "f.csv", "--kind"),
        ("type,country\nMajorityAgeSet,BE,18\n", "f.csv", "f.csv, line 2"),
    ],
)
def test_a_file_that_is_none_says_where(tmp_path: Path, text: str, name: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        _read(tmp_path, text, name)


def test_what_names_a_kind_are_fields_of_it() -> None:
    for kind, named in IDENTITIES.items():
        assert kind in kinds()
        assert {*named.by, *named.besides} <= set(fields_of(kind)), kind
