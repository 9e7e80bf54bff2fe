"""Reads the scripts of the month: faces of facts and events in which names and times are still open.

`{name}` in a text is filled from what a story knows; `t`, `t-3h` or `t+1s` is an instant relative to its moment.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from inzage.streams.screening import plain_yaml

Face = dict[str, Any]

_RELATIVE = re.compile(r"(?:t|(?=[+-]))(?:([+-])(\d+)([smhd]))?")
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@cache
def script(name: str) -> Any:
    """The content of one script, for example `cigna_stories`."""
    text = files("inzage.console.demonstration.scripts").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return plain_yaml.load(text)


def offset(text: str) -> timedelta | None:
    """How far from the moment of a story `text` is; None when it is no such time."""
    found = _RELATIVE.fullmatch(text)
    if found is None:
        return None
    sign, count, unit = found.groups()
    if unit is None:
        return timedelta(0)
    away: timedelta = int(count) * _UNITS[unit]
    return -away if sign == "-" else away


def filled(value: Any, names: Mapping[str, str], moment: datetime | None = None) -> Any:
    """`value` with its names filled in and its relative times made instants around `moment`."""
    if isinstance(value, dict):
        return {name: filled(inner, names, moment) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, names, moment) for inner in value]
    if not isinstance(value, str):
        return value
    away = offset(value) if moment is not None else None
    if moment is not None and away is not None:
        return moment + away
    for name, text in names.items():
        value = value.replace(f"{{{name}}}", text)
    return value


def laid_over(base: Mapping[str, Any], change: Mapping[str, Any]) -> Face:
    """`base` with `change` over it, objects into objects."""
    result = dict(base)
    for name, value in change.items():
        below = result.get(name)
        result[name] = laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def repeated(face: Face) -> Iterator[Face]:
    """The faces that one with `for` stands for: each of its names takes each value in turn."""
    rest = {name: value for name, value in face.items() if name != "for"}
    choices = face.get("for", {})
    for values in itertools.product(*choices.values()):
        yield filled(rest, dict(zip(choices, values, strict=True)))
