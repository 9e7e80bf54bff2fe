"""What is believed of a cosignature and of a time stamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from inzage.schemas.errors import ConfigError
from inzage.sinks.ledger.note import COSIGNATURE, Note, NoteError, Signer, Verifier
from inzage.sinks.witness.attestations import (
    QuorumError,
    TimestampError,
    read_certificates,
    stamped_by,
    verify_cosignatures,
    verify_timestamp,
)
from tests.meta_log import MetaLog
from tests.stand_in_authority import StandInAuthority

SEALER = Signer.generate("sealer.example")
FIRST, SECOND, THIRD = (Signer.generate(f"witness.example/w{number}", COSIGNATURE) for number in (1, 2, 3))
KEYS = [FIRST.verifier, SECOND.verifier, THIRD.verifier]
NOTE = MetaLog(SEALER, leaves=9).note(9)
AT = 1_760_000_000


def cosigned(*witnesses: Signer, at: int = AT) -> Note:
    return NOTE.with_signatures(witness.sign(NOTE.text, at=at) for witness in witnesses)


def test_a_quorum_is_counted() -> None:
    two = cosigned(FIRST, THIRD)
    found = verify_cosignatures(str(two), KEYS, 2)
    assert [(one.by, one.at) for one in found] == [
        ("witness.example/w1", datetime.fromtimestamp(AT, UTC)),
        ("witness.example/w3", datetime.fromtimestamp(AT, UTC)),
    ]
    with pytest.raises(QuorumError, match="2 of 3 witnesses cosigned, 3 are needed"):
        verify_cosignatures(two, KEYS, 3)
    assert verify_cosignatures(NOTE, KEYS, 0) == ()


def test_a_witness_counts_once_and_strangers_do_not() -> None:
    twice = cosigned(FIRST).with_signatures(cosigned(FIRST, at=AT + 5).signatures)
    stranger = Signer.generate("witness.example/w2", COSIGNATURE)
    [one] = verify_cosignatures(twice.with_signatures([stranger.sign(NOTE.text, at=AT)]), KEYS, 1)
    assert one.at == datetime.fromtimestamp(AT + 5, UTC)


def test_one_key_under_two_names_counts_once() -> None:
    """A cosignature does not cover the name: whoever holds one could write it under the other."""
    other = Signer("witness.example/alias", COSIGNATURE, FIRST.private)
    with pytest.raises(QuorumError):
        verify_cosignatures(cosigned(FIRST, other), [FIRST.verifier, other.verifier], 2)


def test_a_false_cosignature_of_a_known_witness_refuses_the_note() -> None:
    true = cosigned(FIRST, SECOND)
    false = true.signatures[-1]._replace(value=bytes(72))
    with pytest.raises(NoteError, match="is false"):
        verify_cosignatures(true.with_signatures([false]), KEYS, 1)


@pytest.mark.parametrize("at", [0, 2**63, 2**64 - 1])
def test_a_cosignature_without_a_time_is_refused(at: int) -> None:
    with pytest.raises(NoteError, match="has no time"):
        verify_cosignatures(cosigned(FIRST, at=at), KEYS, 1)


def test_the_key_of_a_log_is_no_witness() -> None:
    with pytest.raises(ConfigError, match="not the key of a witness"):
        verify_cosignatures(NOTE, [Verifier(SEALER.name, 1, SEALER.verifier.public)], 1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> StandInAuthority:
    return StandInAuthority(tmp_path_factory.mktemp("authority"))


def stamp(authority: StandInAuthority, note: str) -> tuple[bytes, int]:
    """A token and the nonce it was asked with."""
    request = TimestampRequestBuilder(note.encode(), HashAlgorithm.SHA256).build()
    assert request.nonce is not None
    return authority.reply(request.as_bytes()), request.nonce


def test_a_stamp_says_when_and_by_whom(authority: StandInAuthority) -> None:
    token, nonce = stamp(authority, str(NOTE))
    at = verify_timestamp(str(NOTE), token, [authority.root], nonce=nonce)
    assert at.tzinfo is UTC
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=5)
    assert verify_timestamp(str(NOTE), token, read_certificates(authority.ca_file)) == at
    assert stamped_by(token) == "CN=Stand-in authority"


def test_a_stamp_of_something_else_is_refused(authority: StandInAuthority) -> None:
    token, nonce = stamp(authority, str(NOTE))
    with pytest.raises(TimestampError):
        verify_timestamp(str(cosigned(FIRST)), token, [authority.root])
    with pytest.raises(TimestampError, match="Nonce"):
        verify_timestamp(str(NOTE), token, [authority.root], nonce=nonce + 1)


def test_a_stamp_under_another_root_is_refused(authority: StandInAuthority, tmp_path: Path) -> None:
    token, _ = stamp(authority, str(NOTE))
    with pytest.raises(TimestampError):
        verify_timestamp(str(NOTE), token, [StandInAuthority(tmp_path).root])


def test_a_signer_for_another_purpose_is_refused(authority: StandInAuthority) -> None:
    token, _ = stamp(authority, str(NOTE))
    with pytest.raises(TimestampError, match="purpose"):
        verify_timestamp(str(NOTE), authority.for_another_purpose(token), [authority.root])


def test_a_signer_that_was_not_valid_then_is_refused(tmp_path: Path) -> None:
    expired = StandInAuthority(tmp_path, valid_until=datetime.now(UTC) - timedelta(hours=1))
    token, _ = stamp(expired, str(NOTE))
    with pytest.raises(TimestampError):
        verify_timestamp(str(NOTE), token, [expired.root])


def test_no_flipped_bit_makes_a_stamp_say_something_else(authority: StandInAuthority) -> None:
    """DER leaves some room outside what is signed; the time and what was stamped are not in it."""
    token, _ = stamp(authority, str(NOTE))
    at = verify_timestamp(str(NOTE), token, [authority.root])
    for place in range(len(token)):
        flipped = bytearray(token)
        flipped[place] ^= 1
        try:
            assert verify_timestamp(str(NOTE), bytes(flipped), [authority.root]) == at, place
        except TimestampError:
            pass


@pytest.mark.parametrize("token", [b"", b"no token", bytes(100)])
def test_what_is_no_token_is_refused(authority: StandInAuthority, token: bytes) -> None:
    with pytest.raises(TimestampError):
        verify_timestamp(str(NOTE), token, [authority.root])


def test_what_is_no_certificate_is_a_wrong_setting(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigError, match="no certificates"):
            read_certificates(path)
