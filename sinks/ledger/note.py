"""Decides what a signed note is: a text and the signatures under it (C2SP signed-note), with Ed25519.

A signature of a log or of a statement is plain (type 1); a witness's is timestamped (type 4, C2SP tlog-cosignature).
A note is opened with the keys one trusts: unknown signatures are left alone, a false one of a known key refuses
the note. Keys are text: `name+hash+base64` for verifying, `PRIVATE+KEY+name+hash+base64` for signing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from inzage.schemas.errors import ConfigError, TamperError

ED25519 = 1
COSIGNATURE = 4  # Ed25519 over a timestamped statement

_DASH = "— "
_PRIVATE = "PRIVATE+KEY+"
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8


class NoteError(TamperError):
    """The note is no note, or is not signed by whom it should be."""

    code = "tamper.note"


class Signature(NamedTuple):
    """A line under a note: who, the first four bytes of the key's hash, and what the key's type makes of the rest."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    def with_signatures(self, more: Iterable[Signature]) -> Note:
        """The same text under which `more` stand too, each once."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))

    @classmethod
    def read(cls, note: str) -> Note:
        """Read a note without verifying anything; raises `NoteError`."""
        text, found, lines = note.rpartition("\n\n")
        if not found or not text or not lines.endswith("\n"):
            raise NoteError("not a signed note: a text, an empty line and signatures are expected")
        if any(sign < " " and sign != "\n" for sign in note):
            raise NoteError("not a signed note: control characters in it")
        return cls(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key one trusts, for signatures of one type."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(f"{self.name}\n".encode() + bytes([self.algorithm]) + self.public).digest()[:4]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def read(cls, text: str) -> Verifier:
        """Read `name+hash+base64`; raises `ConfigError`."""
        name, key_id, key = _parts(text.strip(), "verifier key")
        if key[0] not in (ED25519, COSIGNATURE) or len(key) != 1 + _KEY_BYTES:
            raise ConfigError(f"verifier key {name}: not an Ed25519 key", code="config.key")
        verifier = cls(name, key[0], key[1:])
        if verifier.key_id != key_id:
            raise ConfigError(f"verifier key {name}: its hash does not fit", code="config.key")
        return verifier

    def verify(self, text: str, signature: Signature) -> int | None:
        """Check a signature of this key over `text`; returns its time, in seconds since 1970, for a cosignature.

        Raises `NoteError`.
        """
        value, at, message = signature.value, None, text
        if self.algorithm == COSIGNATURE:
            at = int.from_bytes(value[:_TIME_BYTES], "big")
            value, message = value[_TIME_BYTES:], _cosigned(at, text)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message.encode())
        except (InvalidSignature, ValueError) as error:
            raise NoteError(f"the signature of {self.name} is false") from error
        return at

    def claimed(self, signature: Signature) -> bool:
        """Whether `signature` says it is of this key; nothing is verified."""
        return signature.name == self.name and signature.key_id == self.key_id

    def find(self, note: Note) -> Signature | None:
        """The first signature on `note` that claims to be of this key; not verified."""
        return next((one for one in note.signatures if self.claimed(one)), None)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs. Signing is deterministic (RFC 8032): the same text has one signature."""

    name: str
    algorithm: int
    private: Ed25519PrivateKey

    @classmethod
    def generate(cls, name: str, algorithm: int = ED25519) -> Signer:
        """A new key; raises `ConfigError` for a name that a note cannot hold."""
        if not name or "+" in name or any(sign.isspace() for sign in name):
            raise ConfigError("a key's name has no spaces and no plus", code="config.key")
        return cls(name, algorithm, Ed25519PrivateKey.generate())

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.algorithm, self.private.public_key().public_bytes_raw())

    def secret(self) -> str:
        """`PRIVATE+KEY+name+hash+base64`: to be kept in a file of its owner, and never shown."""
        key = base64.b64encode(bytes([self.algorithm]) + self.private.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{key}"

    @classmethod
    def read(cls, text: str) -> Signer:
        """Read what `secret` wrote; raises `ConfigError`, which does not repeat it."""
        if not text.startswith(_PRIVATE):
            raise ConfigError("not a signing key", code="config.key")
        name, key_id, key = _parts(text.strip().removeprefix(_PRIVATE), "signing key")
        if key[0] not in (ED25519, COSIGNATURE) or len(key) != 1 + _KEY_BYTES:
            raise ConfigError(f"signing key {name}: not an Ed25519 key", code="config.key")
        signer = cls(name, key[0], Ed25519PrivateKey.from_private_bytes(key[1:]))
        if signer.verifier.key_id != key_id:
            raise ConfigError(f"signing key {name}: its hash does not fit", code="config.key")
        return signer

    def sign(self, text: str, *, at: int | None = None) -> Signature:
        """Sign `text`, which ends with a newline; a cosignature says it was seen `at` seconds since 1970."""
        if self.algorithm == COSIGNATURE:
            if at is None:
                raise ValueError("a cosignature needs a time")
            value = at.to_bytes(_TIME_BYTES, "big") + self.private.sign(_cosigned(at, text).encode())
        else:
            value = self.private.sign(text.encode())
        return Signature(self.name, self.verifier.key_id, value)


def open_note(note: str, trusted: Sequence[Verifier]) -> Note:
    """Read `note` and check it; only verified signatures are returned, and at least one is.

    Raises `NoteError` when no trusted key signed it, or a signature that claims to be of one is false.
    """
    read = Note.read(note)
    verified = []
    for signature in read.signatures:
        for verifier in trusted:
            if verifier.claimed(signature):
                verifier.verify(read.text, signature)
                verified.append(signature)
    if not verified:
        raise NoteError("the note is not signed by a trusted key")
    return Note(read.text, tuple(verified))


def _cosigned(at: int, text: str) -> str:
    return f"cosignature/v1\ntime {at}\n{text}"


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).rpartition(" ")
    try:
        value = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        value = b""
    if not line.startswith(_DASH) or not name or len(value) <= 4:
        raise NoteError("not a signed note: a line under the text is no signature")
    return Signature(name, value[:4], value[4:])


def _parts(text: str, what: str) -> tuple[str, bytes, bytes]:
    try:
        name, key_id, key = text.split("+", 2)
        parts = name, bytes.fromhex(key_id), base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ConfigError(f"{what}: expected name+hash+base64", code="config.key") from error
    if not all(parts):
        raise ConfigError(f"{what}: expected name+hash+base64", code="config.key")
    return parts
