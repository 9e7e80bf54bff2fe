"""What a dying worker logs names places and classes, never what it was reading."""

from __future__ import annotations

from inzage.schemas.errors import TransientError
from inzage.streams.transport.fatal import describe


def test_the_message_of_a_foreign_error_is_left_out() -> None:
    try:
        int("J. Janssen, 12-03-1981")
    except ValueError as error:
        shown = describe(error)
    assert "Janssen" not in shown
    assert shown.startswith("ValueError at test_fatal.py:")


def test_the_chain_is_shown_and_our_own_message_is_kept() -> None:
    try:
        try:
            raise KeyError("J. Janssen")
        except KeyError as cause:
            raise TransientError("the engine did not answer", code="transient.engine") from cause
    except TransientError as error:
        shown = describe(error)
    assert "transient.engine: the engine did not answer" in shown
    assert "; caused by KeyError at" in shown
    assert "Janssen" not in shown


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert describe(first).count("ValueError") == 5
