"""Decides and carries out the erasure of a person: nothing before it is allowed, nothing twice, all of it said.

The order is that of `vault_erasure`: intend, destroy, say, note. A process that ends anywhere in between is finished
by the same command given again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inzage.schemas.emitter import AlreadyPseudonyms, Emitter, SqlVault
from inzage.schemas.emitter.vault_erasure import Erasure
from inzage.schemas.json_face import Said, read
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.holds import Obstacle, ObstacleKind, duty_to_keep, obstacles_of
from inzage.sinks.subject import extents_of, facts_on_holds, wait_for_trail
from inzage.sinks.trail import Trail

SOURCE_SYSTEM = "inzage"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `reference` is the data subject's, `actor` that of whoever carries it out, in which `role`."""

    reference: str
    controllers: tuple[str, ...]
    ground: str
    actor: str
    role: str | None = None
    request_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases at one installation; `trail_within` is how long to wait for a trail that is behind, in seconds."""

    settings: Settings
    vault: SqlVault
    trail: Trail
    trail_within: float = 30.0

    def is_known(self, reference: str) -> bool:
        """Whether vault or trail know of this reference at all."""
        return (
            self.vault.is_linked(reference)
            or self.vault.kept_keys.state(reference) is not None
            or bool(extents_of(self.trail, reference))
        )

    def obstacles(self, reference: str, controllers: Sequence[str], erased_at: Iterable[str] = ()) -> list[Obstacle]:
        """What forbids the erasure at `controllers` now, those of `erased_at` being done.

        Raises `TransientError` when the trail does not know enough to tell.
        """
        wait_for_trail(self.settings, self.trail, controllers, self.trail_within)
        now = datetime.now(UTC)
        extents = extents_of(self.trail, reference)
        named = {controller.upper() for controller in (*controllers, *erased_at)}
        found = [_another(extent.controller) for extent in extents if extent.controller not in named]
        for controller in controllers:
            facts = facts_on_holds(self.trail, reference, controller)
            found += obstacles_of([kept.said.record for kept in facts], controller, now)
            days = self.settings.keep_readable_days.get(controller, 0)
            for extent in extents:
                if extent.controller == controller.upper():
                    found += filter(None, [duty_to_keep(extent.last, days, controller, now)])
        return found

    def erase(self, request: Request) -> tuple[list[Erasure], list[Obstacle]]:
        """Erase, or finish what was begun; obstacles when it is refused. What is done already is not done again.

        Raises `TransientError` or `DeliveryError` when it could not be finished now.
        """
        erasures = self.vault.erasures
        begun = {erasure.controller for erasure in erasures.of(request.reference) if erasure.destroyed_at}
        missing = [controller for controller in request.controllers if controller not in begun]
        if missing:
            if found := self.obstacles(request.reference, missing, begun):
                erasures.withdraw(request.reference)
                return [], found
            erasures.intend(
                request.reference,
                missing,
                ground=request.ground,
                actor=request.actor,
                role=request.role,
                request_ref=request.request_ref,
            )
        if not all(erasure.finished for erasure in erasures.of(request.reference)):
            erasures.destroy(request.reference)
            for erasure in erasures.of(request.reference):
                if not erasure.finished:
                    self._say(erasure)
                    erasures.said(erasure)
        return erasures.of(request.reference), []

    def _say(self, erasure: Erasure) -> None:
        """Say the event; on return it is acknowledged."""
        with Emitter(
            controller_id=erasure.controller,
            source_system=SOURCE_SYSTEM,
            settings=self.settings,
            vault=AlreadyPseudonyms(),
        ) as emitter:
            emitter.send(erased_event(erasure, self.vault.source_instance))


def erased_event(erasure: Erasure, source_instance: str) -> Said:
    """The event that says it, the same bytes each time: id, number and times are those of the vault."""
    at = erasure.destroyed_at
    event = {
        "event_id": erasure.event_id,
        "event_type": "DataErased",
        "occurred_at": at,
        "recorded_at": at,
        "controller_id": erasure.controller,
        "source_system": SOURCE_SYSTEM,
        "source_instance": f"{source_instance}/{ControllerTopics(erasure.controller).events}",
        "source_sequence": erasure.number,
        "action": "ERASE",
        "outcome": "SUCCESS",
        "actor": {"id": erasure.actor, "type": "HUMAN", "role": erasure.role, "org_id": erasure.controller},
        "subject": {"pseudonym": erasure.reference},
        "data_categories": ["IDENTITY"],
        "purpose": "RIGHTS_REQUEST",
        "legal_basis": "LEGAL_OBLIGATION",
        "legal_provision_ref": erasure.ground,
        "request_ref": erasure.request_ref,
    }
    return read({"event": {name: value for name, value in event.items() if value is not None}})


def _another(controller: str) -> Obstacle:
    """The vault has one key and one link for a person: at no controller can they be erased for another."""
    reason = (
        f"{controller} has records about this person under the same reference, and would lose key and link as well; "
        f"name it too (--controller {controller}) if it erases them"
    )
    return Obstacle(controller, ObstacleKind.OTHER_CONTROLLER, reason)
