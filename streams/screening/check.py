"""Checks packs against the view: every predicate parses, names what exists, and is true, false or unknown."""

from __future__ import annotations

from pathlib import Path

from inzage.schemas.errors import ConfigError
from inzage.streams.screening.engine import engine
from inzage.streams.screening.pack import policies_of

_TRUTH = frozenset({"UInt8", "Bool", "Nullable(UInt8)", "Nullable(Bool)", "Nullable(Nothing)"})


def check_policies(controller_id: str, packs: Path | None = None) -> int:
    """The number of entries checked; raises `ConfigError` naming pack, entry and what is wrong with the first."""
    policies = policies_of(controller_id, packs)
    controller = engine().add(policies)
    for entry in policies.entries:
        of_facts = [(f"rule on {rule.judges}", rule.violated_when) for rule in entry.fact_rules]
        parts = (("violated_when", entry.violated_when), ("warned_when", entry.warned_when), *of_facts)
        for part, text in parts:
            if text is None:
                continue
            where = f"pack {policies.pack_of[entry.id].pack}, entry {entry.id}, {part}"
            found = engine().check(controller, controller.view.compile(text, where).sql, where)
            if found not in _TRUTH:
                raise ConfigError(f"{where}: is {found}, not true, false or unknown", code="config.predicate")
    return len(policies.entries)
