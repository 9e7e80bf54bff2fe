"""A vault that several machines share behaves as one in a file: on SQLite, and on PostgreSQL where there is one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretBytes

from inzage.schemas.emitter.vault import SqlVault
from inzage.schemas.emitter.vault_data_keys import KeyState
from inzage.schemas.emitter.vault_token import Place, read_token, write_token
from inzage.schemas.errors import ConfigError, TransientError
from tests.postgresql import postgresql, programs

KEY = SecretBytes(secrets.token_bytes(32))
PLACE = Place("activity", "e-1", ("filter",))
SERVERS = ("sqlite", "postgresql") if programs() else ("sqlite",)


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('vault') / 'vault.sqlite'}"
    else:
        with postgresql() as address:
            yield address


@pytest.fixture
def person() -> str:
    return f"member:{secrets.token_hex(4)}"


def test_two_machines_share_references_and_keys(url: str, person: str) -> None:
    one, other = SqlVault(url, KEY), SqlVault(url, KEY)
    reference = one.reference(person)
    assert other.reference(person) == reference == other.find(person)
    token = write_token("words", one.data_keys({reference})[reference], PLACE)
    found = other.kept_keys.find(reference)
    assert found is not None and read_token(token, found, PLACE) == "words"


def test_an_erasure_goes_through_all_its_steps(url: str, person: str) -> None:
    vault = SqlVault(url, KEY)
    reference = vault.reference(person)
    vault.data_keys({reference})
    controller = secrets.token_hex(4)
    for erased in (reference, "p_another"):
        vault.erasures.intend(erased, [controller], ground="GDPR 17(1)(a)", actor="p_staff", role="DPO")
        vault.erasures.destroy(erased)
    assert vault.find_unfinished(person) == reference and vault.find(person) is None
    (erasure,) = vault.erasures.of(reference)
    assert erasure.destroyed_at is not None and erasure.destroyed_at.tzinfo is not None and erasure.role == "DPO"
    vault.erasures.said(erasure)
    assert vault.find_unfinished(person) is None
    assert [later.number for later in vault.erasures.all_unfinished() if later.controller == controller] == [2]
    assert vault.kept_keys.state(reference) is KeyState.ERASED and vault.reference(person) != reference


def test_machines_that_erase_and_encrypt_at_once_leave_no_key(url: str) -> None:
    references = [f"p_{secrets.token_hex(4)}" for _ in range(30)]
    controller = secrets.token_hex(4)

    def encrypt(vault: SqlVault) -> None:
        for reference in references:
            vault.data_keys({reference})

    def erase(vault: SqlVault) -> None:
        for reference in references:
            vault.erasures.intend(reference, [controller], ground="GDPR 17(1)(a)", actor="p_staff")
            vault.erasures.destroy(reference)

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(act, SqlVault(url, KEY)) for act in (encrypt, erase, encrypt, erase)]
        for ended in work:
            ended.result()
    vault = SqlVault(url, KEY)
    assert [vault.kept_keys.find(reference) for reference in references] == [None] * 30
    numbers = [erasure.number for erasure in vault.erasures.all_unfinished() if erasure.controller == controller]
    assert sorted(number or 0 for number in numbers) == list(range(1, 31))


def test_another_key_is_refused(url: str, person: str) -> None:
    SqlVault(url, KEY).reference(person)
    with pytest.raises(ConfigError, match="does not belong"):
        SqlVault(url, SecretBytes(secrets.token_bytes(32)))


def test_a_server_that_is_away_is_an_error_to_retry(unused_tcp_port: int, tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="vault does not answer"):
        SqlVault(f"postgresql://u:hunter2@127.0.0.1:{unused_tcp_port}/d", KEY)
