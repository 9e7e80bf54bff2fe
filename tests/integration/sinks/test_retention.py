"""Retention on a real broker and a real engine: what is older than its period goes, all else still proves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.codec import encode
from inzage.schemas.errors import ConfigError, TamperError, TransientError
from inzage.sinks.completeness.standing import source_standings
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.proofs import verify_inclusion
from inzage.sinks.ledger.signing_key import read_verifiers
from inzage.sinks.proof.check import Trust, check_proof
from inzage.sinks.proof.prove import prove
from inzage.sinks.retention.holdings import plan_for
from inzage.sinks.status import read_extents, trail_status
from inzage.sinks.verification.procedure import Request, verify
from tests.aged_trail import (
    PERIOD,
    aged_settings,
    believe_producers,
    caught_up,
    dropped,
    living,
    month,
    say,
    say_month,
)
from tests.trail_stack import Stack, activity, fact, stack_on

pytestmark = pytest.mark.kafka

ACTIVITIES = "SELECT count() FROM trail.events"
MONTHS = "SELECT DISTINCT toYYYYMM(broker_time) FROM trail.log WHERE topic LIKE '%events%' ORDER BY 1"


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.2, every_records=64) as made:
        believe_producers(made)
        yield made


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--output", "json"])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(shown.out) if shown.out else None, shown.err


def _begins(stack: Stack) -> dict[int, int]:
    logs = [log for log in stack.cluster().logs(_topics(stack)) if log.topic.name == stack.topics.events]
    return {extent.log.partition: extent.begin for extent in read_extents(stack.settings.kafka, logs)}


def _topics(stack: Stack) -> list[Any]:
    from inzage.sinks.logs import topics_of

    return list(topics_of([stack.controller]).values())


async def test_what_is_older_goes_and_the_rest_still_proves(stack: Stack, tmp_path: Path) -> None:
    """Three months in one partition, two in the other; after ten years the first two go, and later the third."""
    for number in range(3):
        say_month(stack, month(number), 100 * number, 90)
    say_month(stack, month(1), 1000)
    say_month(stack, month(0), 2000, 30, partition=1)
    say_month(stack, month(2), 2100, 30, partition=1)
    await caught_up(stack, tmp_path)
    _verified(stack, tmp_path)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    # say_month(1) came after say_month(2): of the first partition only the first month is a prefix
    async with living(stack, tmp_path):
        gone = await dropped(stack, tmp_path, now)
    assert [(one.topic, one.months, one.rows) for one in gone] == [(stack.topics.events, (201601,), 91 + 31)]
    assert _begins(stack) == {0: 91, 1: 31}
    assert stack.rows(MONTHS) == [(201602,), (201603,)]
    _proven(stack, tmp_path, ["event-100", "event-189", "event-1039", "event-2129"])
    _complete(stack, {0: 91, 1: 31})
    _verified(stack, tmp_path)
    # ten years after March 2016 all of it goes, and the sink still knows where the logs began
    async with living(stack, tmp_path):
        gone = await dropped(stack, tmp_path, datetime(2026, 4, 1, tzinfo=UTC))
    assert [one.months for one in gone] == [(201602, 201603)]
    assert (stack.rows(ACTIVITIES), _begins(stack)) == ([(0,)], {0: 314, 1: 62})
    _complete(stack, {0: 314, 1: 62})
    _verified(stack, tmp_path)
    say_month(stack, month(120), 5000, 10)
    await caught_up(stack, tmp_path)
    assert stack.rows(
        "SELECT min(leaf_index), max(leaf_index), min(offset) FROM trail.log WHERE topic LIKE '%events%'"
    ) == [(314, 324, 314)]
    _proven(stack, tmp_path, ["event-5000", "event-5009"])
    _verified(stack, tmp_path)


def _proven(stack: Stack, folder: Path, identifiers: list[str]) -> None:
    trust = Trust(read_verifiers(folder / "sealer" / "key.pub"))
    for identifier in identifiers:
        check_proof(str(prove(stack.trail(), identifier).file).encode(), trust)


def _verified(stack: Stack, folder: Path) -> None:
    """The verifier, which remembers what it saw before the records went, finds nothing wrong."""
    request = Request(
        keys=read_verifiers(folder / "sealer" / "key.pub"),
        archive=folder / "archive",
        state=folder / "verifier.json",
        kafka=True,
        jobs=1,
    )
    verdict = verify(stack.settings, request)
    assert (verdict.tampered, verdict.complete) == (False, True), verdict.findings


def _complete(stack: Stack, dropped_below: dict[int, int]) -> None:
    logs = [log for log in trail_status(stack.settings) if log.topic == stack.topics.events]
    assert {log.partition: (log.complete, log.gaps, log.lag, log.dropped_below) for log in logs} == {
        partition: (True, 0, 0, below) for partition, below in dropped_below.items()
    }


async def test_the_statement_is_public_and_leads_to_what_was_sealed(stack: Stack, tmp_path: Path) -> None:
    say_month(stack, month(0), 0, 70)
    say_month(stack, month(1), 100, 70)
    await caught_up(stack, tmp_path)
    origin, index = stack.cluster().logs([t for t in _topics(stack) if t.name == stack.topics.events])[0].id, 71
    leaves = [
        leaf for (leaf,) in stack.rows(f"SELECT leaf_hash FROM trail.log WHERE log_id = '{origin}' ORDER BY offset")
    ]
    before = CompactRange()
    before.extend(leaves[:index])
    async with living(stack, tmp_path):
        await dropped(stack, tmp_path, datetime(2026, 2, 1, tzinfo=UTC))
    ((found, minimum, offset, frontier, note, meta_index),) = stack.rows(
        "SELECT origin, minimum_index, minimum_offset, frontier, note, meta_index FROM trail.prunings"
    )
    hashes = [one if isinstance(one, bytes) else one.encode("latin-1") for one in frontier]
    assert (found, minimum, offset, len(hashes)) == (origin, index, index, len(before.hashes()))
    for line in ("pruned below 71 offset 71", "reason ten years are over", "approver dpo@example.org"):
        assert f"\n{line}\n" in note
    assert stack.rows(f"SELECT count() FROM trail.checkpoints WHERE meta_index = {meta_index}") == [(0,)]
    held = check_proof(
        str(prove(stack.trail(), "event-100").file).encode(), Trust(read_verifiers(tmp_path / "sealer" / "key.pub"))
    )
    assert held.index == index
    verify_inclusion(held.index, held.log.size, held.leaf_hash, _path(leaves[: held.log.size], index), held.log.root)


def _path(leaves: list[bytes], index: int) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962, 2.1.1, over leaf hashes."""
    from inzage.sinks.ledger.hashing import hash_node

    def root(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        split = 1 << ((len(part) - 1).bit_length() - 1)
        return hash_node(root(part[:split]), root(part[split:]))

    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*_path(leaves[:split], index), root(leaves[split:])]
    return [*_path(leaves[split:], index - split), root(leaves[:split])]


