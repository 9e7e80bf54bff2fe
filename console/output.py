"""Shows results: data on stdout as table, json or jsonl, progress and errors on stderr.

Colour only where a terminal shows it and NO_COLOR is unset (rich sees to both).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

EXIT_FINDINGS = 1
EXIT_USAGE = 2

stderr = Console(stderr=True, highlight=False)
_stdout = Console(highlight=False, soft_wrap=True)


class Output(StrEnum):
    """How data are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="table, json or jsonl")]


def say(text: str) -> None:
    """Progress for a person, on stderr."""
    stderr.print(text, soft_wrap=True)


def show_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], output: Output, title: str = "") -> None:
    """Print rows: a table of `columns`, or all of each row as JSON."""
    if output is Output.TABLE:
        table = Table(title=title or None, title_justify="left", header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row.get(column)) for column in columns))
        _stdout.print(table)
    elif output is Output.JSON:
        sys.stdout.write(json.dumps(list(rows), default=_plain, ensure_ascii=False, indent=1) + "\n")
    else:
        for row in rows:
            sys.stdout.write(json.dumps(row, default=_plain, ensure_ascii=False) + "\n")


def show_object(content: Mapping[str, Any], output: Output) -> None:
    """Print one object: name and value lines, or JSON."""
    if output is Output.TABLE:
        for name, value in content.items():
            _stdout.print(f"[bold]{name.replace('_', ' ')}[/bold]: {_cell(value)}")
    else:
        indent = 1 if output is Output.JSON else None
        sys.stdout.write(json.dumps(content, default=_plain, ensure_ascii=False, indent=indent) + "\n")


def show_text(text: str) -> None:
    """Print text with rich's markup on stdout."""
    _stdout.print(text)


def show_plain(text: str) -> None:
    """Print text as it is on stdout, brackets and all."""
    sys.stdout.write(text)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return value.isoformat() if isinstance(value, (datetime, date)) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)
