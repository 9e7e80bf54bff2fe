"""Writes an encrypted text as a text that says what it is, and reads it back: `enc:1:<base64url>`.

Encoded are nonce, ciphertext and tag of AES-256-GCM (NIST SP 800-38D) under the key of one data subject, with a
random nonce of 96 bits. What is authenticated beside it is where the text stands (record, its id, path), so that a
token cannot be carried to another field or event. The length of the text stays visible.
"""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inzage.schemas.errors import ContractError

PREFIX = "enc:1:"
NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: 96 bits; one key encrypts far fewer than 2^32 texts of one person
TAG_BYTES = 16

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{{(NONCE_BYTES + TAG_BYTES) * 8 // 6 + 1},}}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: the name of the record's schema, the id of the event or fact, the path in the record."""

    schema: str
    identifier: str
    path: tuple[str, ...]

    @property
    def field(self) -> str:
        return ".".join(self.path)

    def associated(self) -> bytes:
        """The associated data: a JSON array, in which no two places read the same."""
        return json.dumps([self.schema, self.identifier, *self.path]).encode()


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token; that it can be read is another matter."""
    return text.startswith(PREFIX) and _TOKEN.fullmatch(text) is not None


def write_token(text: str, key: AESGCM, place: Place) -> str:
    """Encrypt `text`; raises `ContractError` naming the field for what is not Unicode."""
    try:
        plain = text.encode()
    except UnicodeEncodeError as error:
        raise ContractError(f"{place.field}: not Unicode text", code="contract.not-unicode") from error
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + key.encrypt(nonce, plain, place.associated())
    return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def read_token(token: str, key: AESGCM, place: Place) -> str:
    """The text of `token`; raises `ContractError` when it is not the one that was written at `place` under `key`."""
    encoded = token.removeprefix(PREFIX)
    try:
        sealed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.associated()).decode()
    except (InvalidTag, ValueError) as error:
        raise ContractError(f"{place.field}: not what was written here", code="contract.token") from error
