"""Says which fields of the contract name a person, and puts the vault's reference in place of each identifier.

An identifier is replaced wherever it stands (the data subject, who acted, who received, who approved), so that the
same person has the same reference in all of them. An organisation keeps its name. `Pseudonym` marks a value that
is a reference already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from inzage.schemas.emitter.vault import Vault
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said

Face = Literal["event", "fact"]

PERSONS: Mapping[Face, tuple[tuple[str, ...], ...]] = {
    "event": (
        ("subject", "pseudonym"),
        ("actor", "id"),
        ("actor", "on_behalf_of"),
        ("recipient", "person"),
        ("approver", "id"),
        ("human_reviewer_id",),
        ("requester",),
        ("source_id",),
    ),
    "fact": (
        ("subject",),
        ("actor_id",),
        ("assigned_actor_ids",),
        ("given_by",),
        ("policyholder",),
        ("representative",),
        ("clinical_certification", "certifier_id"),
        ("approved_by",),
        ("approver",),
        ("reviewed_by",),
        ("set_by",),
    ),
}
"""Where a person may be named, by face; a list of identifiers is replaced item by item."""

_SOURCES_THAT_ARE_PERSONS = frozenset({"DATA_SUBJECT", "REPRESENTATIVE", "CLAIMANT", "DEFENDANT", None})


class Pseudonym(str):
    """A reference that may leave the process as it is."""

    __slots__ = ()


def pseudonymise(face: Face, said: Mapping[str, Any], vault: Vault) -> dict[str, Any]:
    """A copy of `said`, a flat JSON face, in which every identifier of a person is a reference of `vault`.

    Raises `ContractError` naming the field when an identifier is no text or is empty.
    """
    copy = dict(said)
    for path in PERSONS[face]:
        if path == ("source_id",) and copy.get("source_type") not in _SOURCES_THAT_ARE_PERSONS:
            continue
        _replace(copy, path, ".".join(path), vault)
    return copy


def pseudonymise_said(said: Said, vault: Vault) -> Said:
    """The same for what was read already."""
    record = said.record
    if said.kind == "activity":
        return replace(said, record=pseudonymise("event", record, vault))
    name, content = record["body"]
    envelope = pseudonymise("fact", record, vault)
    return replace(said, record={**envelope, "body": (name, pseudonymise("fact", content, vault))})


def _replace(record: dict[str, Any], path: tuple[str, ...], name: str, vault: Vault) -> None:
    field, *deeper = path
    value = record.get(field)
    if value is None:
        return
    if deeper:
        if isinstance(value, Mapping):
            inner = dict(value)
            _replace(inner, tuple(deeper), name, vault)
            record[field] = inner
    elif isinstance(value, (list, tuple)):
        record[field] = [_reference(item, name, vault) for item in value]
    else:
        record[field] = _reference(value, name, vault)


def _reference(identifier: Any, name: str, vault: Vault) -> str:
    if type(identifier) is Pseudonym:
        return str.__str__(identifier)
    if not isinstance(identifier, str):
        raise ContractError(f"{name}: expected text", code="contract.wrong-type")
    if not identifier.strip():
        raise ContractError(f"{name}: an identifier is never empty", code="contract.empty-identifier")
    return vault.reference(identifier)
