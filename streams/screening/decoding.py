"""Decodes a batch of Avro datums into a table of the engine, all of them or none.

A batch goes in as one spliced container. Each datum is followed by a number that nobody outside knows: one with bytes
too many or too few cannot pass for its neighbour, nor bring the end along.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from inzage.schemas.codec import Schema
from inzage.schemas.splice import container, long_bytes, wrapped
from inzage.streams.screening.column import Column, said
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.row import Row
from inzage.streams.screening.view import WHOSE

END = "_end"
"""Column that tells whether a datum ended where it should."""
_BEFORE_OF_MANY = ({"name": WHOSE, "type": "long"},)
_AFTER = ({"name": END, "type": "long"},)


class Decoding:
    """One table, which holds one batch at a time. `of_many`: the number of whose row it is stands before each datum.

    It has a column for each leaf that an event may have or that policies read (`columns`), named after its path, and
    the mark behind the datum. Leaves that are not asked for are skipped, and say nothing in it.
    """

    def __init__(self, embedded: Embedded, database: str, read: Sequence[Column], *, of_many: bool) -> None:
        self.table = f"{database}.read"
        self.columns: Mapping[str, Column] = {
            **{leaf.path: said(leaf.path, leaf.type) for leaf in leaves().values()},
            **{column.name: column for column in read},
        }
        self._embedded, self._of_many = embedded, of_many
        self._end = secrets.randbits(62)
        self._end_bytes = long_bytes(self._end)
        columns = ", ".join(f"`{name}` {column.type}" for name, column in self.columns.items())
        embedded.query(f"CREATE TABLE {self.table} ({columns}, {END} Int64) ENGINE = Memory")

    def decode(self, schema: Schema, rows: Sequence[Row], names: Iterable[str]) -> bool:
        """Put these columns of `rows` in place of what the table held; False when some datum cannot be read."""
        self.empty()
        parts = (self._end_bytes.join([row.datum for row in rows]), self._end_bytes)
        data = container(wrapper(schema, self._of_many), parts, len(rows))
        asked = ", ".join(f"`{name}`" for name in names)
        if not self._embedded.insert(f"INSERT INTO {self.table} ({asked}, {END})", "Avro", data):
            return False
        counted = f"SELECT count(), countIf({END} = {self._end}) FROM {self.table}"
        count, aligned = self._embedded.query(counted, "TSV").split()
        return int(count) == int(aligned) == len(rows)

    def empty(self) -> None:
        """Let go of what the table holds."""
        self._embedded.query(f"TRUNCATE TABLE {self.table}")


@cache
def wrapper(schema: Schema, of_many: bool, *, end: bool = True) -> str:  # the key of a cache
    """The text of the schema of a datum with what stands before and after it."""
    return wrapped(schema, _BEFORE_OF_MANY if of_many else (), _AFTER if end else ())
