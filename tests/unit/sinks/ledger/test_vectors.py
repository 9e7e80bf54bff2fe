"""The runner of vectors; the vectors themselves stay where they come from and are run when they are there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from inzage.schemas.errors import ConfigError
from inzage.sinks.ledger.vectors import run_vectors

LEAF = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="  # of an empty leaf
ONE = {"leafIdx": 0, "treeSize": 1, "root": LEAF, "leafHash": LEAF, "proof": None, "desc": "one", "wantErr": False}


def write(folder: Path, name: str, **changed: object) -> None:
    (folder / name).write_text(json.dumps({**ONE, **changed}))


def test_cases_pass_and_fail(tmp_path: Path) -> None:
    write(tmp_path, "a.json")
    write(tmp_path, "b.json", leafIdx=1, wantErr=True)
    write(tmp_path, "c.json", wantErr=True)
    write(tmp_path, "d.json", treeSize=2)
    assert [ran.passed for ran in run_vectors(tmp_path)] == [True, True, False, False]


def test_what_is_no_case_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.json", root="not base64!")
    with pytest.raises(ConfigError, match=r"a\.json"):
        list(run_vectors(tmp_path))
    with pytest.raises(ConfigError, match="no such folder"):
        list(run_vectors(tmp_path / "none"))


OUTSIDE = Path(os.environ.get("INZAGE_VECTORS", "../shared/vectors/rfc6962-proofs"))
OWN = Path("tests/vectors/ledger")


@pytest.mark.parametrize(
    "folder", [OWN, *([OUTSIDE] if OUTSIDE.is_dir() else [])], ids=["own", "outside"][: 1 + OUTSIDE.is_dir()]
)
def test_vectors(folder: Path) -> None:
    ran = list(run_vectors(folder))
    assert len(ran) > 20
    assert {case.wanted_error for case in ran} == {True, False}
    assert [case.file for case in ran if not case.passed] == []
