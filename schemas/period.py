"""Decides what a period of retention is: years and months as ISO 8601 writes them (`P10Y`, `P18M`, `P1Y6M`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_PERIOD = re.compile(r"P(?:(\d{1,3})Y)?(?:(\d{1,3})M)?")


@dataclass(frozen=True, slots=True)
class Period:
    """At least one month."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        return "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")

    @classmethod
    def read(cls, text: str) -> Period:
        """Read ISO 8601; raises `ValueError` for anything but years and months, and for none."""
        found = _PERIOD.fullmatch(text.strip().upper())
        months = int(found[1] or 0) * 12 + int(found[2] or 0) if found else 0
        if not months:
            raise ValueError("expected a period of years and months such as P10Y")
        return cls(months)

    def first_month_kept(self, now: datetime) -> int:
        """The first month, as YYYYMM in UTC, of which something is younger than the period at `now`.

        A month is older only when its last instant is: of June 2016, all is ten years old on 1 July 2026.
        """
        kept = now.year * 12 + now.month - 1 - self.months
        return kept // 12 * 100 + kept % 12 + 1
