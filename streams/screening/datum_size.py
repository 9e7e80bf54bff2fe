"""Says how long a datum is at least, from what some of its leaves say.

Avro writes the leaves of a datum end to end, nothing between them, and a leaf that says nothing takes one byte. So a
datum that is no longer than the leaves that were decoded and one byte for each of the others says nothing in those:
they need not be decoded to know it. Specification: Avro 1.12, binary encoding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from inzage.schemas.codec import Schema
from inzage.streams.screening.event_fields import Leaf, leaves_of

_ONE_BYTE = 64  # from this number on a varint takes two bytes or more
_EIGHT_BYTES = 1 << 48  # and eight from this one on, which as microseconds is in 1978
_LONGER_FROM = [1 << (7 * count - 1) for count in range(1, 10)]  # where a varint takes one byte more


class _Size(NamedTuple):
    """A part of a datum: `fixed` bytes in any case, and those that `terms`, SQL, are worth in each row."""

    fixed: int = 0
    terms: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    """SQL: that a decoded leaf of it says something."""

    @property
    def sql(self) -> str:
        return " + ".join((str(self.fixed), *self.terms))


def least(schema: Schema, decoded: Iterable[str]) -> str:
    """SQL, the bytes that a datum of `schema` takes at least, of columns named after the paths that were `decoded`.

    A number in more bytes than it needs, an array in more blocks than one or a text of 8 KiB make a datum longer than
    this says, never shorter. Raises `KeyError` for a schema in which other unions than of null stand.
    """
    source = json.loads(schema.text)
    by_path = {leaf.path: leaf for leaf in leaves_of(schema.text).values()}
    return _size(source, "", {path: by_path[path] for path in decoded if path in by_path}, {}).sql


def _size(avro: Any, path: str, decoded: Mapping[str, Leaf], named: dict[str, Any]) -> _Size:
    if isinstance(avro, list):
        if len(avro) != 2 or avro[0] != "null":
            raise KeyError(path)
        inner = named.get(avro[1], avro[1]) if isinstance(avro[1], str) else avro[1]
        if not isinstance(inner, dict) or inner["type"] != "record":
            size = _leaf_size(path, decoded)
            return size._replace(fixed=size.fixed + 1) if size.said else _Size(1)
        size = _size(inner, f"{path}.{inner['name']}", decoded, named)
        if not size.said:
            return _Size(1)
        return _Size(1, (f"if({' OR '.join(size.said)}, {size.sql}, 0)",), size.said)
    if isinstance(avro, str):
        avro = named.get(avro, avro)
    if not isinstance(avro, dict) or avro["type"] != "record":
        return _leaf_size(path, decoded)
    named[f"{avro['namespace']}.{avro['name']}"] = avro
    parts = [
        _size(field["type"], f"{path}.{field['name']}" if path else field["name"], decoded, named)
        for field in avro["fields"]
    ]
    return _Size(
        sum(part.fixed for part in parts),
        tuple(term for part in parts for term in part.terms),
        tuple(said for part in parts for said in part.said),
    )


def _leaf_size(path: str, decoded: Mapping[str, Leaf]) -> _Size:
    """What a leaf takes, without what its union takes."""
    leaf, column = decoded.get(path), f"`{path}`"
    if leaf is None:
        return _Size(1)
    if leaf.type.startswith(("Array(", "Map(")):
        return _Size(1, (_of_items(leaf.type, column, symbols=leaf.enum is not None),), (f"notEmpty({column})",))
    kind, nullable = leaf.type.removeprefix("Nullable("), leaf.type.startswith("Nullable(")
    fixed, more = _of_value(kind.removesuffix(")") if nullable else kind, column, symbol=leaf.enum is not None)
    if not nullable:
        return _Size(fixed, (more,) if more else (), ("1",))
    said = f"NOT {column}.null"
    value = f"ifNull({fixed} + {more}, 0)" if more else f"{fixed} * ({said})"
    return _Size(0, (value,), (said,))


def _of_items(kind: str, column: str, *, symbols: bool) -> str:
    """What items take, and the number that stands before them."""
    items = f"arrayConcat(mapKeys({column}), mapValues({column}))" if kind.startswith("Map(") else column
    if "String" in kind and not symbols:
        all_of_them = f"arraySum(item -> {_of_text('item')}, {items})"
    else:
        all_of_them = f"length({items})"
    return f"if(empty({column}), 0, 1 + (length({column}) >= {_ONE_BYTE}) + {all_of_them})"


def _of_value(kind: str, column: str, *, symbol: bool) -> tuple[int, str]:
    """The bytes that a value takes in any case, and SQL for those it takes beyond that."""
    if symbol or kind == "Bool":
        return 1, ""
    if kind == "Float64":
        return 8, ""
    if kind == "String":
        return 0, _of_text(column)
    if kind == "Int64":
        folded = f"bitXor({column}, bitShiftRight({column}, 63))"
        return 1, " + ".join(f"({folded} >= {number})" for number in _LONGER_FROM)
    return 1, f"7 * (toUnixTimestamp64Micro({column}) >= {_EIGHT_BYTES})"


def _of_text(text: str) -> str:
    return f"length({text}) + if(length({text}) < {_ONE_BYTE}, 1, 2)"
