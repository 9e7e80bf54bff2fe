"""A datum that cannot be read is dead-lettered alone, and a restricted engine reads neither files nor the network."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from inzage.schemas.codec import encode
from inzage.schemas.framing import SINGLE_OBJECT_BYTES as HEADER
from inzage.schemas.json_face import read
from inzage.schemas.splice import long_bytes
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.record import SaidRecord
from inzage.streams.screening.redelivery import Redeliveries
from inzage.streams.screening.screener import Screener

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ROWS = 5


@cache
def controller() -> Controller:
    return engine().add(policies_of("HMBS"))


def message(number: int, **fields: Any) -> bytes:
    event = {
        "event_id": f"event-{number:04}",
        "event_type": "DisclosureEvent",
        "occurred_at": AT,
        "recorded_at": AT,
        "controller_id": "HMBS",
        "subject": {"pseudonym": "SUB-1"},
        "purpose": "RESEARCH",
        "data_state": "IDENTIFIED",
        **fields,
    }
    return encode("activity", read({"event": event}).record)


def screened(values: list[bytes]) -> tuple[set[int], set[int]]:
    """Offsets at which HMBS-11 was violated, and those dead-lettered."""
    references = References("HMBS", law(), controller().policies.settings)
    records = [SaidRecord(offset, 1_790_000_000_000, b"SUB-1", value) for offset, value in enumerate(values)]
    outcome = Screener(engine(), controller(), references).screen(records)
    for letter in outcome.dead_letters:
        assert (letter["reason"], letter["value"]) == ("contract.undecodable", values[letter["offset"]])
    violated = {verdict["offset"] for verdict in outcome.verdicts if verdict["rule_id"] == "HMBS-11"}
    return violated, {letter["offset"] for letter in outcome.dead_letters}


def _id_and(number: int, rest: bytes) -> bytes:
    """The event id as it should be, so that the event is new, and then something else."""
    return message(number)[: HEADER + 11] + rest


POISON = {
    "garbage": lambda number: _id_and(number, b"\xff" * 40),
    "nothing": lambda number: _id_and(number, b""),
    "truncated": lambda number: message(number)[:-3],
    "one byte short": lambda number: message(number)[:-1],
    "a byte too many": lambda number: message(number) + b"\x00",
    "its own offset too many": lambda number: message(number) + long_bytes(number),
    "a second datum": lambda number: message(number) + message(number)[HEADER:],
    "an enumeration out of range": lambda number: _id_and(number, b"\x7e") + message(number)[HEADER + 12 :],
}


@pytest.mark.parametrize("kind", POISON)
def test_poison_is_dead_lettered_alone_wherever_it_stands(kind: str) -> None:
    places = {0, ROWS // 2, ROWS - 1}
    values = [POISON[kind](number) if number in places else message(number) for number in range(ROWS)]
    violated, dead = screened(values)
    assert dead == places
    assert violated == set(range(ROWS)) - places


def test_many_that_cannot_be_read_cost_few_looks_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand broken off or with something behind them, and thirty that only the engine can tell."""
    broken = [POISON[kind] for kind in ("garbage", "nothing", "truncated", "a byte too many", "a second datum")]
    odd = POISON["an enumeration out of range"]
    values, lost = [], set()
    for number in range(6_000):
        poison = odd if number % 200 == 7 else broken[number // 2 % len(broken)] if number % 2 else None
        lost |= {number} if poison else set()
        values.append(poison(number) if poison else message(number))
    looks = []
    insert = Embedded.insert

    def counted(self: Embedded, *said: Any) -> bool:
        looks.append(said[0])
        return insert(self, *said)

    monkeypatch.setattr(Embedded, "insert", counted)
    violated, dead = screened(values)
    assert dead == lost
    assert violated == set(range(len(values))) - lost
    assert len(looks) < 90, "one for all, two for each of the thirty, one for the rest"


def test_two_halves_of_a_datum_do_not_pass_for_one() -> None:
    """Bytes missing here and too many there: the block as a whole would have the right length."""
    whole = message(1)
    assert screened([message(0), whole[:-2], whole[:HEADER] + whole[-2:], message(3)]) == (
        {0, 3},
        {1, 2},
    )


def test_the_same_event_again_adds_nothing_and_another_one_under_its_id_is_refused() -> None:
    recent = Redeliveries(window=100)
    assert recent.is_new(5, message(1)[HEADER:])
    assert not recent.is_new(6, message(1)[HEADER:])
    assert recent.is_new(5, message(1)[HEADER:]), "the same record, read again"
    with pytest.raises(Exception, match="other content"):
        recent.is_new(7, message(1, purpose="MARKETING")[HEADER:])
    assert not recent.is_new(104, message(1)[HEADER:]), "within a window"
    assert recent.is_new(305, message(1)[HEADER:]), "long after"


def test_going_back_over_the_edge_of_a_window_forgets_nothing() -> None:
    """A partition that is read again from an earlier offset is decided as the first time."""
    recent = Redeliveries(window=100)
    assert recent.is_new(60, message(1)[HEADER:]) and recent.is_new(90, message(2)[HEADER:])
    assert not recent.is_new(110, message(2)[HEADER:])
    assert recent.is_new(90, message(2)[HEADER:]) and not recent.is_new(95, message(1)[HEADER:])
    assert not recent.is_new(110, message(2)[HEADER:])


_RESTRICTED = """
import json
from inzage.streams.screening.engine import engine
from inzage.streams.screening.pack import policies_of
from tests.unit.streams.screening.test_engine import message, screened, controller

controller(); engine().restrict()
found = {"violated": len(screened([message(n) for n in range(5)])[0]), "again": len(screened([message(9)])[0])}
controller().telling.tell()
found["bytes told"] = controller().telling.bytes()
controller().telling.begin_afresh()
found["bytes left"] = controller().telling.bytes()
database = controller().database
for name, sql in json.loads(%r).items():
    try:
        engine()._query(sql.replace("{db}", database), "TSV")
        found[name] = "allowed"
    except RuntimeError as error:
        found[name] = "refused" if "ACCESS_DENIED" in str(error) else str(error)
print(json.dumps(found))
"""

_STATEMENTS = {
    "file table": "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "url table": "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "executable": "SELECT * FROM executable('id', 'LineAsString', 'x String')",
    "remote": "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
    "create": "CREATE TABLE {db}.more (x Int8) ENGINE = Memory",
    "drop": "DROP TABLE {db}.judged",
    "alter": "ALTER TABLE {db}.judged ADD COLUMN x Int8",
    "delete": "DELETE FROM {db}.dossier WHERE 1",
    "create function": "CREATE FUNCTION f AS x -> x",
    "other database": "CREATE DATABASE other",
}
_ALLOWED = {"scalar file": "SELECT length(file('/etc/hostname')) > 0"}
"""What the grants do not refuse in chDB: only the allow-list of functions stands before it."""


def test_a_restricted_engine_judges_and_does_nothing_else() -> None:
    """In a process of its own: what is restricted stays so."""
    script = _RESTRICTED % json.dumps(_STATEMENTS | _ALLOWED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found.pop("violated"), found.pop("again")) == (5, 1)
    assert found.pop("bytes told") > found.pop("bytes left") > 0, "it may be asked, and emptied"
    assert found == dict.fromkeys(_STATEMENTS, "refused") | dict.fromkeys(_ALLOWED, "allowed")


def test_an_event_keyed_by_another_than_its_subject_is_refused() -> None:
    references = References("HMBS", law(), controller().policies.settings)
    records = [
        SaidRecord(offset, 1_790_000_000_000, key, message(offset)) for offset, key in enumerate((b"SUB-2", None))
    ]
    outcome = Screener(engine(), controller(), references).screen(records)
    assert [letter["reason"] for letter in outcome.dead_letters] == ["contract.wrong-key"] * 2
    assert not outcome.verdicts
