"""Keeps one AES-256 key for each data subject whose words were encrypted, wrapped by a key of the vault.

The wrapping key follows from the vault key by HKDF-SHA256 (RFC 5869); a key is wrapped by AES-256-GCM with the
subject's reference as associated data, so a row cannot stand in for another. Once erased a reference never gets a
key again: what is still said under it is encrypted with a key that nobody keeps.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import RLock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from inzage.schemas.emitter.vault_tables import DATA_KEYS, unavailable
from inzage.schemas.errors import ConfigError, TransientError

KEY_BYTES = 32
NONCE_BYTES = 12

_WRAPPING = b"inzage vault: wrapping of data keys, 1"
_AT_ONCE = 500  # references in one statement: SQLite takes 999 parameters in older builds
_TRIES = 20


class KeyState(StrEnum):
    """Whether what was said about a subject can be read."""

    ACTIVE = "active"
    ERASED = "erased"


class DataKeys:
    """The keys of one vault. `lock` guards the connection of the vault that is in memory."""

    def __init__(self, engine: Engine, vault_key: bytes, lock: RLock, *, remembered: int, for_: timedelta) -> None:
        self._engine = engine
        self._wrapping = AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=_WRAPPING).derive(vault_key))
        self._lock = lock
        self._remembered = remembered
        self._for = for_.total_seconds()
        self._known: dict[str, AESGCM] = {}
        self._forget_at = 0.0

    def obtain(self, references: Collection[str]) -> Mapping[str, AESGCM]:
        """A key to encrypt with for each reference; those that have none get one, in one transaction."""
        with self._lock:
            if time.monotonic() >= self._forget_at or len(self._known) >= self._remembered:
                self.forget()
            wanted = sorted(set(references) - self._known.keys())
            try:
                for start in range(0, len(wanted), _AT_ONCE):
                    self._known.update(self._find_or_add(wanted[start : start + _AT_ONCE]))
            except SQLAlchemyError as error:
                raise unavailable() from error
            return {reference: self._known[reference] for reference in references}

    def find(self, reference: str) -> AESGCM | None:
        """The key to read with, None when there is none or no more; raises `ConfigError` when it was replaced."""
        found = self._rows([reference]).get(reference)
        return None if found is None or found[1] is None else self._unwrap(reference, found[1])

    def state(self, reference: str) -> KeyState | None:
        """None when nothing was ever encrypted for it and it was not erased."""
        found = self._rows([reference]).get(reference)
        return None if found is None else found[0]

    def forget(self) -> None:
        """Look everything up again."""
        self._known.clear()
        self._forget_at = time.monotonic() + self._for

    def destroy(self, connection: Connection, reference: str, at: datetime) -> None:
        """Destroy the key, within the transaction of `connection`; what remains says that it was erased.

        Raises `IntegrityError` when another process made a key just now: the transaction must be tried again.
        """
        gone = {"state": KeyState.ERASED, "wrapped": None, "erased_at": at}
        of = DATA_KEYS.c.reference == reference
        if connection.execute(select(DATA_KEYS.c.state).where(of)).scalar_one_or_none() is None:
            connection.execute(DATA_KEYS.insert(), {"reference": reference, "created_at": at, **gone})
        else:
            connection.execute(update(DATA_KEYS).where(of, DATA_KEYS.c.state == KeyState.ACTIVE).values(gone))

    def _find_or_add(self, references: list[str]) -> dict[str, AESGCM]:
        for _ in range(_TRIES):
            rows = self._rows(references)
            missing = [reference for reference in references if reference not in rows]
            if not missing or self._add(missing):
                rows = self._rows(references) if missing else rows
                return {reference: self._usable(reference, *row) for reference, row in rows.items()}
        raise TransientError("the vault is too busy", code="transient.vault")

    def _add(self, references: list[str]) -> bool:
        """Make keys; false when another process made one of them meanwhile."""
        now = datetime.now(UTC)
        rows = [
            {"reference": reference, "state": KeyState.ACTIVE, "wrapped": self._wrap(reference), "created_at": now}
            for reference in references
        ]
        try:
            with self._engine.begin() as connection:
                connection.execute(DATA_KEYS.insert(), rows)
        except IntegrityError:
            return False
        return True

    def _rows(self, references: list[str]) -> dict[str, tuple[KeyState, bytes | None]]:
        wanted = select(DATA_KEYS.c.reference, DATA_KEYS.c.state, DATA_KEYS.c.wrapped).where(
            DATA_KEYS.c.reference.in_(references)
        )
        try:
            with self._lock, self._engine.connect() as connection:
                return {reference: (KeyState(state), key) for reference, state, key in connection.execute(wanted)}
        except SQLAlchemyError as error:
            raise unavailable() from error

    def _usable(self, reference: str, state: KeyState, wrapped: bytes | None) -> AESGCM:
        if state is KeyState.ERASED or wrapped is None:
            return AESGCM(secrets.token_bytes(KEY_BYTES))
        return self._unwrap(reference, wrapped)

    def _wrap(self, reference: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, secrets.token_bytes(KEY_BYTES), reference.encode())

    def _unwrap(self, reference: str, wrapped: bytes) -> AESGCM:
        try:
            plain = self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], reference.encode())
        except InvalidTag as error:
            raise ConfigError(
                "a data key in the vault is not the one that was put there",
                code="config.vault-damaged",
                hint="restore the vault from a copy; what was encrypted under that key cannot be read without it",
            ) from error
        return AESGCM(plain)
