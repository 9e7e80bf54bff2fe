"""Keeps how a vault stands in its database: SQLite in a file of its owner's, or a server that SQLAlchemy reaches.

What is deleted from SQLite is overwritten: freed pages with zeros, and the write-ahead log is emptied after an
erasure. A server has its own ways (docs/guide/subjects.md).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, ProgrammingError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from inzage.schemas.errors import ConfigError, TransientError

_BUSY_WITHIN = 30  # seconds that a lock of SQLite's is waited for
_LOOK_AGAIN = 0.01

_metadata = MetaData()

PERSONS = Table(
    "person",
    _metadata,
    Column("blind_index", LargeBinary(32), primary_key=True),
    Column("reference", String(64), nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
KEY_CHECKS = Table("key_check", _metadata, Column("value", LargeBinary(32), primary_key=True))
DATA_KEYS = Table(
    "data_key",
    _metadata,
    Column("reference", String, primary_key=True),
    Column("state", String(16), nullable=False),  # a `KeyState`
    Column("wrapped", LargeBinary),  # null once erased: the row remains, so that nobody makes a new key
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("erased_at", DateTime(timezone=True)),
)
ERASURES = Table(
    "erasure",
    _metadata,
    Column("reference", String, primary_key=True),
    Column("controller", String, primary_key=True),
    Column("number", Integer),  # given when it is destroyed: one that is withdrawn leaves no gap
    Column("event_id", String(64), nullable=False),
    Column("ground", String, nullable=False),
    Column("request_ref", String),
    Column("actor", String, nullable=False),
    Column("role", String),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("destroyed_at", DateTime(timezone=True)),
    Column("said_at", DateTime(timezone=True)),
    Column("blind_index", LargeBinary(32)),  # until it is said, so that the command can be repeated
    UniqueConstraint("controller", "number"),
)


def open_engine(url: str | URL) -> Engine:
    """The database at `url`; raises `ConfigError`, which does not repeat the URL: it may hold a password."""
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+pg8000")
        if address.get_backend_name() == "sqlite" and not address.database:
            one = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
            return create_engine(address, hide_parameters=True, **one)
        engine = create_engine(address, hide_parameters=True, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(
            "the URL of the vault cannot be used",
            code="config.vault-url",
            hint="expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE; the latter needs the extra "
            "`postgresql`",
        ) from error
    if address.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def create_tables(engine: Engine) -> None:
    """Make what is missing; another process may do the same at the same time."""
    for table in _metadata.sorted_tables:
        try:
            _create(engine, table)
        except (IntegrityError, ProgrammingError):
            _create(engine, table)  # PostgreSQL: another process made it between the look and the making


def _create(engine: Engine, table: Table) -> None:
    with engine.begin() as connection:
        connection.execute(CreateTable(table, if_not_exists=True))


def overwrite_deleted(engine: Engine) -> None:
    """Leave nothing of what was deleted in the write-ahead log; raises `TransientError` when somebody reads it."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + _BUSY_WITHIN
    while True:
        with engine.connect() as connection:
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
        if not busy:
            return
        if time.monotonic() >= deadline:
            raise TransientError("the vault is in use and cannot be overwritten yet", code="transient.vault")
        # SQLite waits for readers and writers, but not for another checkpoint: that one may end before our write.
        time.sleep(_LOOK_AGAIN)


def utc(instant: datetime | None) -> datetime | None:
    """An instant as read from the database: SQLite forgets that it is UTC."""
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant


def unavailable() -> TransientError:
    return TransientError("the vault does not answer", code="transient.vault")


def _prepare_sqlite(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_WITHIN * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()
