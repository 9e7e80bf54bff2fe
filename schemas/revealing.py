"""Finds the words in a record that may reveal something about its data subject.

They stand in the fields that its schema calls revealing, in which a source says what it likes. A record of
organisations or law has no data subject and nothing of the kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from inzage.schemas.codec import current
from inzage.schemas.json_face import SaidKind

Path = tuple[str, ...]
"""Where a text stands: names of fields, then the place in a list or the key in a map."""


class Words(NamedTuple):
    """A revealing field that is filled in: `holder[name]` is a text, a list of texts or a map of texts."""

    holder: dict[str, Any]
    name: str
    path: Path


def words_of(kind: SaidKind, record: dict[str, Any]) -> list[Words]:
    """The revealing fields of `record` that say something; none for most records."""
    if kind == "reference":
        return []
    found = [Words(record, name, (name,)) for name in revealing_fields(kind) if record.get(name)]
    if kind == "fact":
        full, body = record["body"]
        said = full.rpartition(".")[2]
        found += [Words(body, name, ("body", said, name)) for name in _of_bodies().get(said, ()) if body.get(name)]
    return found


def subject_of(kind: SaidKind, record: Mapping[str, Any]) -> str:
    """The reference of the data subject of an activity or a fact."""
    reference: str = record["subject"]["pseudonym"] if kind == "activity" else record["subject"]
    return reference


def texts_of(words: Words) -> list[str]:
    """The texts of a field, in order."""
    value = words.holder[words.name]
    among = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else [value]
    return [text for text in among if isinstance(text, str)]


def replace_words(words: Words, change: Callable[[str, Path], Any]) -> None:
    """Put `change(text, path)` in place of each text; what is no text stays for the codec to refuse."""

    def changed(text: Any, path: Path) -> Any:
        return change(text, path) if isinstance(text, str) else text

    value, path = words.holder[words.name], words.path
    if isinstance(value, Mapping):
        words.holder[words.name] = {key: changed(text, (*path, key)) for key, text in value.items()}
    elif isinstance(value, (list, tuple)):
        words.holder[words.name] = [changed(text, (*path, str(place))) for place, text in enumerate(value)]
    else:
        words.holder[words.name] = changed(value, path)


def names_revealing_field(line: bytes) -> bool:
    """Whether a line of JSON, well-formed or not, has a field of such a name."""
    names = {*revealing_fields("activity"), *revealing_fields("fact"), *chain(*_of_bodies().values())}
    return any(f'"{name}"'.encode() in line for name in names)


@cache
def revealing_fields(kind: SaidKind) -> tuple[str, ...]:
    """The names of the revealing fields of a whole record; those of a fact's body stand beside it."""
    return _revealing(json.loads(current(kind).text))


@cache
def _of_bodies() -> Mapping[str, tuple[str, ...]]:
    kinds = json.loads(current("fact").text)["fields"][-1]["type"]
    return {kind["name"]: found for kind in kinds if (found := _revealing(kind))}


def _revealing(avro: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(field["name"] for field in avro["fields"] if field.get("revealing"))
