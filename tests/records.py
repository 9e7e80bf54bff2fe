"""Strategies for records of the contract, made from the schemas themselves."""

from __future__ import annotations

import json
from datetime import UTC, date
from functools import cache
from typing import Any

from hypothesis import strategies as st

from inzage.schemas.codec import RecordName, current

_WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "string": _WORD,
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=20),
    "timestamp-micros": st.datetimes(timezones=st.just(UTC)),
    "date": st.dates(date(1, 1, 1)),
}


@cache
def records(name: RecordName, *, empty_lists_or_null: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Any record that fits the schema; bodies of facts as `(name, record)`.

    `empty_lists_or_null` false leaves out empty lists where null is another answer.
    """
    source = json.loads(current(name).text)
    made = _Strategies(telling=not empty_lists_or_null).of(source)
    if name == "activity":
        # items of the vocabulary stand in data_items; what stands apart is none of them
        apart = st.lists(_WORD.map("tenant:{}".format), max_size=2)
        return st.builds(lambda record, items: {**record, "other_data_items": items}, made, apart)
    return made


class _Strategies:
    """One strategy per type; a named type is spelled out once and named afterwards."""

    def __init__(self, *, telling: bool) -> None:
        self._telling = telling
        self._named: dict[str, st.SearchStrategy[Any]] = {}

    def of(self, avro: Any) -> st.SearchStrategy[Any]:
        if isinstance(avro, str):
            return self._named[avro] if avro in self._named else _PLAIN[avro]
        if isinstance(avro, list):
            return self._union(avro)
        if logical := avro.get("logicalType"):
            return _PLAIN[logical]
        kind = avro["type"]
        if kind == "array":
            return st.lists(self.of(avro["items"]), max_size=2)
        if kind == "map":
            return st.dictionaries(_WORD, self.of(avro["values"]), max_size=2)
        if kind == "enum":
            return self._name(avro, st.sampled_from(avro["symbols"]))
        return self._name(
            avro, st.fixed_dictionaries({field["name"]: self.of(field["type"]) for field in avro["fields"]})
        )

    def _union(self, branches: list[Any]) -> st.SearchStrategy[Any]:
        if branches[0] == "null":
            present = self.of(branches[1])
            return st.none() | (present.filter(self._tells) if self._telling else present)
        return st.one_of(
            [self.of(branch).map(lambda body, branch=branch: (_full(branch), body)) for branch in branches]
        )

    @staticmethod
    def _tells(value: Any) -> bool:
        return bool(value != [])

    def _name(self, avro: dict[str, Any], made: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        self._named[_full(avro)] = made
        return made


def _full(avro: dict[str, Any]) -> str:
    return f"{avro['namespace']}.{avro['name']}"
