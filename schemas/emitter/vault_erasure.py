"""Keeps what is to be erased from a vault, and how far that has come, so that a repeated command finishes it.

An erasure goes through three commits: intended (nothing is lost yet, and what will be said is fixed), destroyed
(key and link are gone), said (the event was acknowledged; the last trace of the link goes too). Each can be made
again, and whoever finds one unfinished can finish it. What was only intended can be withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from inzage.schemas.emitter.identity import new_id
from inzage.schemas.emitter.vault_data_keys import DataKeys
from inzage.schemas.emitter.vault_tables import ERASURES, PERSONS, overwrite_deleted, unavailable, utc
from inzage.schemas.errors import TransientError

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of one data subject at one controller; times in UTC.

    `number` counts the erasures of this vault at the controller from 1 without a gap, None until it is destroyed:
    with it, `event_id` and `destroyed_at` the event is the same however often it is said. `actor` is the reference
    of whoever carried it out, `role` the one in which that was done.
    """

    reference: str
    controller: str
    number: int | None
    event_id: str
    ground: str
    request_ref: str | None
    actor: str
    role: str | None
    requested_at: datetime
    destroyed_at: datetime | None
    said_at: datetime | None

    @property
    def finished(self) -> bool:
        return self.said_at is not None


@dataclass(frozen=True, slots=True)
class Erasures:
    """The erasures of one vault; `forget` is told when the vault must look up again what it remembers.

    Methods raise `TransientError` when the database does not answer.
    """

    engine: Engine
    data_keys: DataKeys
    lock: RLock
    forget: Callable[[], None]

    def intend(
        self,
        reference: str,
        controllers: Sequence[str],
        *,
        ground: str,
        actor: str,
        role: str | None = None,
        request_ref: str | None = None,
    ) -> list[Erasure]:
        """Fix what will be said. One that was intended before stays as it was."""
        for _ in range(_TRIES):
            known = {erasure.controller for erasure in self.of(reference)}
            missing = [controller for controller in controllers if controller not in known]
            if not missing:
                return [erasure for erasure in self.of(reference) if erasure.controller in controllers]
            try:
                with self.lock, self.engine.begin() as connection:
                    blind = select(PERSONS.c.blind_index).where(PERSONS.c.reference == reference)
                    index = connection.execute(blind).scalar_one_or_none()
                    for controller in missing:
                        row = {
                            "reference": reference,
                            "controller": controller,
                            "event_id": new_id(),
                            "ground": ground,
                            "request_ref": request_ref,
                            "actor": actor,
                            "role": role,
                            "requested_at": datetime.now(UTC),
                            "blind_index": index,
                        }
                        connection.execute(ERASURES.insert(), row)
            except IntegrityError:
                continue  # another process intended the same
            except SQLAlchemyError as error:
                raise unavailable() from error
        raise TransientError("the vault is too busy", code="transient.vault")

    def withdraw(self, reference: str) -> None:
        """Let go of what was intended and not destroyed."""
        open_ = (ERASURES.c.reference == reference, ERASURES.c.destroyed_at.is_(None))
        try:
            with self.lock, self.engine.begin() as connection:
                connection.execute(delete(ERASURES).where(*open_))
        except SQLAlchemyError as error:
            raise unavailable() from error

    def destroy(self, reference: str) -> None:
        """Destroy key and link, and overwrite where they stood; again is harmless."""
        for _ in range(_TRIES):
            now = datetime.now(UTC)
            try:
                with self.lock:
                    with self.engine.begin() as connection:
                        self.data_keys.destroy(connection, reference, now)
                        connection.execute(delete(PERSONS).where(PERSONS.c.reference == reference))
                        self._number(connection, reference, now)
                    self.forget()
                    overwrite_deleted(self.engine)
                return
            except IntegrityError:
                continue  # another process made a key, which is there to destroy now, or took the number
            except SQLAlchemyError as error:
                raise unavailable() from error
        raise TransientError("the vault is too busy", code="transient.vault")

    def _number(self, connection: Connection, reference: str, at: datetime) -> None:
        open_ = (ERASURES.c.reference == reference, ERASURES.c.destroyed_at.is_(None))
        for controller in connection.execute(select(ERASURES.c.controller).where(*open_)).scalars().all():
            of = ERASURES.c.controller == controller
            highest = connection.execute(select(func.max(ERASURES.c.number)).where(of)).scalar_one()
            done = {"destroyed_at": at, "number": (highest or 0) + 1}
            connection.execute(update(ERASURES).where(*open_, of).values(done))

    def said(self, erasure: Erasure) -> None:
        """Note that the event was acknowledged, and let go of the last trace of the identifier."""
        of = (ERASURES.c.reference == erasure.reference, ERASURES.c.controller == erasure.controller)
        done = {"said_at": datetime.now(UTC), "blind_index": None}
        try:
            with self.lock:
                with self.engine.begin() as connection:
                    connection.execute(update(ERASURES).where(*of).values(done))
                overwrite_deleted(self.engine)
        except SQLAlchemyError as error:
            raise unavailable() from error

    def of(self, reference: str) -> list[Erasure]:
        """The erasures of a reference, by controller."""
        return self._read(ERASURES.c.reference == reference)

    def all_unfinished(self) -> list[Erasure]:
        """Those whose key may be gone already, and of which the trail may not know yet."""
        return self._read(ERASURES.c.said_at.is_(None))

    def _read(self, which: ColumnElement[bool]) -> list[Erasure]:
        wanted = select(ERASURES).where(which).order_by(ERASURES.c.reference, ERASURES.c.controller)
        try:
            with self.lock, self.engine.connect() as connection:
                return [_erasure(row) for row in connection.execute(wanted)]
        except SQLAlchemyError as error:
            raise unavailable() from error

    def unfinished(self, blind_index: bytes) -> str | None:
        """The reference of the person behind `blind_index` whose erasure was begun and not said."""
        wanted = select(ERASURES.c.reference).where(ERASURES.c.blind_index == blind_index).limit(1)
        try:
            with self.lock, self.engine.connect() as connection:
                found: str | None = connection.execute(wanted).scalar_one_or_none()
                return found
        except SQLAlchemyError as error:
            raise unavailable() from error


def _erasure(row: Row[Any]) -> Erasure:
    fields = {name: value for name, value in row._mapping.items() if name != "blind_index"}
    times = {name: utc(fields[name]) for name in ("requested_at", "destroyed_at", "said_at")}
    return Erasure(**{**fields, **times})
