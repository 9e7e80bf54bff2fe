"""Encrypts what may reveal something about a person before it leaves the process, and reads it back.

Each revealing field becomes tokens (`vault_token`) under the key of the data subject; the schema keeps its type, so
whoever has no key reads the record as ever, without those words. A token stays as it is: a record that was handed
over and refused can be handed over again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inzage.schemas.emitter.reader import said_id
from inzage.schemas.emitter.vault import Vault
from inzage.schemas.emitter.vault_token import Place, is_token, read_token, write_token
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said
from inzage.schemas.revealing import Words, replace_words, subject_of, texts_of, words_of


def encrypt_words(saids: Iterable[Said], vault: Vault) -> None:
    """Put tokens in place of the revealing words of `saids`, in their records.

    Raises `ContractError` naming the field when `vault` has no keys; nothing is changed then.
    """
    revealing = [(said, found) for said in saids if (found := words_of(said.kind, said.record)) and _are_plain(found)]
    if not revealing:
        return
    try:
        keys = vault.data_keys({subject_of(said.kind, said.record) for said, _ in revealing})
    except ContractError as error:
        raise ContractError(f"{revealing[0][1][0].name}: {error}", code=error.code, hint=error.hint) from error
    for said, found in revealing:
        key = keys[subject_of(said.kind, said.record)]
        for words in found:
            _encrypt(words, key, said)


@dataclass(frozen=True, slots=True)
class Readable:
    """What was said, with its words as they were said; `unreadable` names the fields whose words are gone."""

    said: Said
    unreadable: tuple[str, ...]


def decrypt_words(said: Said, key: AESGCM | None) -> Readable:
    """A copy of `said` with plain words; without `key`, or where a token is not genuine, there is null instead."""
    record = dict(said.record)
    if said.kind == "fact":
        name, body = record["body"]
        record["body"] = (name, dict(body))
    unreadable: list[str] = []

    def read(text: str, path: tuple[str, ...]) -> str | None:
        if not is_token(text):
            return text
        place = Place(said.kind, said_id(said), path)
        try:
            if key is not None:
                return read_token(text, key, place)
        except ContractError:
            pass  # named among the unreadable, as what was erased is
        unreadable.append(place.field)
        return None

    for words in words_of(said.kind, record):
        replace_words(words, read)
    return Readable(replace(said, record=record), tuple(unreadable))


def _encrypt(words: Words, key: AESGCM, said: Said) -> None:
    def encrypt(text: str, path: tuple[str, ...]) -> str:
        return text if is_token(text) else write_token(text, key, Place(said.kind, said_id(said), path))

    replace_words(words, encrypt)


def _are_plain(found: list[Words]) -> bool:
    """Whether any text is no token yet."""
    return any(not is_token(text) for words in found for text in texts_of(words))
