"""Decides which tables the trail has: numbered SQL files, applied once each, in order, and never changed after.

Each file is one statement that may be repeated. `{database:Identifier}` in it is the trail's database. A table
row is never altered in place; a new column is a new file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from inzage.schemas.errors import ConfigError

DATABASE = "inzage"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statement(self, database: str) -> str:
        """The statement for `database`, whose name is a plain identifier."""
        return self.text.replace("{database:Identifier}", f"`{database}`")


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
    if not database.isidentifier():
        raise ConfigError("clickhouse.database: not a plain name", code="config.database")
    steps = list(migrations())
    execute(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    execute(steps[0].statement(database))
    applied = dict(_applied(execute(f"SELECT number, sha256 FROM `{database}`.migrations")))
    taken = []
    for step in steps:
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


def _applied(rows: str) -> Iterator[tuple[int, str]]:
    for row in rows.splitlines():
        number, digest = row.split("\t")
        yield int(number), digest
