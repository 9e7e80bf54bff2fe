"""Decides how what was written with another schema is read with ours: as it stands, by names of fields, or resolved.

Rules of Avro 1.12, schema resolution. An engine that takes datums whole matches fields by name and knows no defaults;
where that says something else than Avro, records are resolved one by one. Timestamps keep their unit, so a number
that is a timestamp of ours must be one of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple


class Reading(IntEnum):
    """How a datum becomes a record of ours; the larger costs more."""

    ALIKE = 0
    """The bytes are those that we would have written."""
    BY_NAME = 1
    """Each field is ours by its name, or absent and empty."""
    RESOLVED = 2
    """It takes Avro's rules: a default, a promotion, a symbol we do not have."""


class Comparison(NamedTuple):
    """`refused` names the field that cannot be read and why; empty where all can."""

    reading: Reading
    refused: str = ""


def compare(writer: Mapping[str, Any], reader: Mapping[str, Any]) -> Comparison:
    """How datums of `writer` are read with `reader`, both records as fastavro parses them."""
    if _layout(writer) == _layout(reader):
        return Comparison(Reading.ALIKE)
    try:
        found = _Resolution(writer["__named_schemas"], reader["__named_schemas"]).record(writer, reader, "", top=True)
    except _RefusedError as refused:
        return Comparison(Reading.RESOLVED, str(refused))
    return Comparison(max(Reading.BY_NAME, found))


_SAYS_NO_BYTES = frozenset({"doc", "default", "aliases", "order", "dpv", "revealing"})
_PROMOTED = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_EMPTY: tuple[Any, ...] = (None, "", [], {})


class _RefusedError(Exception):
    """Some field cannot be read."""


def _layout(avro: Any) -> Any:
    """A schema without what says nothing about the bytes or their meaning."""
    if isinstance(avro, Mapping):
        return {
            key: _layout(value)
            for key, value in avro.items()
            if key not in _SAYS_NO_BYTES and not key.startswith("__")
        }
    return [_layout(part) for part in avro] if isinstance(avro, list) else avro


@dataclass
class _Resolution:
    """The named types of both sides; `_seen` are the pairs under way, since a type may hold itself."""

    writers: Mapping[str, Any]
    readers: Mapping[str, Any]
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def types(self, writer: Any, reader: Any, path: str) -> Reading:
        """Compare any two types; raises `_RefusedError`."""
        written, read = _named(writer, self.writers), _named(reader, self.readers)
        if isinstance(written, list) or isinstance(read, list):
            return self._unions(_branches(written), _branches(read), path)
        kind, wanted = _kind(written), _kind(read)
        if kind != wanted:
            if wanted in _PROMOTED.get(kind, ()) and not _logical(read):
                return Reading.RESOLVED
            raise _RefusedError(f"{path} is {kind}, not {wanted}")
        if kind == "record":
            return self.record(written, read, path, top=False)
        if kind == "enum":
            return _symbols(written, read, path)
        if kind in ("array", "map"):
            part = "items" if kind == "array" else "values"
            return self.types(written[part], read[part], path)
        if kind == "fixed" and written["size"] != read["size"]:
            raise _RefusedError(f"{path} has another size")
        return _logical_types(written, read, path)

    def record(self, writer: Mapping[str, Any], reader: Mapping[str, Any], path: str, *, top: bool) -> Reading:
        """Compare two records; raises `_RefusedError`."""
        names = writer["name"], reader["name"]
        if names[0].rpartition(".")[2] != names[1].rpartition(".")[2]:
            raise _RefusedError(f"{path or 'the record'} is {names[0]}, not {names[1]}")
        if names in self._seen:
            return Reading.ALIKE
        self._seen.add(names)
        theirs = {one["name"]: one for one in writer["fields"]}
        found = Reading.ALIKE
        for own in reader["fields"]:
            name = f"{path}.{own['name']}" if path else own["name"]
            if own["name"] in theirs:
                found = max(found, self.types(theirs[own["name"]]["type"], own["type"], name))
            elif "default" not in own:
                raise _RefusedError(f"{name} is missing")
            else:
                found = max(found, Reading.BY_NAME if own["default"] in _EMPTY else Reading.RESOLVED)
        names_in_order = list(theirs)
        if top:  # an event is told from another by its first field, its id, without decoding it
            return found if names_in_order[:1] == [reader["fields"][0]["name"]] else Reading.RESOLVED
        return found if names_in_order == [own["name"] for own in reader["fields"]] else Reading.RESOLVED

    def _unions(self, written: Sequence[Any], read: Sequence[Any], path: str) -> Reading:
        found = Reading.ALIKE if len(written) == len(read) else Reading.BY_NAME
        for branch in written:
            found = max(found, self._branch(branch, read, path))
        return found

    def _branch(self, branch: Any, read: Sequence[Any], path: str) -> Reading:
        """The branch of ours that suits best; of several records that of the same name."""
        suitable, why = [], _RefusedError(f"{path} may be {_kind(_named(branch, self.writers))}")
        for own in sorted(read, key=lambda own: _full_name(own) != _full_name(branch)):
            try:
                suitable.append(self.types(branch, own, path))
            except _RefusedError as refused:
                if _kind(_named(own, self.readers)) == _kind(_named(branch, self.writers)):
                    why = refused
                continue
            if suitable[-1] is Reading.ALIKE or _full_name(own) == _full_name(branch):
                break
        if not suitable:
            raise why
        return min(suitable)


def _symbols(writer: Mapping[str, Any], reader: Mapping[str, Any], path: str) -> Reading:
    if writer["symbols"] == reader["symbols"]:
        return Reading.ALIKE
    if set(writer["symbols"]) <= set(reader["symbols"]):
        return Reading.BY_NAME
    if "default" not in reader:
        raise _RefusedError(f"{path} has symbols that are not ours")
    return Reading.RESOLVED


def _logical_types(writer: Any, reader: Any, path: str) -> Reading:
    theirs, ours = _logical(writer), _logical(reader)
    if theirs == ours:
        return Reading.ALIKE
    if (theirs, ours) == ("timestamp-millis", "timestamp-micros"):
        return Reading.RESOLVED
    raise _RefusedError(f"{path} is {theirs or _kind(writer)}, not {ours or _kind(reader)}")


def _named(avro: Any, names: Mapping[str, Any]) -> Any:
    return names.get(avro, avro) if isinstance(avro, str) else avro


def _branches(avro: Any) -> Sequence[Any]:
    return avro if isinstance(avro, list) else [avro]


def _kind(avro: Any) -> str:
    return str(avro["type"]) if isinstance(avro, Mapping) else str(avro)


def _full_name(avro: Any) -> str:
    return str(avro.get("name", avro["type"])) if isinstance(avro, Mapping) else str(avro)


def _logical(avro: Any) -> str | None:
    return avro.get("logicalType") if isinstance(avro, Mapping) else None
