"""What comes of asking witnesses and an authority over loopback: two of three, a fork, a restored log, a stamp."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from inzage.deploy.local.ports import free_port
from inzage.schemas import codec
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import SealingSettings, load_settings
from inzage.sinks.ledger.note import COSIGNATURE, Note, Signer
from inzage.sinks.sealing.attestation import Sight
from inzage.sinks.witness.attestations import verify_cosignatures, verify_timestamp
from inzage.sinks.witness.attestor import Attestor, trusted_witnesses
from inzage.sinks.witness.register import Register
from inzage.sinks.witness.service import application
from inzage.sinks.witness.witness import Witness
from tests.loopback import on_loopback
from tests.meta_log import ORIGIN, MetaLog
from tests.stand_in_authority import StandInAuthority

SEALER = Signer.generate("sealer.example")
LOG = MetaLog(SEALER)
FORK = MetaLog(SEALER, forked_at=7)


@dataclass
class World:
    """Witnesses by number, and attestors that were told of them."""

    folder: Path
    running: ExitStack
    told: list[dict[str, Any]] = field(default_factory=list)
    signers: list[Signer] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)

    def witness(self, **clock: Any) -> None:
        signer = self._signer()
        register = Register(self.folder / f"state{len(self.signers)}")
        self.running.callback(register.close)
        self.registers.append(register)
        serving = on_loopback(application(Witness(signer, {ORIGIN: [SEALER.verifier]}, register, **clock)))
        self._tell(signer, self.running.enter_context(serving))

    def dead_witness(self) -> None:
        self._tell(self._signer(), f"http://127.0.0.1:{free_port()}")

    def answering(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """A witness that answers this, whatever it is asked."""

        async def answer(request: Request) -> Response:
            return Response(body, status_code=status, headers=headers)

        app = Starlette(routes=[Route("/add-checkpoint", answer, methods=["POST"])])
        self._tell(self._signer(), self.running.enter_context(on_loopback(app)))

    def attestor(self, quorum: int | None = None, **more: Any) -> Attestor:
        made = Attestor(SealingSettings(witnesses=tuple(self.told), quorum=quorum, **more))
        self.running.callback(made.close)
        return made

    def _signer(self) -> Signer:
        self.signers.append(Signer.generate(f"witness.example/w{len(self.signers) + 1}", COSIGNATURE))
        return self.signers[-1]

    def _tell(self, signer: Signer, url: str) -> None:
        self.told.append({"url": url, "key": str(signer.verifier)})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as running:
        yield World(tmp_path, running)


def ask(attestor: Attestor, log: MetaLog, size: int) -> list[dict[str, Any]]:
    return attestor.attest(Sight(ORIGIN, size, log.checkpoint(size).root, str(log.note(size)), log.tree(size)))


def combined(records: list[dict[str, Any]]) -> Note:
    """The note with every cosignature that was published."""
    notes = [Note.read(record["note"]) for record in records]
    return notes[0].with_signatures(signature for note in notes for signature in note.signatures)


def answered(witness: Signer, outcome: str) -> float:
    labels = {"witness": witness.name, "answer": outcome}
    return REGISTRY.get_sample_value("inzage_witness_answers_total", labels) or 0.0


def test_two_of_three_are_enough(world: World) -> None:
    world.witness()
    world.witness()
    world.dead_witness()
    attestor = world.attestor(quorum=2)
    keys = [signer.verifier for signer in world.signers]
    for size in (3, 300, 600):
        records = ask(attestor, LOG, size)
        assert [record["by"] for record in records] == ["witness.example/w1", "witness.example/w2"]
        assert all((record["origin"], record["size"]) == (ORIGIN, size) for record in records)
        assert len(verify_cosignatures(combined(records), keys, 2)) == 2
        assert REGISTRY.get_sample_value("inzage_witnessed_size") == size
        for record in records:
            _, back = codec.decode(codec.encode("attestation", record))
            assert back == record


def test_nobody_is_asked_twice_for_the_same(world: World) -> None:
    world.witness()
    world.dead_witness()
    attestor = world.attestor(quorum=2)
    assert len(ask(attestor, LOG, 5)) == 1
    assert attestor.missing(str(LOG.note(5)))
    before = answered(world.signers[0], "cosigned")
    assert ask(attestor, LOG, 5) == []
    assert answered(world.signers[0], "cosigned") == before


def test_a_witness_that_knows_the_log_already_is_met_where_it_is(world: World) -> None:
    """A new attestor knows nothing: the witness says its size and gets the proof from there."""
    world.witness()
    assert len(ask(world.attestor(), LOG, 300)) == 1
    for size in (300, 600):
        assert len(ask(world.attestor(), LOG, size)) == 1


def test_a_forked_log_is_refused_and_reported(world: World) -> None:
    world.witness()
    ask(world.attestor(), LOG, 300)
    liar = world.attestor()
    [witness] = world.signers
    before = answered(witness, "split-view")
    with capture_logs() as lines:
        for size in (300, 600):
            assert ask(liar, FORK, size) == []
    assert answered(witness, "split-view") == before + 2
    [line] = [line for line in lines if line.get("code") == "tamper.split-view"]
    assert (line["log_level"], line["by"]) == ("error", witness.name)
    assert "saw another log than this one" in line["why"]
    [evidence] = world.registers[0].forks()
    assert (evidence.kept, evidence.refused) == (str(LOG.note(300)), str(FORK.note(300)))
    assert len(ask(world.attestor(), LOG, 600)) == 1, "who tells the same as before is still cosigned"


def test_a_log_that_was_set_back_is_reported(world: World) -> None:
    world.witness()
    ask(world.attestor(), LOG, 300)
    with capture_logs() as lines:
        assert ask(world.attestor(), LOG, 5) == []
    assert [line for line in lines if "cosigned 300 leaves" in line.get("why", "")]


def test_other_witnesses_may_answer_a_wrong_root_with_a_size(world: World) -> None:
    world.answering(409, b"300\n", {"content-type": "text/x.tlog.size"})
    [witness] = [*world.signers]
    before = answered(witness, "split-view")
    assert ask(world.attestor(), LOG, 300) == []
    assert answered(witness, "split-view") == before + 1


FALSE = Signer.generate("witness.example/w1", COSIGNATURE)


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome"),
    [
        (200, b"", {}, "false"),
        (200, b"\xff", {}, "false"),
        (200, FALSE.sign(LOG.note(5).text, at=1_760_000_000).line.encode(), {}, "false"),
        (200, b"x" * 100_000, {}, "away"),
        (503, b"", {}, "away"),
        (429, b"", {}, "away"),
        (302, b"", {"location": "http://127.0.0.1:9/"}, "refused"),
        (404, b"", {}, "refused"),
        (403, b"", {}, "refused"),
        (409, b"-1\n", {"content-type": "text/x.tlog.size"}, "refused"),
        (409, b"9" * 500, {"content-type": "text/x.tlog.size"}, "refused"),
        (409, b"4\n", {"content-type": "text/x.tlog.size"}, "refused"),
        (422, b"", {}, "split-view"),
    ],
)
def test_no_other_answer_becomes_a_record(
    world: World, status: int, body: bytes, headers: dict[str, str], outcome: str
) -> None:
    world.answering(status, body, headers)
    before = answered(world.signers[0], outcome)
    assert ask(world.attestor(), LOG, 5) == []
    assert answered(world.signers[0], outcome) == before + 1


def test_a_cosignature_from_the_future_is_not_believed(world: World) -> None:
    world.witness(clock=lambda: time.time() + 3600)
    assert ask(world.attestor(), LOG, 5) == []


def test_the_newest_checkpoint_is_stamped_now_and_then(world: World, tmp_path: Path) -> None:
    authority = StandInAuthority(tmp_path / "authority")
    url = world.running.enter_context(on_loopback(authority.application()))
    stamping = {"url": url, "ca_file": authority.ca_file, "every_seconds": 3600}
    attestor = world.attestor(timestamping=stamping)
    [record] = ask(attestor, LOG, 5)
    assert (record["kind"], record["by"], record["size"]) == ("TIMESTAMP", "CN=Stand-in authority", 5)
    at = verify_timestamp(record["note"], record["token"], [authority.root])
    assert at == record["attested_at"]
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=5)
    assert codec.decode(codec.encode("attestation", record))[1] == record
    assert not attestor.missing(str(LOG.note(5)))
    assert ask(attestor, LOG, 300) == []
    assert authority.asked == 1
    assert attestor.missing(str(LOG.note(300))), "when it is due"


def test_a_stamp_that_does_not_hold_is_left_out(world: World, tmp_path: Path) -> None:
    asked = sha256(str(LOG.note(5)).encode()).digest()
    authority = StandInAuthority(tmp_path / "authority", misread=lambda query: query.replace(asked, bytes(32)))
    other = StandInAuthority(tmp_path / "other")
    for one, root in ((authority, authority), (other, authority)):
        url = world.running.enter_context(on_loopback(one.application()))
        attestor = world.attestor(timestamping={"url": url, "ca_file": root.ca_file})
        assert ask(attestor, LOG, 5) == []
        assert attestor.missing(str(LOG.note(5))), "it is asked again"
    assert (authority.asked, other.asked) == (1, 1)


def test_wrong_settings_are_named(world: World, tmp_path: Path) -> None:
    world.dead_witness()
    [told] = world.told
    twice = SealingSettings(witnesses=(told, told))
    with pytest.raises(ConfigError, match=r"witnesses\[1\].key: this key stands there twice"):
        trusted_witnesses(twice)
    for key in ("nothing", str(SEALER.verifier)):
        with pytest.raises(ConfigError, match=r"witnesses\[0\].key"):
            trusted_witnesses(SealingSettings(witnesses=({"url": told["url"], "key": key},)))
    with pytest.raises(ConfigError, match="quorum 2 of 1 witnesses can never be reached"):
        load_settings(sealing={"witnesses": [told], "quorum": 2})
    with pytest.raises(ConfigError, match=r"sealing.witnesses.0.url"):
        load_settings(sealing={"witnesses": [{"url": "ftp://x", "key": "k"}]})
    with pytest.raises(ConfigError, match="no certificates"):
        Attestor(SealingSettings(timestamping={"url": "http://127.0.0.1:9", "ca_file": tmp_path / "none.pem"}))
