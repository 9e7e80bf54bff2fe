"""Decides how often a process that judges looks for cycles among its objects: seldom.

Records, rows and hits live for one batch by the ten thousand and are part of no cycle; to look among them at the
usual rate took a fifth of a worker's time.
"""

from __future__ import annotations

import gc

_NEW, _TIMES, _TIMES_OLDER = 200_000, 50, 100


def collect_seldom() -> None:
    """Leave out what is there already, which stays, and look again when there are so many more objects."""
    gc.freeze()
    gc.set_threshold(_NEW, _TIMES, _TIMES_OLDER)
