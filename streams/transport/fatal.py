"""Says why a process ends without repeating what it was reading.

Messages of foreign exceptions quote their input (a parser shows the text it failed on), and that is personal
data. So only classes and places are named; the message of an `InzageError` is free of personal data by
contract and is kept.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from inzage.schemas.errors import InzageError

EXIT_FATAL = 70  # EX_SOFTWARE of sysexits.h: the supervisor starts the process again
COMMIT_WITHIN = 5.0
"""Seconds a dying process has to commit what is finished and to leave the group."""


def describe(error: BaseException) -> str:
    """The chain of exceptions, outermost first: class, code of ours if any, and the places it passed."""
    links: list[str] = []
    link: BaseException | None = error
    while link is not None and len(links) < 5:
        links.append(_describe_one(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "; caused by ".join(links)


def _describe_one(error: BaseException) -> str:
    places = " > ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    )
    name = (
        f"{type(error).__name__} ({error.code}: {error})" if isinstance(error, InzageError) else type(error).__name__
    )
    return f"{name} at {places}" if places else name
