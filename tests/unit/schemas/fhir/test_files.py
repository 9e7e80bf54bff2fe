"""Every line or entry of a file comes out, wrong ones too."""

from __future__ import annotations

import json

import pytest

from inzage.schemas.fhir.files import resources

ONE = {"resourceType": "AuditEvent", "id": "1"}
TWO = {"resourceType": "AuditEvent", "id": "2"}


@pytest.mark.parametrize(
    "content",
    [
        f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}\n",
        json.dumps([ONE, TWO], indent=1),
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": ONE}, {"resource": TWO}]}),
        "\ufeff" + json.dumps([ONE, TWO]),
    ],
)
def test_each_form_gives_the_same_resources(content: str) -> None:
    assert [found.resource for found in resources(content.encode())] == [ONE, TWO]


def test_a_single_resource_is_a_file() -> None:
    (found,) = resources(json.dumps(ONE, indent=2).encode())
    assert (found.number, found.resource) == (1, ONE)


def test_broken_lines_keep_their_number_reason_and_bytes() -> None:
    found = list(resources(b'{"a":\n' + json.dumps(ONE).encode() + b"\n7\n\xff\n"))
    assert [line.number for line in found] == [1, 2, 3, 4]
    codes = [line.error and line.error.code for line in found]
    assert codes == ["contract.not-json", None, "contract.not-an-object", "contract.not-json"]
    assert found[3].original == b"\xff"


def test_an_entry_without_resource_is_not_passed_over() -> None:
    found = list(resources(json.dumps({"resourceType": "Bundle", "entry": [{}, {"resource": ONE}]}).encode()))
    assert [line.error is None for line in found] == [False, True]
