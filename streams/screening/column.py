"""Says what the columns of a batch are: what is given, what is computed, and what an INSERT may leave out.

Most columns of most events say nothing, and most families of most dossiers are empty. What an INSERT does not name is
constant in all its rows, and of constants the engine folds what the policies make of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inzage.streams.dossier.kinds import FAMILIES

_HAVE_SOME = ("cases", "applications", "mandates", "requests", "notices", "records")
_HAVE_ALL = ("consents", "enrolments", "products", "person")
_GROUPS = {
    "_of_some": _HAVE_SOME,
    "_of_few": tuple(family for family in FAMILIES if family not in (*_HAVE_ALL, *_HAVE_SOME)),
}
"""Families of the dossier that are looked up by a key of their own: the person, or nobody when none of them says
anything of the person. Which family is where changes no result, only how often the key is nobody."""
KEYS = frozenset(_GROUPS)
LENGTH, LEAST = "_length", "_least"
"""Columns: the bytes of the row's datum, and how many there are if it says nothing in what the INSERT leaves out."""
UNUSUAL = "_unusual"
"""Column of what is computed: whether the row does say something there; what is found in it is void."""
_NOBODY = secrets.token_hex(16)  # a reference that is nobody's, since nobody outside knows it


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of what is computed: `type` for what is given, `sql` for what is computed."""

    name: str
    type: str = ""
    sql: str = ""
    kept: bool = False
    """Whether the last SELECT reads it; what only other columns rest on takes no place."""
    nothing: str = ""
    """What it is, a constant, in the rows of an INSERT that does not name it; empty for what must be named."""
    given: str = field(default="", compare=False)
    """What it is given of what was read, when that is not the column of its name."""
    silent: str = field(default="", compare=False)
    """Whether a row of what was read says nothing in it, for what may be left out."""

    def definition(self, *, all_kept: bool = False) -> str:
        """As CREATE TABLE takes it; a query can read what is kept."""
        kept, name = self.kept or all_kept, f"`{self.name}` {self.type}"
        if self.sql:
            return f"{name} {'MATERIALIZED' if kept else 'EPHEMERAL'} {self.sql}"
        if self.nothing:
            return f"{name} {'DEFAULT' if kept else 'EPHEMERAL'} {self.nothing}"
        return name if kept else f"{name} EPHEMERAL"


def key_of(family: str) -> str:
    """The column of the key by which a family is looked up."""
    return next((key for key, families in _GROUPS.items() if family in families), "subject.pseudonym")


def keys_of(database: str) -> list[Column]:
    """The columns of keys other than the person's own."""
    return [_key(database, name, families) for name, families in _GROUPS.items()]


def _key(database: str, name: str, families: Sequence[str]) -> Column:
    mask = sum(1 << FAMILIES.index(family) for family in families)
    silent = f"bitAnd(joinGet('{database}.dossier', 'held', `subject.pseudonym`), {mask}) = 0"
    given = f"if({silent}, '{_NOBODY}', `subject.pseudonym`)"
    return Column(name, "String", nothing=f"'{_NOBODY}'", given=given, silent=silent)


def families_held(dossier: Mapping[str, Sequence[Any]]) -> int:
    """Which families say anything of a person, a bit each, as the key of a family is made of it."""
    return sum(1 << place for place, family in enumerate(FAMILIES) if dossier[family])


def sizes() -> tuple[Column, Column, Column]:
    """The columns that tell which rows are not usual: the first two are given, or not when nothing is left out."""
    length, bytes_of = (Column(name, "Int64", nothing="0") for name in (LENGTH, LEAST))
    return length, bytes_of, Column(UNUSUAL, sql=f"`{LENGTH}` != `{LEAST}`", kept=True)


def said(name: str, kind: str, *, kept: bool = False) -> Column:
    """A leaf of an event; one that may say nothing may be left out."""
    quoted = kind.replace("'", "\\'")
    if kind.startswith("Nullable("):
        return Column(name, kind, kept=kept, nothing=f"CAST(NULL, '{quoted}')", silent=f"`{name}`.null")
    if kind.startswith("Array("):
        return Column(name, kind, kept=kept, nothing=f"CAST([], '{quoted}')", silent=f"empty(`{name}`)")
    if kind.startswith("Map("):
        return Column(name, kind, kept=kept, nothing=f"CAST(map(), '{quoted}')", silent=f"empty(`{name}`)")
    return Column(name, kind, kept=kept)
