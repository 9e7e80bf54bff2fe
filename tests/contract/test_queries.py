"""What ClickHouse takes otherwise than it reads: every statement that is kept in a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for room in ("sinks", "console") for path in (ROOT / room).rglob("*.sql") if "queries" in path.parts
)
WORDS = re.compile(r"--[^\n]*|'(?:[^'\\]|\\.)*'|[()]|\bUNION ALL\b|\bORDER BY\b|\bLIMIT\b")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_order_is_that_of_all_rows(path: Path) -> None:
    """Behind UNION ALL it orders the rows of the last SELECT alone: what comes of several parts is mixed."""
    assert not ordered_union(path.read_text(encoding="utf-8")), "put the union into a sub-query, and order that"


def test_it_finds_what_it_looks_for() -> None:
    assert ordered_union("SELECT a FROM b UNION ALL SELECT a FROM c ORDER BY a")
    assert ordered_union("SELECT * FROM (SELECT a FROM b UNION ALL SELECT a FROM c LIMIT 1) ORDER BY a")
    assert not ordered_union("SELECT * FROM (SELECT a FROM b UNION ALL SELECT a FROM c) ORDER BY a")
    assert not ordered_union("SELECT a FROM (SELECT a FROM b ORDER BY a) UNION ALL SELECT ')' AS a -- ORDER BY a")


def ordered_union(sql: str) -> bool:
    """Whether an ORDER BY or LIMIT stands behind a UNION ALL within the same parentheses."""
    united = [False]
    for word in WORDS.findall(sql):
        if word == "(":
            united.append(False)
        elif word == ")":
            united.pop()
        elif word == "UNION ALL":
            united[-1] = True
        elif word in ("ORDER BY", "LIMIT") and united[-1]:
            return True
    return False