async def test_a_hold_keeps_what_it_is_about_until_it_is_released(stack: Stack, tmp_path: Path) -> None:
    say_month(stack, month(0), 0)
    say(stack, [(b"SUB-HELD", fact(50, stack.controller, subject="SUB-HELD"))], month(1))
    placed = fact(51, stack.controller, "LegalHoldPlaced", subject="SUB-HELD", hold_ref="HOLD-7")
    say(stack, [(b"SUB-HELD", placed)], month(3))
    await caught_up(stack, tmp_path)
    settings, now = aged_settings(stack, tmp_path), datetime(2026, 4, 1, tzinfo=UTC)
    events = plan_for(settings, stack.trail(), stack.controller, now)[0]
    assert (events.months, events.kept_by) == ((201601,), "legal hold from 201602 on: HOLD-7")
    released_at = datetime(2026, 3, 15, tzinfo=UTC).isoformat()
    released = {"subject": "SUB-HELD", "hold_ref": "HOLD-7", "released_at": released_at}
    say(stack, [(b"SUB-HELD", fact(52, stack.controller, "LegalHoldReleased", **released))], month(122))
    await caught_up(stack, tmp_path)
    assert plan_for(settings, stack.trail(), stack.controller, datetime(2026, 3, 14, tzinfo=UTC))[0].kept_by
    events = plan_for(settings, stack.trail(), stack.controller, now)[0]
    assert (events.months, events.kept_by) == ((201601, 201602), "")
    # the release itself is taken back by a fact that corrects it
    taken_back = {"subject": "SUB-HELD", "hold_ref": "HOLD-8", "released_at": released_at, "corrects": "fact-52"}
    say(stack, [(b"SUB-HELD", fact(53, stack.controller, "LegalHoldReleased", **taken_back))], month(122))
    await caught_up(stack, tmp_path)
    assert plan_for(settings, stack.trail(), stack.controller, now)[0].months == (201601,)


