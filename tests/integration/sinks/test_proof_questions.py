"""Which questions a proof asks of the trail: few where an event lies among events, more where those leave holes.

Each proof that is made is checked offline, and each path that is taken seldom is one without which the proof fails or
takes another: the questions are part of what is tested.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.util import Timeout

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.ports import free_port
from inzage.schemas import codec
from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.settings import Settings
from inzage.schemas.statement import registered, statement, statement_key
from inzage.schemas.topics import SCHEMAS
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.ledger.note import COSIGNATURE, Note, Signer
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.logs import Said
from inzage.sinks.migrations import migrate
from inzage.sinks.proof.check import Held, Trust, check_proof
from inzage.sinks.proof.evidence import AFTER
from inzage.sinks.proof.prove import Prover, prove
from inzage.sinks.proof.trail_reader import TrailReader
from inzage.sinks.trail import Trail
from tests.sealed_trail import Message, SealedTrail
from tests.trail_stack import activity, fact

AT = datetime(2026, 3, 1, tzinfo=UTC)
USUAL = {"proof_event", "proof_checkpoint", "proof_schema", "proof_leaves", "proof_around", "proof_subtrees"}


class Asked(list[str]):
    """The questions of one proof."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found, select = Asked(), TrailReader.select

    def recorded(trail: TrailReader, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        found.append(query)
        return select(trail, query, **parameters)

    monkeypatch.setattr(TrailReader, "select", recorded)
    return found


@pytest.fixture
def trail(clickhouse: Endpoint) -> Iterator[SealedTrail]:
    database = f"proof_{uuid.uuid4().hex[:12]}"
    settings = Settings(controllers=("ASKED",), clickhouse={"url": clickhouse.url, "database": database})
    client = open_clickhouse(settings.clickhouse, answer_within=60)
    migrate(lambda text: str(client.command(text, use_database=False) or ""), database)
    try:
        yield SealedTrail(settings, client)
    finally:
        client.command(f"DROP DATABASE {database}", use_database=False)
        client.close()


def events(first: int, count: int, header: bytes = b"") -> list[Message]:
    """Activities; with `header` in place of their own."""
    said = [codec.encode("activity", activity(number, "ASKED")) for number in range(first, first + count)]
    own = codec.current("activity").header
    return [(b"SUB-1", (header or own) + one[len(own) :]) for one in said]


def verdict(number: int) -> bytes:
    """A verdict's message; on a topic of events it belongs in no table of its own."""
    said = {
        **dict.fromkeys(("theme", "reason", "heading", "promise", "pack", "pack_version", "rule_id"), "x"),
        **{"verdict_id": f"verdict-{number}", "event_id": "event-1", "controller_id": "ASKED", "subject": "SUB-1"},
        **{"result": "VIOLATION", "severity": "HIGH", "occurred_at": AT, "evaluated_at": AT},
    }
    return codec.encode("verdict", said)


def proven(trail: SealedTrail, identifier: str, asked: Asked, at: int | None = None) -> Held:
    """Prove and check; `asked` holds the questions of this proof alone."""
    asked.clear()
    return check_proof(str(prove(trail.trail, identifier, at=at).file).encode(), Trust([trail.signer.verifier]))


def test_an_event_among_events_takes_six_questions(trail: SealedTrail, asked: Asked) -> None:
    trail.schema("activity")
    trail.keep_sealed(trail.grown_events(), events(0, 700), AT, 300)
    for number in (0, 255, 256, 299, 300, 699):
        held = proven(trail, f"event-{number}", asked)
        assert (held.index, held.schema_proven_by.startswith("the log of the schemas")) == (number, True)
        assert set(asked) == USUAL
        assert len(asked) == len(USUAL) + 1  # the schema has a checkpoint of its own


def test_who_proves_many_asks_for_a_schema_once(trail: SealedTrail, asked: Asked) -> None:
    """Until it was stated and sealed it is asked for again."""
    trail.keep_sealed(trail.grown_events(), events(0, 40), AT, 20)
    with Prover(trail.trail) as prover:
        assert prover.prove("event-1").file.schema is None
        trail.schema("activity")
        trail.keep_sealed(trail.grown_events(), events(40, 40), AT + timedelta(minutes=1), 20)
        for number, schema in ((45, ["proof_schema", "proof_checkpoint"]), (50, []), (3, [])):
            asked.clear()
            proven = prover.prove(f"event-{number}")
            assert sorted(asked) == sorted([*(USUAL - {"proof_schema"}), *schema])
            assert str(proven.file) == str(prove(trail.trail, f"event-{number}").file)
            assert proven.file.schema is not None
        with pytest.raises(ConfigError):
            prover.prove("event-99")
        assert prover.prove("event-79").index == 79


def test_the_leaves_about_the_checkpoint_of_a_schema_are_read_once(
    trail: SealedTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as there are all of its tile; before that they may become more."""
    trail.schema("activity")
    trail.keep_sealed(trail.grown_events(), events(0, 100), AT, 1)
    read: list[int] = []
    select = TrailReader.select

    def counted(reader: TrailReader, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        rows = select(reader, query, **parameters)
        if query == "proof_around":
            read.append(sum(row[0] in range(256) for row in rows))
        return rows

    monkeypatch.setattr(TrailReader, "select", counted)
    with Prover(trail.trail) as prover:
        prover.prove("event-3")
        trail.keep_sealed(trail.grown_events(), events(100, 300), AT + timedelta(minutes=1), 1)
        made = [str(prover.prove(f"event-{number}").file) for number in (390, 391, 20, 392)]
    assert (*read[:3], read[4]) == (101, 256, 0, 0)  # event-20's own checkpoint is in the same tile
    assert made == [str(prove(trail.trail, f"event-{number}").file) for number in (390, 391, 20, 392)]


def test_both_ways_to_clickhouse_give_the_same_rows(trail: SealedTrail) -> None:
    trail.schema("activity")
    trail.keep_sealed(trail.grown_events(), events(0, 600), AT, 300)
    origin, odd = trail.grown_events().log.id, "its {x} & 100%+\u00fc"
    asked: list[tuple[str, dict[str, Any]]] = [
        ("proof_event", {"identifier": "event-7"}),
        ("proof_event", {"identifier": odd}),
        ("proof_checkpoint", {"origin": origin, "index": 7}),
        ("proof_subtrees", {"origin": origin, "meta_origin": "", "size": 600, "runs": [0, 1]}),
        ("proof_schema", {"named": odd}),
        ("proof_leaves", {"origin": origin, "at": 7, "low": 0, "high": 255}),
    ]
    with TrailReader(trail.trail) as here, TrailReader(trail.trail, direct=False) as elsewhere:
        rows = [here.select(query, **said) for query, said in asked]
        assert rows == [elsewhere.select(query, **said) for query, said in asked]
        assert [len(one) for one in rows] == [1, 0, 1, 2, 1, 256]
        assert here.select("proof_fact", identifier=odd) == []


@pytest.mark.parametrize("direct", [True, False])
def test_what_clickhouse_refuses(trail: SealedTrail, direct: bool) -> None:
    with TrailReader(Trail(trail.client, "nowhere"), direct=direct) as reader, pytest.raises(ConfigError):
        reader.select("proof_event", identifier="event-1")


def test_a_clickhouse_that_is_away() -> None:
    client: Any = SimpleNamespace(url=f"http://127.0.0.1:{free_port()}", headers={}, timeout=Timeout(5))
    with TrailReader(Trail(client, "nowhere")) as reader, pytest.raises(TransientError):
        reader.select("proof_event", identifier="event-1")


def test_what_was_kept_before_there_were_projections_is_found(trail: SealedTrail, asked: Asked) -> None:
    """ClickHouse makes them for what is there in its own time."""
    database = trail.settings.clickhouse.database
    trail.keep_sealed(trail.grown_events(), events(0, 40), AT, 20)
    for table, projection in (("events", "by_id"), ("checkpoints", "by_log")):
        clear = f"ALTER TABLE {database}.{table} CLEAR PROJECTION {projection} SETTINGS mutations_sync = 2"
        trail.client.command(clear)
    assert proven(trail, "event-30", asked).index == 30
    assert {"proof_fact", "proof_checkpoint_before"} <= set(asked)


def test_what_stands_among_events_is_found_where_they_leave_holes(trail: SealedTrail, asked: Asked) -> None:
    beat = {
        "controller_id": "ASKED",
        "source_system": "crm",
        "source_instance": "crm/1",
        "last_sequence": 3,
        "at": AT,
    }
    others = [fact(7, "ASKED", subject="SUB-1"), codec.encode("heartbeat", beat), verdict(1)]
    log = trail.grown_events()
    trail.keep(log, [*events(0, 10), *((b"SUB-1", one) for one in others), *events(10, 10)], AT)
    trail.schema("activity")
    trail.seal(AT)
    database = trail.settings.clickhouse.database
    held_in = f"SELECT kept_in FROM {database}.log WHERE leaf_index BETWEEN 10 AND 12 AND log_id = '{log.log.id}'"
    kept_in = {table for (table,) in trail.client.query(held_in).result_rows}
    assert kept_in == {"facts", "heartbeats", "other_records"}
    assert proven(trail, "event-13", asked).index == 16
    assert set(asked) == USUAL | {"proof_neighbours"}
    held = proven(trail, "fact-7", asked)
    assert (held.index, "Fact" in (held.event or "")) == (10, True)
    assert not {"leaf_hashes", "proof_record"} & set(asked)


def test_a_log_that_does_not_begin_at_offset_0(trail: SealedTrail, asked: Asked) -> None:
    """Its leaves are looked for before its checkpoint says where it begins."""
    log = trail.grown(trail.topics.events, Said.EVENTS, 0, base=1_000)
    trail.schema("activity")
    trail.keep_sealed(log, events(0, 600), AT, 300)
    for number in (7, 599):
        held = proven(trail, f"event-{number}", asked)
        assert (held.index, held.record.offset, asked.count("proof_leaves")) == (number, 1_000 + number, 2)
        assert set(asked) == USUAL
    with Prover(trail.trail) as prover:
        prover.prove("event-7")
        asked.clear()
        prover.prove("event-300")
        assert asked.count("proof_leaves") == 1


def test_checkpoints_that_do_not_tell_their_edge(trail: SealedTrail, asked: Asked) -> None:
    """The leaves of the last tile are asked for in its place, and the proof is the same; a wrong edge gives none."""
    trail.schema("activity")
    trail.keep_sealed(trail.grown_events(), events(0, 700), AT, 700)
    told = str(prove(trail.trail, "event-9").file)
    assert "leaf_hashes" not in asked
    changed = f"ALTER TABLE {trail.settings.clickhouse.database}.checkpoints UPDATE subtrees = {{}} WHERE size = 700"
    wrong = "arrayMap(one -> (one.1, one.2, if(one.1 < 8, reverse(one.3), one.3)), subtrees)"
    trail.client.command(changed.format(wrong), settings={"mutations_sync": 2})
    with pytest.raises(ProofError):
        prove(trail.trail, "event-9")
    trail.client.command(changed.format("arrayFilter(one -> one.1 >= 8, subtrees)"), settings={"mutations_sync": 2})
    assert str(prove(trail.trail, "event-9").file) == told
    assert "leaf_hashes" in asked


def test_a_verdict_stands_in_a_log_of_its_own(trail: SealedTrail, asked: Asked) -> None:
    log = trail.grown(trail.topics.verdicts, Said.VERDICTS)
    trail.keep(log, [(b"SUB-1", verdict(number)) for number in range(3)], AT)
    trail.seal(AT)
    assert proven(trail, "verdict-1", asked).index == 1
    assert {"proof_fact", "proof_record", "leaf_hashes"} <= set(asked)
    assert "proof_leaves" not in asked


def test_what_was_dropped_is_asked_for_where_leaves_are_missing(trail: SealedTrail, asked: Asked) -> None:
    log = trail.grown_events()
    trail.keep_sealed(log, events(0, 400), AT, 100)
    trail.prune(log, 70, AT)
    trail.keep_sealed(log, events(400, 100), AT, 100)
    assert proven(trail, "event-100", asked).index == 100
    assert "proof_dropped" in asked
    assert proven(trail, "event-300", asked).index == 300
    assert "proof_dropped" not in asked
    assert proven(trail, "event-450", asked).index == 450  # the statement is a leaf of the meta log, before it
    assert {"proof_dropped", "meta_notes"} & set(asked) == {"meta_notes"}
    database = trail.settings.clickhouse.database
    trail.client.command(
        f"ALTER TABLE {database}.events DELETE WHERE event_id = 'event-90' SETTINGS mutations_sync = 2"
    )
    with pytest.raises(ProofError, match="missing"):
        proven(trail, "event-100", asked)  # gone, and nobody stated it


def test_the_state_that_was_attested_later_is_taken(trail: SealedTrail, asked: Asked) -> None:
    witness, log = Signer.generate("witness", COSIGNATURE), trail.grown_events()
    trail.keep(log, events(0, 5), AT)
    trail.seal(AT)
    trail.keep(log, events(5, 5), AT)
    near = trail.seal(AT)
    trail.keep_sealed(log, events(10, AFTER), AT, 1)
    far = trail.seal(AT + timedelta(seconds=1))
    first = proven(trail, "event-3", asked).meta.size
    for note, questions in ((far, {"checkpoint_of"}), (near, set())):
        text = Note.read(note).text
        trail.attest(str(Note(text, (witness.sign(text, at=int(AT.timestamp())),))), "WITNESS", "witness", at=AT)
        held = proven(trail, "event-3", asked)
        assert held.meta.size == int(text.split("\n")[1]) > first
        assert held.unchecked == ("a signature of witness",)
        assert {"checkpoint_of"} & set(asked) == questions
    assert proven(trail, "event-3", asked, at=first).meta.size == first


def test_a_schema_that_was_not_guessed_is_looked_for(trail: SealedTrail, asked: Asked) -> None:
    """It is sealed after the record, named by a registry's id, and further on in its log than what is read ahead."""
    named = registered(7, codec.current("activity").text)
    trail.schemas[named.header] = named
    trail.keep(trail.grown_events(), events(0, 3, named.header), AT)
    early = len(trail.notes) + 1
    trail.seal(AT)
    others = [
        registered(100 + number, f'{{"type": "record", "name": "R{number}", "fields": []}}') for number in range(600)
    ]
    said = [(statement_key(one), statement(one)) for one in (*others[:-1], named, others[-1])]
    trail.keep(trail.grown(SCHEMAS, Said.SCHEMAS), said, AT)
    trail.seal(AT)
    held = proven(trail, "event-2", asked)
    assert (held.meta.size, held.schema_proven_by.partition(",")[2][:10]) == (2, " index 599")
    assert (asked.count("proof_schema"), asked.count("leaf_hashes")) == (2, 1)
    assert proven(trail, "event-2", asked, at=early).schema_proven_by.startswith("this installation") is False


def test_a_log_of_more_than_one_tile_of_tiles(trail: SealedTrail, asked: Asked) -> None:
    one, own = events(0, 1)[0][1], b"event-0"
    assert one and one.count(own) == 1
    log = trail.grown_events()
    at = one.index(own)
    said = [
        (b"SUB-1", one[: at - 1] + bytes([2 * 12]) + b"event-%06d" % n + one[at + len(own) :]) for n in range(70_000)
    ]
    trail.keep_sealed(log, said, AT, 7_000)
    for number in (5, 65_535, 65_536, 69_999):
        assert proven(trail, f"event-{number:06}", asked).index == number
        assert "subtrees" not in asked
