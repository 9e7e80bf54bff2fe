"""Turns the cells of a table into what a fact states: each column is a field, a dot leads into a record.

A list has semicolons between its items, `[]` is a list of nothing, an empty cell says nothing at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inzage.console.references.identity import fields_of, kinds

BETWEEN_ITEMS = ";"


def content_of(kind: str, cells: Mapping[str, str]) -> dict[str, Any]:
    """The JSON face of one row; what a cell holds and its field does not take is left for the reader to refuse."""
    fields = fields_of(kind) if kind in kinds() else {}
    content: dict[str, Any] = {}
    for column, cell in cells.items():
        if cell.strip():
            _put(content, column.strip().split("."), cell.strip(), fields)
    return content


def _put(content: dict[str, Any], path: list[str], cell: str, fields: Mapping[str, Any]) -> None:
    name, *deeper = path
    avro = _without_null(fields.get(name, "string"))
    if deeper:
        inner = content.setdefault(name, {})
        record = avro if isinstance(avro, dict) else {}
        _put(inner, deeper, cell, {field["name"]: field["type"] for field in record.get("fields", ())})
    else:
        content[name] = _value(avro, cell)


def _value(avro: Any, cell: str) -> Any:
    if isinstance(avro, dict) and avro["type"] == "array":
        items = [] if cell == "[]" else cell.split(BETWEEN_ITEMS)
        return [_value(avro["items"], item.strip()) for item in items if item.strip()]
    if avro == "boolean":
        return {"true": True, "false": False}.get(cell.lower(), cell)
    if avro in ("long", "double"):
        return _number(cell)
    return cell


def _number(cell: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _without_null(avro: Any) -> Any:
    return avro[-1] if isinstance(avro, list) else avro
