"""Keeps, for each log, the newest checkpoint a witness cosigned: the one thing a witness must never lose.

SQLite, on disk before anything is signed. A log advances only from the state that was checked, in one transaction
(compare and set), so neither a second request nor a second process can bring it back. Time does not go back either.
A register belongs to one key: a lost one cannot be begun again under the same key without saying so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text, create_engine, event, select
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.note import Verifier

_metadata = MetaData()
_owner = Table("owner", _metadata, Column("verifier", String, primary_key=True))
_newest = Table(
    "newest",
    _metadata,
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("cosigned_at", BigInteger, nullable=False),
)
_forks = Table(
    "fork",
    _metadata,
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("kept", Text, nullable=False),
    Column("refused", Text, nullable=False),
    Column("refused_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that was, or is about to be, cosigned `at` seconds since 1970; `note` has the log's signatures."""

    checkpoint: Checkpoint
    note: str
    at: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes that a log signed for one size, with different roots: `kept` was cosigned, `refused` was not."""

    origin: str
    size: int
    kept: str
    refused: str
    refused_at: int


class Register:
    """The register in the SQLite file `path`, made (mode 0600) when it is not there. Threads may share it.

    Raises `ConfigError` for a file that is no register, `TransientError` when it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._engine = _engine(path)
            _metadata.create_all(self._engine)
        except (OSError, SQLAlchemyError) as error:
            raise ConfigError(f"{path}: not a witness's state", code="config.witness-state") from error

    def owned(self) -> bool:
        """Whether it belongs to a key."""
        with self._engine.connect() as connection:
            return connection.execute(select(_owner)).first() is not None

    def belong_to(self, owner: Verifier) -> None:
        """Bind a new register to a key; raises `ConfigError` for one that belongs to another."""
        try:
            with self._engine.begin() as connection:
                owners = connection.execute(select(_owner.c.verifier)).scalars().all()
                if not owners:
                    connection.execute(_owner.insert(), {"verifier": str(owner)})
        except SQLAlchemyError as error:
            raise _unavailable() from error
        if owners not in ([], [str(owner)]):
            raise ConfigError(
                f"{self._path}: it is the state of another key",
                code="config.witness-state",
                hint="a key goes with its state: name the two that were made together",
            )

    def newest(self, origin: str) -> Cosigned | None:
        """The newest checkpoint cosigned of a log, None when there is none yet."""
        try:
            with self._engine.connect() as connection:
                row = connection.execute(select(_newest).where(_newest.c.origin == origin)).one_or_none()
        except SQLAlchemyError as error:
            raise _unavailable() from error
        if row is None:
            return None
        return Cosigned(Checkpoint(row.origin, row.size, row.root), row.note, row.cosigned_at)

    def advance(self, before: Cosigned | None, to: Cosigned) -> bool:
        """Replace `before`, on disk; False when it is no longer what the register holds."""
        checkpoint = to.checkpoint
        row = {"size": checkpoint.size, "root": checkpoint.root, "note": to.note, "cosigned_at": to.at}
        try:
            with self._engine.begin() as connection:
                if before is None:
                    connection.execute(_newest.insert(), {"origin": checkpoint.origin, **row})
                    return True
                still = (
                    (_newest.c.origin == checkpoint.origin)
                    & (_newest.c.size == before.checkpoint.size)
                    & (_newest.c.root == before.checkpoint.root)
                    & (_newest.c.cosigned_at <= to.at)
                )
                return connection.execute(_newest.update().where(still).values(row)).rowcount == 1
        except IntegrityError:
            return False  # another request was the log's first
        except SQLAlchemyError as error:
            raise _unavailable() from error

    def keep_fork(self, fork: Fork) -> None:
        """Keep two contradicting notes: the evidence against the log. The first of a size stays."""
        row = {name: getattr(fork, name) for name in Fork.__slots__}
        try:
            with self._engine.begin() as connection:
                connection.execute(_forks.insert(), row)
        except IntegrityError:
            pass  # kept already
        except SQLAlchemyError as error:
            raise _unavailable() from error

    def forks(self) -> list[Fork]:
        """Every fork that was refused, by origin and size."""
        with self._engine.connect() as connection:
            ordered = select(_forks).order_by(_forks.c.origin, _forks.c.size)
            return [Fork(**row) for row in connection.execute(ordered).mappings()]

    def close(self) -> None:
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout = 10000")
    # Not WAL: the state is one file at every instant, so that it cannot be moved or restored in part.
    cursor.execute("PRAGMA journal_mode = DELETE")
    cursor.execute("PRAGMA synchronous = EXTRA")  # FULL, and the end of the journal is on disk too
    cursor.close()


def _unavailable() -> TransientError:
    return TransientError("the witness's state cannot be read or written", code="transient.witness-state")
