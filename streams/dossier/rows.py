"""Names what dossiers and references are made of: rows, by family, with the statements they rest on."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Family -> rows. `fact_ids` of a row are the statements it was made from; all else are columns of state.sql."""


def limit(values: list[str] | None) -> tuple[list[str], bool]:
    """A scope as (members, unlimited): null is no limit; what nobody recognised covers nothing."""
    return [value for value in values or () if value not in ("OTHER", "UNKNOWN")], values is None
