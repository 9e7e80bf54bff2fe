"""Keeps who is behind a reference: each person has one random reference, found again by a keyed hash.

The vault holds an HMAC-SHA256 of the identifier under a key that is stored elsewhere, and the reference; never the
identifier. A reference is 128 random bits, so it says nothing about the person; deleting the row severs the link
for good (GDPR 4(5), EDPB 01/2025). One vault has one space of identifiers: systems that number their people apart
qualify them first (`crm:42`, `hr:42`). It also keeps the keys under which words about a person are encrypted.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretBytes
from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from inzage.schemas.emitter.vault_data_keys import DataKeys
from inzage.schemas.emitter.vault_erasure import Erasures
from inzage.schemas.emitter.vault_key import key_for, key_kept_elsewhere, private_file
from inzage.schemas.emitter.vault_tables import KEY_CHECKS, PERSONS, create_tables, open_engine, unavailable
from inzage.schemas.errors import ConfigError, ContractError

URL_VARIABLE = "INZAGE_VAULT_URL"
FILE_NAME = "vault.sqlite"  # in the data directory of the settings
REFERENCE_BYTES = 16
REMEMBERED = 100_000
FORGOTTEN_AFTER = timedelta(minutes=1)
"""Reference and key are looked up again after this, so that an erasure elsewhere takes hold here."""


class Vault(Protocol):
    """Gives each person a reference and a key. Implementations are safe to share between threads."""

    def reference(self, identifier: str) -> str:
        """The reference of the person with this identifier; a new one for a new person."""
        ...

    def data_keys(self, references: Collection[str]) -> Mapping[str, AESGCM]:
        """The key of each data subject to encrypt words with; raises `ContractError` where there are no keys."""
        ...


class AlreadyPseudonyms:
    """The vault of a caller that hands out references itself: what it says is a reference already.

    `open_keys` opens the vault that keeps the keys of these references, once it is needed. Without it words that
    reveal something are refused: they could not be made unreadable again.
    """

    def __init__(self, open_keys: Callable[[], SqlVault] | None = None) -> None:
        self._open_keys = open_keys
        self._opened: SqlVault | None = None
        self._lock = threading.Lock()

    def reference(self, identifier: str) -> str:
        return str.__str__(identifier)

    def data_keys(self, references: Collection[str]) -> Mapping[str, AESGCM]:
        if self._open_keys is None:
            raise ContractError("may reveal something, and there is no vault to encrypt it", code="contract.no-key")
        with self._lock:
            self._opened = self._opened or self._open_keys()
        return self._opened.data_keys(references)


class SqlVault:
    """A vault in a database that SQLAlchemy reaches; processes may share it.

    Raises `ConfigError` when the key is not the one this vault was made with, `TransientError` when the database
    does not answer.
    """

    def __init__(self, url: str | URL, key: SecretBytes) -> None:
        self._key = key.get_secret_value()
        self._engine = open_engine(url)
        self._known: dict[bytes, str] = {}
        self._forget_at = 0.0
        self._lock = threading.RLock()
        self._data_keys = DataKeys(self._engine, self._key, self._lock, remembered=REMEMBERED, for_=FORGOTTEN_AFTER)
        self._erasures = Erasures(self._engine, self._data_keys, self._lock, self._forget)
        self._prepare()

    @classmethod
    def of(cls, data_dir: Path) -> SqlVault:
        """The vault of an installation: at the URL in `INZAGE_VAULT_URL`, else `vault.sqlite` in `data_dir`.

        The key of a vault at a URL is in `INZAGE_VAULT_KEY` or in the file that `INZAGE_VAULT_KEY_FILE` names.
        """
        if url := os.environ.get(URL_VARIABLE):
            return cls(url, key_kept_elsewhere())
        return cls.in_file(data_dir / FILE_NAME)

    @classmethod
    def in_file(cls, path: Path, key: SecretBytes | None = None) -> SqlVault:
        """The vault in the SQLite file `path`, made (mode 0600) when it is not there.

        Without `key` it is read from `INZAGE_VAULT_KEY`, from the file that `INZAGE_VAULT_KEY_FILE` names, or from
        `<path>.key`, which is made with the vault.
        """
        found = key or key_for(path)
        private_file(path)
        return cls(URL.create("sqlite", database=str(path)), found)

    @classmethod
    def passing(cls) -> SqlVault:
        """A vault in memory, with a key of its own: for a trial run that leaves nothing behind."""
        return cls("sqlite://", SecretBytes(secrets.token_bytes(32)))

    def reference(self, identifier: str) -> str:
        index = self._index(identifier)
        with self._lock:
            if time.monotonic() >= self._forget_at or len(self._known) >= REMEMBERED:
                self._forget()
            found = self._known.get(index)
            if found is None:
                found = self._known[index] = self._find_or_add(index)
            return found

    def data_keys(self, references: Collection[str]) -> Mapping[str, AESGCM]:
        return self._data_keys.obtain(references)

    @property
    def kept_keys(self) -> DataKeys:
        """The keys to read with."""
        return self._data_keys

    @property
    def erasures(self) -> Erasures:
        return self._erasures

    @property
    def source_instance(self) -> str:
        """Names this vault where it speaks, without saying anything of its key: 16 hexadecimal digits."""
        return self._blind("inzage: the name of this vault").hex()[:16]

    def find(self, identifier: str) -> str | None:
        """The reference of a person, None for nobody known; nobody is added."""
        try:
            with self._lock:
                return self._find(self._index(identifier))
        except SQLAlchemyError as error:
            raise unavailable() from error

    def find_unfinished(self, identifier: str) -> str | None:
        """The reference that a person had whose erasure was begun and not finished."""
        return self._erasures.unfinished(self._index(identifier))

    def is_linked(self, reference: str) -> bool:
        """Whether an identifier leads to this reference."""
        wanted = select(PERSONS.c.reference).where(PERSONS.c.reference == reference)
        try:
            with self._lock, self._engine.connect() as connection:
                return connection.execute(wanted).first() is not None
        except SQLAlchemyError as error:
            raise unavailable() from error

    def close(self) -> None:
        self._engine.dispose()

    def _forget(self) -> None:
        self._known.clear()
        self._data_keys.forget()
        self._forget_at = time.monotonic() + FORGOTTEN_AFTER.total_seconds()

    def _index(self, identifier: str) -> bytes:
        return self._blind(unicodedata.normalize("NFC", identifier))

    def _blind(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), "sha256")

    def _find_or_add(self, index: bytes) -> str:
        try:
            return self._find(index) or self._add(index)
        except SQLAlchemyError as error:
            raise unavailable() from error

    def _find(self, index: bytes) -> str | None:
        with self._engine.connect() as connection:
            wanted = select(PERSONS.c.reference).where(PERSONS.c.blind_index == index)
            found: str | None = connection.execute(wanted).scalar_one_or_none()
            return found

    def _add(self, index: bytes) -> str:
        reference = f"p_{secrets.token_urlsafe(REFERENCE_BYTES)}"
        row = {"blind_index": index, "reference": reference, "created_at": datetime.now(UTC)}
        try:
            with self._engine.begin() as connection:
                connection.execute(PERSONS.insert(), row)
        except IntegrityError:
            found = self._find(index)  # another process was first
            if found is None:
                raise
            return found
        return reference

    def _prepare(self) -> None:
        check = self._blind("inzage: the key of this vault")
        try:
            create_tables(self._engine)
            with self._engine.begin() as connection:
                kept = connection.execute(select(KEY_CHECKS.c.value)).scalars().all()
                if not kept:
                    connection.execute(KEY_CHECKS.insert(), {"value": check})
        except IntegrityError:
            return  # another process with the same key was first
        except SQLAlchemyError as error:
            raise unavailable() from error
        if kept and check not in kept:
            raise ConfigError(
                "the key does not belong to this vault",
                code="config.vault-key",
                hint="with another key every person would get a second reference; restore the key that made it",
            )
