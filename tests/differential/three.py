"""Three-valued logic as the catalogue means it: true, false, and None for what is not known."""

from __future__ import annotations

from collections.abc import Set

Truth = bool | None


def both(*parts: Truth) -> Truth:
    """False if any is false, else None if any is not known."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def either(*parts: Truth) -> Truth:
    """True if any is true, else None if any is not known."""
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def no(part: Truth) -> Truth:
    """The opposite; not known stays so."""
    return None if part is None else not part


def among(value: object, members: Set[str]) -> Truth:
    """Whether `value` is one of `members`; not known when it is not stated."""
    return None if value is None else value in members
