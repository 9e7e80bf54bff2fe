"""A register moves only from where it is, whoever else has the file open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inzage.sinks.ledger.note import COSIGNATURE, Signer
from inzage.sinks.witness.register import Cosigned, Register
from tests.meta_log import ORIGIN, MetaLog

LOG = MetaLog(Signer.generate("sealer.example"), leaves=20)
OWNER = Signer.generate("witness.example", COSIGNATURE).verifier


def cosigned(size: int, at: int = 100) -> Cosigned:
    return Cosigned(LOG.checkpoint(size), str(LOG.note(size)), at)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Register, Register]]:
    """The same register, as two processes have it."""
    opened = Register(tmp_path / "state"), Register(tmp_path / "state")
    yield opened
    for one in opened:
        one.close()


def test_whoever_checked_an_older_state_does_not_move_it(two: tuple[Register, Register]) -> None:
    first, second = two
    assert first.advance(None, cosigned(5))
    assert not second.advance(None, cosigned(3)), "a log begins once"
    assert second.advance(cosigned(5), cosigned(9))
    assert not first.advance(cosigned(5), cosigned(7))
    assert not first.advance(cosigned(9), cosigned(12, at=99)), "time does not go back"
    assert first.newest(ORIGIN) == second.newest(ORIGIN) == cosigned(9)


def test_it_belongs_to_one_key(two: tuple[Register, Register]) -> None:
    first, second = two
    assert not first.owned()
    first.belong_to(OWNER)
    second.belong_to(OWNER)
    assert second.owned()
