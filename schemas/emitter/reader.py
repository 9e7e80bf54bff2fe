"""Reads one thing that is said, in its JSON face: whose it is, its id, its persons as references, its validity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inzage.schemas.emitter.identity import new_id
from inzage.schemas.emitter.persons import Face, pseudonymise
from inzage.schemas.emitter.vault import Vault
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said, read


@dataclass(frozen=True, slots=True)
class Reader:
    """What one source says for one controller, both of which a line may leave out."""

    controller_id: str
    source_system: str
    vault: Vault

    def read(self, line: Mapping[str, Any], *, pseudonymised: bool, strict: bool = True) -> Said:
        """Read `{"event": ...}`, `{"fact": ...}` or either one bare; without an id it gets a new one.

        Raises `ContractError` naming the field.
        """
        content = line.get("event", line.get("fact", line))
        if not isinstance(content, Mapping):
            raise ContractError("expected an object", code="contract.not-an-object")
        face: Face = "event" if "event" in line or "event_type" in content else "fact"
        stated = {name: value for name, value in content.items() if value is not None}
        stated.setdefault("source_system", self.source_system)
        stated.setdefault("event_id" if face == "event" else "fact_id", new_id())
        if not pseudonymised:
            stated = pseudonymise(face, stated, self.vault)
        return read({face: stated}, strict=strict, controller_id=self.controller_id)


def said_id(said: Said) -> str:
    """The event_id or fact_id."""
    identifier: str = said.record["event_id" if said.kind == "activity" else "fact_id"]
    return identifier
