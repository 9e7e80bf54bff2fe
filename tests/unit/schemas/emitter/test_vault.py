"""The vault gives each person one random reference and keeps no identifier."""

from __future__ import annotations

import base64
import multiprocessing
import secrets
import stat
from pathlib import Path

import pytest
from pydantic import SecretBytes

from inzage.schemas.emitter.vault import SqlVault
from inzage.schemas.emitter.vault_key import KEY_FILE_VARIABLE, KEY_VARIABLE
from inzage.schemas.errors import ConfigError

PERSON = "member:900112-3456"


@pytest.fixture(autouse=True)
def no_key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)


def test_a_person_keeps_the_reference_and_two_persons_differ(tmp_path: Path) -> None:
    first = SqlVault.in_file(tmp_path / "vault.sqlite")
    reference = first.reference(PERSON)
    again = SqlVault.in_file(tmp_path / "vault.sqlite")
    assert again.reference(PERSON) == reference
    assert again.reference("member:2") != reference
    assert len(base64.urlsafe_b64decode(reference.removeprefix("p_") + "==")) == 16


def test_references_are_random_not_derived(tmp_path: Path) -> None:
    key = SecretBytes(secrets.token_bytes(32))
    one, other = (SqlVault.in_file(tmp_path / name, key) for name in ("a", "b"))
    assert one.reference(PERSON) != other.reference(PERSON)


def test_the_same_text_in_another_unicode_form_is_the_same_person() -> None:
    vault = SqlVault.passing()
    assert vault.reference("Zoë") == vault.reference("Zoe\u0308")


def test_no_identifier_is_stored_and_files_are_private(tmp_path: Path) -> None:
    vault = SqlVault.in_file(tmp_path / "kept" / "vault.sqlite")
    vault.reference(PERSON)
    files = list((tmp_path / "kept").iterdir())
    assert {file.name for file in files} >= {"vault.sqlite", "vault.sqlite.key"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        assert PERSON.encode() not in file.read_bytes(), file.name


def test_another_key_is_refused(tmp_path: Path) -> None:
    SqlVault.in_file(tmp_path / "vault.sqlite").reference(PERSON)
    with pytest.raises(ConfigError, match="does not belong"):
        SqlVault.in_file(tmp_path / "vault.sqlite", SecretBytes(secrets.token_bytes(32)))


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    SqlVault.in_file(tmp_path / "vault.sqlite").reference(PERSON)
    (tmp_path / "vault.sqlite.key").unlink()
    with pytest.raises(ConfigError, match="its key is not"):
        SqlVault.in_file(tmp_path / "vault.sqlite")
    assert not (tmp_path / "vault.sqlite.key").exists()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    SqlVault.in_file(tmp_path / "vault.sqlite")
    (tmp_path / "vault.sqlite.key").chmod(0o640)
    with pytest.raises(ConfigError, match="readable by others"):
        SqlVault.in_file(tmp_path / "vault.sqlite")


@pytest.mark.parametrize("text", ["c2hvcnQ=", "not base64!"])
def test_a_malformed_key_is_refused_without_being_shown(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, text)
    with pytest.raises(ConfigError) as caught:
        SqlVault.in_file(tmp_path / "vault.sqlite")
    assert text not in caught.value.diagnostics()


def test_the_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, base64.urlsafe_b64encode(bytes(32)).decode())
    reference = SqlVault.in_file(tmp_path / "vault.sqlite").reference(PERSON)
    monkeypatch.delenv(KEY_VARIABLE)
    (tmp_path / "key").write_text(base64.urlsafe_b64encode(bytes(32)).decode())
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / "key"))
    assert SqlVault.in_file(tmp_path / "vault.sqlite").reference(PERSON) == reference
    assert not (tmp_path / "vault.sqlite.key").exists()


def test_processes_that_start_together_share_key_and_references(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(3) as pool:
        answers = pool.map(references, [tmp_path / "vault.sqlite"] * 3, chunksize=1)
    assert answers[0] == answers[1] == answers[2]
    assert len(set(answers[0])) == 30


def references(path: Path) -> list[str]:
    vault = SqlVault.in_file(path)
    return [vault.reference(f"member:{number}") for number in range(30)]
