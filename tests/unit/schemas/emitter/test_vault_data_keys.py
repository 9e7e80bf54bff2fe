"""A data subject has one key, wrapped; once it is destroyed nobody makes another, and nothing of it is left."""

from __future__ import annotations

import multiprocessing
import secrets
import sqlite3
from pathlib import Path

import pytest
from pydantic import SecretBytes

from inzage.schemas.emitter.vault import URL_VARIABLE, AlreadyPseudonyms, SqlVault
from inzage.schemas.emitter.vault_data_keys import KeyState
from inzage.schemas.emitter.vault_key import KEY_FILE_VARIABLE, KEY_VARIABLE
from inzage.schemas.emitter.vault_token import Place, read_token, write_token
from inzage.schemas.emitter.words import encrypt_words
from inzage.schemas.errors import ConfigError, ContractError
from inzage.schemas.json_face import Said, read

PLACE = Place("activity", "e-1", ("filter",))
PERSON = "member:4711"


@pytest.fixture(autouse=True)
def no_vault_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (KEY_VARIABLE, KEY_FILE_VARIABLE, URL_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


def said(**fields: object) -> Said:
    event = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "p_1"}}
    return read({"event": {**event, "controller_id": "CIGNA", "event_id": "e-1", **fields}})


def test_the_key_of_a_subject_is_the_same_for_every_process(tmp_path: Path) -> None:
    one, other = (SqlVault.in_file(tmp_path / "vault.sqlite") for _ in range(2))
    token = write_token("words", one.data_keys({"p_1"})["p_1"], PLACE)
    assert read_token(token, other.data_keys({"p_1"})["p_1"], PLACE) == "words"
    found = other.kept_keys.find("p_1")
    assert found is not None and read_token(token, found, PLACE) == "words"
    with pytest.raises(ContractError):
        read_token(token, one.data_keys({"p_2"})["p_2"], PLACE)


def test_many_keys_are_made_at_once() -> None:
    vault = SqlVault.passing()
    references = {f"p_{number}" for number in range(1_200)}
    assert vault.data_keys(references).keys() == references
    assert vault.kept_keys.state("p_1199") is KeyState.ACTIVE and vault.kept_keys.state("p_1200") is None


def test_a_wrapped_key_that_was_put_in_another_row_is_refused(tmp_path: Path) -> None:
    vault = SqlVault.in_file(tmp_path / "vault.sqlite")
    vault.data_keys({"p_1", "p_2"})
    with sqlite3.connect(tmp_path / "vault.sqlite") as database:
        database.execute(
            "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE reference = 'p_2') "
            "WHERE reference = 'p_1'"
        )
    with pytest.raises(ConfigError, match="not the one that was put there"):
        vault.kept_keys.find("p_1")


def test_an_erased_reference_never_has_a_readable_key_again(tmp_path: Path) -> None:
    """Other processes know the reference for a while: what they say under it is unreadable from the start."""
    vault, other = (SqlVault.in_file(tmp_path / "vault.sqlite") for _ in range(2))
    reference = vault.reference(PERSON)
    vault.data_keys({reference})
    vault.erasures.destroy(reference)
    assert vault.kept_keys.state(reference) is KeyState.ERASED and vault.kept_keys.find(reference) is None
    late = write_token("words", other.data_keys({reference})[reference], PLACE)
    assert other.kept_keys.find(reference) is None
    with pytest.raises(ContractError):
        read_token(late, vault.data_keys({reference})[reference], PLACE)


def test_a_reference_that_never_had_a_key_gets_none_once_erased() -> None:
    vault = SqlVault.passing()
    vault.erasures.destroy("p_from_elsewhere")
    vault.data_keys({"p_from_elsewhere"})
    assert vault.kept_keys.find("p_from_elsewhere") is None


def test_the_same_identifier_gets_a_new_reference_after_its_erasure(tmp_path: Path) -> None:
    vault = SqlVault.in_file(tmp_path / "vault.sqlite")
    reference = vault.reference(PERSON)
    assert vault.find(PERSON) == reference and vault.is_linked(reference)
    vault.erasures.destroy(reference)
    assert vault.find(PERSON) is None and not vault.is_linked(reference)
    assert vault.reference(PERSON) not in (reference, None)


def test_nothing_of_link_and_key_is_left_in_the_files(tmp_path: Path) -> None:
    path = tmp_path / "vault.sqlite"
    vault = SqlVault.in_file(path)
    reference = vault.reference(PERSON)
    vault.data_keys({reference})
    with sqlite3.connect(path) as database:
        (wrapped,) = database.execute("SELECT wrapped FROM data_key").fetchone()
        (blind,) = database.execute("SELECT blind_index FROM person").fetchone()
    assert any(wrapped in file.read_bytes() for file in tmp_path.iterdir())
    (erasure,) = vault.erasures.intend(reference, ["CIGNA"], ground="GDPR 17(1)(a)", actor="p_staff")
    vault.erasures.destroy(reference)
    assert not any(wrapped in file.read_bytes() for file in tmp_path.iterdir()), "the key, before it is said"
    assert vault.find_unfinished(PERSON) == reference, "the command can be repeated"
    vault.erasures.said(erasure)
    assert not any(blind in file.read_bytes() for file in tmp_path.iterdir()), "the link, once it is said"
    assert vault.find_unfinished(PERSON) is None


