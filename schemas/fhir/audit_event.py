"""Keeps what an AuditEvent says, in one form for R4 and R5: who, to whom, about whom, what, when and why.

R4: hl7.org/fhir/R4/auditevent.html with the IHE profiles (profiles.ihe.net/ITI/BALP); R5:
hl7.org/fhir/R5/auditevent.html. Elements of either release are read wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inzage.schemas.errors import ContractError
from inzage.schemas.fhir.lenient import Resource, codes, each, instant, label, one, resource_type, text


@dataclass(frozen=True, slots=True)
class Agent:
    """One who took part. `names` are all that a mapping file may know it by."""

    who: str | None
    kind: str | None
    codes: tuple[str, ...]
    roles: tuple[str, ...]
    requestor: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that was touched, or the patient."""

    what: str | None
    kind: str | None
    codes: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One AuditEvent; `codes` runs from the most specific (subtype, code) to the broadest (type, category)."""

    id: str | None
    version: str | None
    codes: tuple[str, ...]
    action: str | None
    outcome: str | None
    occurred_at: datetime
    ended_at: datetime | None
    recorded_at: datetime
    purposes: tuple[str, ...]
    agents: tuple[Agent, ...]
    entities: tuple[Entity, ...]
    patients: tuple[str, ...]
    encounter: str | None
    based_on: str | None


def audit_event(resource: Resource) -> AuditEvent:
    """Read one resource; raises `ContractError` when it is no AuditEvent or has no time at which it happened."""
    if resource.get("resourceType") != "AuditEvent":
        raise ContractError("resourceType: expected AuditEvent", code="contract.fhir-resource-type")
    meta = one(resource.get("meta"))
    period = one(resource.get("occurredPeriod")) or one(resource.get("period"))
    started = instant(resource.get("occurredDateTime")) or instant(period.get("start"))
    ended = instant(period.get("end"))
    recorded = instant(resource.get("recorded"))
    occurred = started or recorded or ended
    if occurred is None:
        raise ContractError(
            "recorded: no time with a zone, nor in occurredDateTime, occurredPeriod or period",
            code="contract.fhir-no-time",
        )
    entities = tuple(_entity(entity) for entity in each(resource.get("entity")))
    return AuditEvent(
        id=text(resource.get("id")),
        version=text(meta.get("versionId")),
        codes=tuple(code for name in ("subtype", "code", "type", "category") for code in codes(resource.get(name))),
        action=text(resource.get("action")),
        outcome=_outcome(resource),
        occurred_at=occurred,
        ended_at=ended if ended and ended > occurred else None,
        recorded_at=recorded or instant(meta.get("lastUpdated")) or occurred,
        purposes=_purposes(resource),
        agents=tuple(_agent(agent) for agent in each(resource.get("agent"))),
        entities=entities,
        patients=_patients(resource, entities),
        encounter=label(resource.get("encounter")),
        based_on=label(resource.get("basedOn")),
    )


def _outcome(resource: Resource) -> str | None:
    stated = resource.get("outcome")
    return text(stated) or next(iter(codes(one(stated).get("code"))), None)


def _purposes(resource: Resource) -> tuple[str, ...]:
    found = [
        code
        for agent in each(resource.get("agent"))
        for code in [*codes(agent.get("purposeOfUse")), *codes(agent.get("authorization"))]
    ]
    found += codes(resource.get("purposeOfEvent")) + codes(resource.get("authorization"))
    return tuple(dict.fromkeys(found))


def _agent(agent: Resource) -> Agent:
    who = one(agent.get("who"))
    network = one(agent.get("network"))
    address = text(network.get("address")) or text(agent.get("networkString")) or text(agent.get("networkUri"))
    names = (label(who), text(who.get("display")), text(agent.get("name")), address)
    return Agent(
        who=label(who) or text(agent.get("altId")) or text(agent.get("name")),
        kind=resource_type(who),
        codes=tuple(codes(agent.get("type"))),
        roles=tuple(codes(agent.get("role"))),
        requestor=agent.get("requestor") is True,
        names=tuple(name for name in names if name),
    )


def _entity(entity: Resource) -> Entity:
    kinds = codes(entity.get("type"))
    return Entity(
        what=label(entity.get("what")),
        kind=resource_type(entity.get("what")) or next((kind for kind in kinds if kind[:1].isupper()), None),
        codes=tuple(kinds),
        roles=tuple(codes(entity.get("role"))),
    )


_PATIENT_ROLE = "1"  # object-role, Patient


def _patients(resource: Resource, entities: tuple[Entity, ...]) -> tuple[str, ...]:
    """The patients by reference: the element of R5, and the entities that are one (object-role 1)."""
    stated = [label(resource.get("patient"))]
    stated += [entity.what for entity in entities if entity.kind == "Patient" or _PATIENT_ROLE in entity.roles]
    return tuple(dict.fromkeys(patient for patient in stated if patient))
