"""Decides who may do what with the trail: five roles, and for each the grants that the migrations state.

A ClickHouse server keeps the roles itself. An engine that has only a users file (the local one) is told the same
grants from here, so what is tested there is what a server enforces.
"""

from __future__ import annotations

import re
from enum import StrEnum

from inzage.sinks.migrations import DATABASE, migrations

_GRANT = re.compile(r"((?:GRANT|REVOKE) .+?) (?:TO|FROM) `(\w+)`", re.DOTALL)


class Role(StrEnum):
    """One for each thing that is done with the trail."""

    OWNER = "owner"
    SINK = "sink"
    SEALER = "sealer"
    ANALYST = "analyst"
    VERIFIER = "verifier"

    def name_in(self, database: str = DATABASE) -> str:
        """The role's name on the server, `inzage_sink`: two trails on one server share no role."""
        return f"{database}_{self}"


def grants(database: str = DATABASE) -> dict[Role, tuple[str, ...]]:
    """For each role what is granted and taken back, in order, without the role's name: `GRANT SELECT ON ...`."""
    by_name: dict[str, list[str]] = {role.name_in(database): [] for role in Role}
    for step in migrations():
        if step.about_roles:
            statement = " ".join(re.sub(r"--[^\n]*", "", step.statement(database)).split())
            if found := _GRANT.fullmatch(statement):
                by_name[found[2]].append(found[1])
    return {role: tuple(by_name[role.name_in(database)]) for role in Role}