async def test_numbers_that_went_by_statement_are_not_missed(stack: Stack, tmp_path: Path) -> None:
    """A source numbers from one: what it said before is gone from the trail, and was there."""
    instance = f"019c0000-0000-7000-8000-000000000001/{stack.topics.events}"
    for number in range(1, 21):
        numbered = {"source_instance": instance, "source_sequence": number}
        record = activity(number, stack.controller, **numbered)
        at = month(0) if number <= 10 else month(1)
        say(stack, [(record["subject"]["pseudonym"].encode(), encode("activity", record))], at)
    await caught_up(stack, tmp_path)
    now = datetime(2026, 2, 1, tzinfo=UTC)
    async with living(stack, tmp_path):
        assert [one.rows for one in await dropped(stack, tmp_path, now)] == [10]
    ((first, last, missing, shortened),) = [
        (one.first, one.last, one.missing, one.shortened)
        for one in source_standings(stack.settings, controller=stack.controller, now=now)
    ]
    assert (first, last, missing, shortened) == (11, 20, 0, True)


async def test_without_a_sealer_nothing_goes(stack: Stack, tmp_path: Path) -> None:
    say_month(stack, month(0), 0)
    await caught_up(stack, tmp_path)
    now = datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(TransientError, match="no statement within 2 s"):
        await dropped(stack, tmp_path, now, within=2)
    assert (stack.rows(ACTIVITIES), _begins(stack)) == ([(40,)], {0: 0, 1: 0})
    async with living(stack, tmp_path):  # the request still stands: the same is asked again, and stated once
        assert [one.rows for one in await dropped(stack, tmp_path, now)] == [41]


async def test_nothing_goes_that_was_not_whole(stack: Stack, tmp_path: Path) -> None:
    say_month(stack, month(0), 0)
    await caught_up(stack, tmp_path)
    gone = f"ALTER TABLE {stack.database}.events DELETE WHERE event_id = 'event-7'"
    stack.client.command(gone, settings={"mutations_sync": 2})
    with pytest.raises(TamperError, match="some are missing"):
        await dropped(stack, tmp_path, datetime(2026, 2, 1, tzinfo=UTC), within=2)
    assert stack.rows(ACTIVITIES) == [(39,)]


async def test_a_statement_that_nobody_signed_drops_nothing(stack: Stack, tmp_path: Path) -> None:
    """Whoever may insert into the trail could put one there."""
    say_month(stack, month(0), 0)
    await caught_up(stack, tmp_path)
    ((origin,),) = stack.rows("SELECT DISTINCT log_id FROM trail.events")
    values = {"origin": origin, "minimum_index": 41, "minimum_offset": 41, "size": 41, "reason": "r", "approver": "a"}
    note = (tmp_path / "sealer" / "key.pub").read_text()
    stack.client.insert(
        f"{stack.database}.prunings",
        [[*values.values(), f"text\n\n— inzage-sealer {'A' * 96}\n{note[:0]}"]],
        column_names=[*values, "note"],
    )
    with pytest.raises(TamperError, match="other than its note"):
        await dropped(stack, tmp_path, datetime(2026, 2, 1, tzinfo=UTC), within=2)
    assert stack.rows(ACTIVITIES) == [(40,)]


async def test_the_commands(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([stack.controller]))
    monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", stack.settings.kafka.bootstrap_servers)
    monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", stack.settings.clickhouse.url)
    monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", stack.database)
    say_month(stack, month(0), 0)
    await caught_up(stack, tmp_path)
    warrant, now = ("--approver", "dpo", "--reason", "old"), ("--now", "2026-02-01T00:00:00Z")
    code, _, err = _run(capsys, "retention", "run", *warrant, *now)
    assert (code, f"{stack.controller} has no period" in err, "inzage.toml" in err) == (2, True, True)
    monkeypatch.setenv("INZAGE_RETENTION__PERIODS", json.dumps({stack.controller: PERIOD}))
    code, rows, _ = _run(capsys, "retention", "plan", *now)
    shown = [(row["months"], row["rows"], row["stays_from_index"]) for row in rows]
    assert (code, shown, stack.rows(ACTIVITIES)) == (0, [([201601], 41, 41)], [(40,)])
    async with living(stack, tmp_path):
        import asyncio

        code, rows, err = await asyncio.to_thread(_run, capsys, "retention", "run", *warrant, *now)
    assert (code, [(row["months"], row["rows"]) for row in rows]) == (0, [([201601], 41)]), err
    assert stack.rows(ACTIVITIES) == [(0,)]
    with pytest.raises(ConfigError):
        from inzage.sinks.retention.statement import Warrant

        Warrant("two\nlines", "dpo")
