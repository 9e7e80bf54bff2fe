"""Decides which tables the trail has: numbered SQL files, applied once each, in order, and never changed after.

Each file is one statement that may be repeated. `{database:Identifier}` in it is the trail's database, and
`{role_sink:Identifier}` the role of the sink there. A table row is never altered in place; a new column is a new
file.

An engine that has only a users file cannot keep roles. Steps about them wait there, `waiting` names them, and the
users file has to say the same (`sinks/roles.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from inzage.schemas.errors import ConfigError

DATABASE = "inzage"

_ABOUT_ROLES = re.compile(r"(?:--[^\n]*\n|\s)*(?:CREATE ROLE|GRANT|REVOKE)\b")
_ROLE = re.compile(r"\{role_([a-z]+):Identifier\}")
_KEEPS_ROLES = "SELECT name FROM system.user_directories WHERE type NOT IN ('users_xml', 'ldap')"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def about_roles(self) -> bool:
        """Whether it says who may do what, rather than what there is."""
        return _ABOUT_ROLES.match(self.text) is not None

    def statement(self, database: str) -> str:
        """The statement for `database`, whose name is a plain identifier."""
        text = self.text.replace("{database:Identifier}", f"`{database}`")
        return _ROLE.sub(rf"`{database}_\1`", text)


def migrations() -> Iterator[Migration]:
    """All steps, in order."""
    folder = files("inzage.sinks.migrations")
    for name in sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql")):
        number, _, rest = name.removesuffix(".sql").partition("_")
        yield Migration(int(number), rest, folder.joinpath(name).read_text(encoding="utf-8"))


def migrate(execute: Callable[[str], str], database: str = DATABASE) -> tuple[str, ...]:
    """Apply what is missing; returns the names of the steps taken, none when all were.

    `execute` runs one statement and returns its rows as tab-separated text. Raises `ConfigError` when a step that
    was applied has another text now: the tables are then not what this version takes them for.
    """
    steps = list(migrations())
    _require_plain(database)
    execute(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    execute(steps[0].statement(database))
    applied = dict(_applied(execute(f"SELECT number, sha256 FROM `{database}`.migrations")))
    held_back = _held_back(execute, steps, applied)
    taken = []
    for step in steps:
        if step.number in held_back:
            continue
        if step.number not in applied:
            execute(step.statement(database))
            values = f"({step.number}, '{step.name}', '{step.sha256}')"
            execute(f"INSERT INTO `{database}`.migrations (number, name, sha256) VALUES {values}")
            taken.append(step.name)
        elif applied[step.number] != step.sha256:
            raise ConfigError(
                f"migration {step.number} ({step.name}) is not the one that was applied",
                code="config.migration",
                hint="this data directory belongs to another version",
            )
    return tuple(taken)


def waiting(execute: Callable[[str], str], database: str = DATABASE) -> tuple[str, ...]:
    """The names of steps that wait because the engine keeps no roles; none on a server that keeps them."""
    _require_plain(database)
    steps = list(migrations())
    held_back = _held_back(
        execute, steps, dict(_applied(execute(f"SELECT number, sha256 FROM `{database}`.migrations")))
    )
    return tuple(step.name for step in steps if step.number in held_back)


def _held_back(
    execute: Callable[[str], str], steps: Sequence[Migration], applied: Mapping[int, str]
) -> frozenset[int]:
    """The numbers of steps about roles that are not applied and that this engine could not keep."""
    missing = frozenset(step.number for step in steps if step.about_roles and step.number not in applied)
    return missing if missing and not execute(_KEEPS_ROLES).strip() else frozenset()


def _require_plain(database: str) -> None:
    if not database.isidentifier():
        raise ConfigError("clickhouse.database: not a plain name", code="config.database")


def _applied(rows: str) -> Iterator[tuple[int, str]]:
    for row in rows.splitlines():
        number, digest = row.split("\t")
        yield int(number), digest
