"""Keeps who is behind a reference: each person has one random reference, found again by a keyed hash.

The vault holds an HMAC-SHA256 of the identifier under a key that is stored elsewhere, and the reference; never the
identifier. A reference is 128 random bits, so it says nothing about the person; deleting the row severs the link
for good (GDPR 4(5), EDPB 01/2025). One vault has one space of identifiers: systems that number their people apart
qualify them first (`crm:42`, `hr:42`).
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pydantic import SecretBytes
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, String, Table, create_engine, event, select
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from inzage.schemas.emitter.vault_key import key_for, private_file
from inzage.schemas.errors import ConfigError, TransientError

REFERENCE_BYTES = 16
REMEMBERED = 100_000
FORGOTTEN_AFTER = timedelta(minutes=1)
"""A reference is looked up again after this, so that an erasure elsewhere takes hold here."""

_metadata = MetaData()
_persons = Table(
    "person",
    _metadata,
    Column("blind_index", LargeBinary(32), primary_key=True),
    Column("reference", String(64), nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
_key_checks = Table("key_check", _metadata, Column("value", LargeBinary(32), primary_key=True))


class Vault(Protocol):
    """Gives each person a reference. Implementations are safe to share between threads."""

    def reference(self, identifier: str) -> str:
        """The reference of the person with this identifier; a new one for a new person."""
        ...


class AlreadyPseudonyms:
    """The vault of a caller that hands out references itself: what it says is a reference already."""

    def reference(self, identifier: str) -> str:
        return str.__str__(identifier)


class SqlVault:
    """A vault in a database that SQLAlchemy reaches; processes may share it.

    Raises `ConfigError` when the key is not the one this vault was made with, `TransientError` when the database
    does not answer.
    """

    def __init__(self, url: str | URL, key: SecretBytes) -> None:
        self._key = key.get_secret_value()
        self._engine = _engine(make_url(url))
        self._known: dict[bytes, str] = {}
        self._forget_at = 0.0
        self._lock = threading.Lock()
        self._prepare()

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
        index = self._blind(unicodedata.normalize("NFC", identifier))
        with self._lock:
            if time.monotonic() >= self._forget_at or len(self._known) >= REMEMBERED:
                self._known.clear()
                self._forget_at = time.monotonic() + FORGOTTEN_AFTER.total_seconds()
            found = self._known.get(index)
            if found is None:
                found = self._known[index] = self._find_or_add(index)
            return found

    def close(self) -> None:
        self._engine.dispose()

    def _blind(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), "sha256")

    def _find_or_add(self, index: bytes) -> str:
        try:
            return self._find(index) or self._add(index)
        except SQLAlchemyError as error:
            raise _unavailable() from error

    def _find(self, index: bytes) -> str | None:
        with self._engine.connect() as connection:
            wanted = select(_persons.c.reference).where(_persons.c.blind_index == index)
            found: str | None = connection.execute(wanted).scalar_one_or_none()
            return found

    def _add(self, index: bytes) -> str:
        reference = f"p_{secrets.token_urlsafe(REFERENCE_BYTES)}"
        row = {"blind_index": index, "reference": reference, "created_at": datetime.now(UTC)}
        try:
            with self._engine.begin() as connection:
                connection.execute(_persons.insert(), row)
        except IntegrityError:
            found = self._find(index)  # another process was first
            if found is None:
                raise
            return found
        return reference

    def _prepare(self) -> None:
        check = self._blind("inzage: the key of this vault")
        try:
            _create_tables(self._engine)
            with self._engine.begin() as connection:
                kept = connection.execute(select(_key_checks.c.value)).scalars().all()
                if not kept:
                    connection.execute(_key_checks.insert(), {"value": check})
        except IntegrityError:
            return  # another process with the same key was first
        except SQLAlchemyError as error:
            raise _unavailable() from error
        if kept and check not in kept:
            raise ConfigError(
                "the key does not belong to this vault",
                code="config.vault-key",
                hint="with another key every person would get a second reference; restore the key that made it",
            )


def _create_tables(engine: Engine) -> None:
    try:
        _metadata.create_all(engine)
    except OperationalError:
        _metadata.create_all(engine)  # another process made them between the look and the making


def _unavailable() -> TransientError:
    return TransientError("the vault does not answer", code="transient.vault")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite" and not url.database:
        one = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        return create_engine(url, hide_parameters=True, **one)
    engine = create_engine(url, hide_parameters=True)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
