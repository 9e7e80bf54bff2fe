"""Decides which event an AuditEvent is: its kind, who acted, about whom, for what purpose and to whom it went.

Nothing is guessed: what the resource and the mapping file leave open stays unknown, for the policies to judge. The
id depends on the source and on the resource alone, so that importing twice says the same event twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID, uuid5

from inzage.schemas.emitter.persons import Pseudonym
from inzage.schemas.fhir import terms
from inzage.schemas.fhir.audit_event import Agent, AuditEvent, audit_event
from inzage.schemas.fhir.lenient import Resource
from inzage.schemas.fhir.mapping import FhirMapping, Fields

_IDS = UUID("6f0d1d0e-3b0c-5c6e-9f43-0c4d2b7a9e11")  # of events imported from FHIR


def events_of(resource: Resource, mapping: FhirMapping, source_system: str) -> list[Fields]:
    """The events of one AuditEvent in their JSON face, persons by identifier: one for each patient.

    Without a patient the event gets a key of its own. Raises `ContractError` for what is no AuditEvent.
    """
    said = audit_event(resource)
    identity = _identity(said, resource, source_system)
    shared = {**_what(said, mapping), **_who(said, mapping, source_system)}
    shared["source_system"] = source_system
    if len(said.patients) > 1:
        shared["batch_ref"] = str(uuid5(_IDS, identity))
    subjects: list[Fields] = [
        {"pseudonym": _person(patient, source_system), "relation": "PATIENT"} for patient in said.patients
    ] or [{"pseudonym": Pseudonym(f"r_{uuid5(_IDS, f'{identity}/nobody')}")}]
    events = []
    for number, subject in enumerate(subjects):
        event_id = str(uuid5(_IDS, f"{identity}/{number}" if number else identity))
        events.append(mapping.apply({**shared, "event_id": event_id, "subject": subject}, said.codes))
    return events


def _identity(said: AuditEvent, resource: Resource, source_system: str) -> str:
    if said.id:
        return f"{source_system}/AuditEvent/{said.id}/{said.version or ''}"
    whole = json.dumps(resource, sort_keys=True, default=str).encode()
    return f"{source_system}/{hashlib.sha256(whole).hexdigest()}"


def _what(said: AuditEvent, mapping: FhirMapping) -> Fields:
    event_type, action = _kind(said)
    purpose = _purpose(said, mapping)
    return {
        "event_type": event_type,
        "action": action,
        "outcome": _outcome(said),
        "occurred_at": said.occurred_at,
        "recorded_at": said.recorded_at,
        "ended_at": said.ended_at,
        "controller_id": mapping.controller_id,
        "purpose": purpose,
        "break_glass": True if terms.BREAK_GLASS & set(said.purposes) else None,
        "data_categories": _categories(said),
        "record": _record(said),
        "case_ref": said.encounter or said.based_on,
        "consent_ref": next((entity.what for entity in said.entities if entity.kind == "Consent"), None),
        "trace_id": next((entity.what for entity in said.entities if terms.REQUEST_ID in entity.codes), None),
    }


def _kind(said: AuditEvent) -> tuple[str, str | None]:
    for code, (event_type, action) in terms.EVENTS.items():
        if code in said.codes:
            return event_type, action
    return terms.BY_ACTION.get(said.action or "", ("ProcessingEvent", None))


def _outcome(said: AuditEvent) -> str | None:
    outcome = terms.OUTCOMES.get(said.outcome or "")
    if outcome == "FAILED" and terms.AUTHORISATIONS & set(said.codes):
        return "DENIED"
    return outcome


def _purpose(said: AuditEvent, mapping: FhirMapping) -> str | None:
    """The first purpose with a term; else the word itself, which reading keeps beside OTHER."""
    for code in said.purposes:
        if found := mapping.purposes.get(code) or terms.PURPOSES.get(code):
            return found
    if said.purposes:
        return said.purposes[0]
    return "ACCOUNT_AUTHENTICATION" if terms.LOGINS & set(said.codes) else None


def _categories(said: AuditEvent) -> list[str]:
    found = [
        category
        for entity in said.entities
        for category in [
            *terms.CATEGORIES.get(entity.kind or "", ()),
            *(["MEDICAL_REPORT"] if terms.REPORT_ROLE in entity.roles else []),
        ]
    ]
    return list(dict.fromkeys(found))


def _record(said: AuditEvent) -> Fields | None:
    for entity in said.entities:
        if entity.what and entity.what not in said.patients and entity.kind not in ("Consent", terms.REQUEST_ID):
            return {"record_id": entity.what}
    return None


def _who(said: AuditEvent, mapping: FhirMapping, source_system: str) -> Fields:
    actor = _actor(said)
    found: Fields = {"actor": _actor_fields(actor, said, mapping, source_system)}
    destinations = [agent for agent in said.agents if terms.DESTINATION in agent.codes and agent is not actor]
    known = [mapping.recipients[name] for agent in destinations for name in agent.names if name in mapping.recipients]
    if known:
        return {**found, "recipient": known[0].recipient, "transfer": known[0].transfer}
    if _kind(said)[0] == "DisclosureEvent":
        org = next((name for agent in destinations if (name := _organisation(agent, mapping))), None)
        found["recipient"] = {"org_id": org}
    return found


def _actor(said: AuditEvent) -> Agent | None:
    """Who acted: the requestor, else a person, else whoever is named and is no destination."""
    for chosen in (
        [agent for agent in said.agents if agent.requestor],
        [agent for agent in said.agents if agent.kind in terms.HUMANS or terms.HUMAN_AGENTS & set(agent.codes)],
        [agent for agent in said.agents if agent.who and terms.DESTINATION not in agent.codes],
    ):
        if chosen:
            return chosen[0]
    return None


def _actor_fields(actor: Agent | None, said: AuditEvent, mapping: FhirMapping, source_system: str) -> dict[str, Any]:
    if actor is None:
        return {}
    employer = next(
        (
            found
            for agent in said.agents
            if agent is not actor and (agent.kind == "Organization" or terms.ORGANISATION_AGENTS & set(agent.codes))
            if (found := _organisation(agent, mapping) or agent.who)
        ),
        None,
    )
    return {
        "id": _person(actor.who, source_system) if actor.who else None,
        "type": _actor_type(actor),
        "role": next(iter(actor.roles), None) or _type_as_role(actor),
        "org_id": employer,
    }


def _actor_type(actor: Agent) -> str | None:
    if actor.kind in terms.HUMANS or terms.HUMAN_AGENTS & set(actor.codes):
        return "HUMAN"
    if actor.kind == "Device":
        return "DEVICE"
    return "SYSTEM" if terms.SYSTEM_AGENTS & set(actor.codes) else None


def _type_as_role(actor: Agent) -> str | None:
    plain = terms.SYSTEM_AGENTS | terms.HUMAN_AGENTS
    return next((code for code in actor.codes if code not in plain), None)


def _organisation(agent: Agent, mapping: FhirMapping) -> str | None:
    for name in agent.names:
        if name in mapping.organisations:
            return mapping.organisations[name]
    return agent.who if agent.kind == "Organization" else None


def _person(reference: str, source_system: str) -> str:
    """A relative reference means something only at its own server: another server's Patient/1 is somebody else."""
    return reference if "|" in reference or "://" in reference else f"{source_system}/{reference}"
