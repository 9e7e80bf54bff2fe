"""Words come back as they were said, only where they were said, and only while the key of the person is there."""

from __future__ import annotations

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import example, given
from hypothesis import strategies as st

from inzage.schemas.codec import decode, encode
from inzage.schemas.emitter.vault import SqlVault
from inzage.schemas.emitter.vault_token import PREFIX, Place, is_token, read_token, write_token
from inzage.schemas.emitter.words import decrypt_words, encrypt_words
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said, read

TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)
NAMES = st.text('abc.\x00"]é', max_size=6)
PLACES = st.builds(Place, NAMES, NAMES, st.lists(NAMES, min_size=1, max_size=3).map(tuple))
KEYS = st.binary(min_size=32, max_size=32).map(AESGCM)


@given(TEXTS, KEYS, PLACES)
@example("", AESGCM(bytes(32)), Place("activity", "e", ("filter",)))
def test_a_token_reads_back_where_it_was_written(text: str, key: AESGCM, place: Place) -> None:
    token = write_token(text, key, place)
    assert is_token(token) and token.isascii()
    assert len(text) < 8 or text not in token
    assert read_token(token, key, place) == text
    assert write_token(text, key, place) != token, "the nonce is random"


@given(TEXTS, KEYS, PLACES, PLACES)
@example("x", AESGCM(bytes(32)), Place("activity", "e", ("a", "b")), Place("activity", "e", ("a.b",)))
@example("x", AESGCM(bytes(32)), Place("activity", "e", ("a",)), Place("activity", "e", ("a", "")))
@example("x", AESGCM(bytes(32)), Place("activity", "e", ("a",)), Place("fact", "e", ("a",)))
def test_a_token_reads_nowhere_else(text: str, key: AESGCM, place: Place, other: Place) -> None:
    token = write_token(text, key, place)
    if other != place:
        with pytest.raises(ContractError, match="not what was written here"):
            read_token(token, key, other)


@given(TEXTS, PLACES, st.data())
def test_a_changed_token_and_another_key_are_refused(text: str, place: Place, data: st.DataObject) -> None:
    key = AESGCM(os.urandom(32))
    token = write_token(text, key, place)
    with pytest.raises(ContractError):
        read_token(token, AESGCM(os.urandom(32)), place)
    at = data.draw(st.integers(len(PREFIX), len(token) - 2))  # the last character may hold unused bits
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(ContractError):
        read_token(changed, key, place)


EVENTS = st.fixed_dictionaries(
    {"event_id": st.sampled_from(["e-1", "e-2"])},
    optional={
        "break_glass_reason": TEXTS,
        "filter": TEXTS,
        "unrecognised": st.dictionaries(st.sampled_from(["purpose", "actor.type"]), TEXTS),
    },
)


def activity(said: dict[str, Any]) -> Said:
    event = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "p_1"}}
    return read({"event": {**event, "controller_id": "CIGNA", **said}})


@given(EVENTS)
def test_an_event_reads_back_whole_and_once_erased_without_its_words(said: dict[str, Any]) -> None:
    vault = SqlVault.passing()
    plain, carried = activity(said), activity(said)
    encrypt_words([carried], vault)
    encrypt_words([carried], vault)  # again is harmless: tokens stay as they are
    _, arrived = decode(encode("activity", carried.record))
    key = vault.kept_keys.find("p_1")
    whole = decrypt_words(Said("activity", arrived), key)
    assert whole.said.record == plain.record and whole.unreadable == ()
    vault.erasures.destroy("p_1")
    assert vault.kept_keys.find("p_1") is None
    gone = decrypt_words(Said("activity", arrived), vault.kept_keys.find("p_1"))
    words = [text for name in said if name != "event_id" for text in _texts(said[name])]
    assert len(gone.unreadable) == len(words)
    assert not [text for name in said if name != "event_id" for text in _texts(gone.said.record[name]) if text]
    assert {name: gone.said.record[name] for name in plain.record if name not in said} == {
        name: plain.record[name] for name in plain.record if name not in said
    }


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else [value] if value else []
