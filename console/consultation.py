"""Says who looked at the trail, why and at how much, before anything is shown (LAW-01; GDPR 5(2) and 32, NEN 7513).

Each controller whose part of the trail was read gets an event on its own events topic: AuditTrailQueried with actor,
purpose, filter and number of rows. It is acknowledged by Kafka before `recorded` lets go, so what cannot be recorded
is not shown, and there is no way around that. Status and counts of offsets are about nobody and are not recorded.
"""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.settings import Settings
from inzage.schemas.topics import SCHEMAS, ControllerTopics

if TYPE_CHECKING:
    from inzage.schemas.emitter import Emitter

NOBODY_IN_PARTICULAR = "all"
"""The data subject of a look that is not about one person. The vault's own references begin with `p_`."""

WITHIN = 10.0
"""Seconds Kafka has to answer, and again to acknowledge."""

_SOURCE = "inzage"

ActorOption = Annotated[
    str, typer.Option("--actor", envvar="INZAGE_ACTOR", help="Who looks; by default the user of this machine.")
]
PurposeOption = Annotated[
    str, typer.Option("--purpose", envvar="INZAGE_PURPOSE", help="Why: a purpose of the vocabulary.")
]
RoleOption = Annotated[
    str, typer.Option("--role", envvar="INZAGE_ROLE", help="Role of the actor, as the role matrix names it.")
]
DEFAULT_PURPOSE = "INTERNAL_AUDIT"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks and why. Without an `actor` the user of this machine; the vault puts a reference in its place."""

    actor: str = ""
    purpose: str = DEFAULT_PURPOSE
    role: str = ""


@dataclass(slots=True)
class Look:
    """What was found, filled in by whoever looks: rows by controller. `controllers` may be narrowed to those read.

    `subject` is stated when it turns out that the look is about one person, by reference.
    """

    controllers: tuple[str, ...]
    rows: Counter[str] = field(default_factory=Counter)
    subject: str | None = None


def controllers_read(settings: Settings, named: str = "") -> tuple[str, ...]:
    """The controllers a query reads: the one named, else all of the installation; raises `ConfigError`."""
    found = tuple(known for known in settings.controllers if not named or known.upper() == named.upper())
    if not found:
        raise ConfigError(f"controller: {named or 'none'} is not one of this installation", code="config.controller")
    return found


@contextmanager
def recorded(
    settings: Settings,
    controllers: Sequence[str],
    reader: Reader,
    *,
    query: str,
    filter: Mapping[str, Any] | None = None,
    subject: str = NOBODY_IN_PARTICULAR,
    categories: Sequence[str] = ("IDENTITY",),
) -> Iterator[Look]:
    """Look at the trail within the block; leaving it well records the look, and only then may the rows be shown.

    `query` is the name of what is asked and `filter` what narrows it, neither with the identifier of a person.
    `subject` is the reference of the one person it is about, `categories` what is shown of persons: by default that
    there is one, by reference. Raises `TransientError` when it cannot be recorded, `ContractError` for a purpose that
    the vocabulary does not have.
    """
    look = Look(tuple(controllers))
    opening = _Opening(settings, look.controllers)
    try:
        yield look
        asked = {"query": query, **{name: value for name, value in (filter or {}).items() if value}}
        with _or_nothing_is_shown():
            emitter = opening.emitter()
            for controller in look.controllers:
                about = look.subject or subject
                event = event_of(
                    controller, reader, asked, look.rows[controller], subject=about, categories=categories
                )
                emitter.emit({"event": event}, pseudonymised=False)
            emitter.flush()
    finally:
        opening.close()


class _Opening:
    """Opens the emitter while the trail is asked: both wait for an answer most of the time."""

    def __init__(self, settings: Settings, controllers: Sequence[str]) -> None:
        from inzage.schemas.emitter import Emitter

        def open_() -> Emitter:
            opened = Emitter(
                controller_id=controllers[0],
                source_system=_SOURCE,
                settings=settings,
                delivery_timeout=WITHIN,
                block=WITHIN,
            )
            try:
                opened.find_topics([SCHEMAS, *(ControllerTopics(controller).events for controller in controllers)])
            except TransientError:
                opened.close()
                raise
            return opened

        self._beside = ThreadPoolExecutor(1)
        self._opened: Future[Emitter] = self._beside.submit(open_)

    def emitter(self) -> Emitter:
        return self._opened.result()

    def close(self) -> None:
        if self._opened.exception() is None:
            self._opened.result().close()
        self._beside.shutdown()


def event_of(
    controller: str,
    reader: Reader,
    asked: Mapping[str, Any],
    rows: int,
    *,
    subject: str = NOBODY_IN_PARTICULAR,
    categories: Sequence[str] = ("IDENTITY",),
) -> dict[str, Any]:
    """The look as an event in its JSON face, now; the actor still by identifier.

    It states what the packs ask of any event, so that looking breaks no promise by being badly described.
    """
    from inzage.schemas.emitter.persons import Pseudonym

    now = datetime.now(UTC)
    actor = {"id": reader.actor or f"os:{getpass.getuser()}", "type": "HUMAN", "org_id": controller}
    return {
        "event_type": "AuditTrailQueried",
        "occurred_at": now,
        "recorded_at": now,
        "controller_id": controller,
        "outcome": "SUCCESS",
        "action": "SEARCH",
        "actor": {**actor, "role": reader.role} if reader.role else actor,
        "subject": {"pseudonym": Pseudonym(subject)},
        "data_state": "PSEUDONYMISED",
        "data_categories": list(categories),
        "purpose": reader.purpose.upper(),
        "legal_basis": "LEGAL_OBLIGATION",
        "legal_provision_ref": "GDPR 5(2), 32",
        "filter": json.dumps(asked, ensure_ascii=False),
        "rows": rows,
    }


@contextmanager
def _or_nothing_is_shown() -> Iterator[None]:
    try:
        yield
    except TransientError as error:
        text = f"nothing is shown, because looking at the trail could not be recorded: {error}"
        raise TransientError(text, code=error.code, hint=error.hint) from error