def test_what_was_intended_first_is_what_will_be_said() -> None:
    vault = SqlVault.passing()
    first = vault.erasures.intend("p_1", ["CIGNA", "HMBS"], ground="GDPR 17(1)(a)", actor="p_staff")
    again = vault.erasures.intend("p_1", ["CIGNA", "HMBS"], ground="another", actor="p_other")
    assert again == first and [erasure.number for erasure in first] == [None, None]
    assert first[0].requested_at.tzinfo is not None and not first[0].finished
    vault.erasures.destroy("p_1")
    numbered = vault.erasures.of("p_1")
    vault.erasures.destroy("p_1")
    assert vault.erasures.of("p_1") == numbered and [erasure.number for erasure in numbered] == [1, 1]


def test_what_was_withdrawn_leaves_no_gap_in_the_numbers() -> None:
    vault = SqlVault.passing()
    for reference in ("p_1", "p_2", "p_3"):
        vault.erasures.intend(reference, ["CIGNA"], ground="GDPR 17(1)(a)", actor="p_staff")
    vault.erasures.destroy("p_1")
    for reference in ("p_1", "p_2"):
        vault.erasures.withdraw(reference)
    vault.erasures.destroy("p_3")
    assert [(erasure.reference, erasure.number) for erasure in vault.erasures.all_unfinished()] == [
        ("p_1", 1),
        ("p_3", 2),
    ]


def test_words_without_a_vault_are_refused_by_name_and_nothing_is_changed() -> None:
    revealing = said(break_glass_reason="HIV_EXCLUDED")
    with pytest.raises(ContractError, match=r"^break_glass_reason: .*no vault") as caught:
        encrypt_words([said(filter="x"), revealing][1:], AlreadyPseudonyms())
    assert caught.value.code == "contract.no-key" and "HIV" not in caught.value.diagnostics()
    assert revealing.record["break_glass_reason"] == "HIV_EXCLUDED"
    encrypt_words([said(purpose="CLAIMS_HANDLING")], AlreadyPseudonyms())  # nothing in it reveals anything


def test_the_vault_for_references_of_others_is_opened_only_when_needed(tmp_path: Path) -> None:
    opened = []

    def open_keys() -> SqlVault:
        opened.append(SqlVault.passing())
        return opened[-1]

    vault = AlreadyPseudonyms(open_keys)
    encrypt_words([said()], vault)
    assert not opened
    encrypt_words([said(filter="x"), said(filter="y")], vault)
    encrypt_words([said(filter="x")], vault)
    assert len(opened) == 1 and opened[0].kept_keys.state("p_1") is KeyState.ACTIVE


def test_text_that_is_no_unicode_is_refused_by_name() -> None:
    with pytest.raises(ContractError, match=r"^filter: not Unicode"):
        encrypt_words([said(filter="\udcff")], SqlVault.passing())


def test_a_vault_at_a_url_needs_its_key_and_does_not_show_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"sqlite:///{tmp_path / 'shared.sqlite'}")
    with pytest.raises(ConfigError, match="key of the vault is not stated"):
        SqlVault.of(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, secrets.token_urlsafe(33))
    assert SqlVault.of(tmp_path).reference(PERSON) == SqlVault.of(tmp_path / "elsewhere").reference(PERSON)
    for url in ("nonsense://u:hunter2@h/d", "hunter2"):
        monkeypatch.setenv(URL_VARIABLE, url)
        with pytest.raises(ConfigError, match="URL of the vault") as caught:
            SqlVault.of(tmp_path)
        assert "hunter2" not in caught.value.diagnostics()


def test_processes_that_make_and_destroy_keys_together_leave_none_that_can_be_read(tmp_path: Path) -> None:
    path, key = tmp_path / "vault.sqlite", SecretBytes(secrets.token_bytes(32))
    SqlVault.in_file(path, key).close()
    spawn = multiprocessing.get_context("spawn")
    work = [(path, key.get_secret_value(), erases) for erases in (False, True, False)]
    with spawn.Pool(3) as pool:
        pool.map(obtain_or_destroy, work, chunksize=1)
    vault = SqlVault.in_file(path, key)
    assert [vault.kept_keys.find(f"p_{number}") for number in range(40)] == [None] * 40


def obtain_or_destroy(work: tuple[Path, bytes, bool]) -> None:
    path, key, erases = work
    vault = SqlVault.in_file(path, SecretBytes(key))
    for number in range(40):
        if erases:
            vault.erasures.destroy(f"p_{number}")
        else:
            vault.data_keys({f"p_{number}"})
