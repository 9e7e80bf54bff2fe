"""The sealer with two witnesses of three and an authority: what they say reaches the trail, and is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.ports import free_port
from inzage.schemas import codec
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.ledger.note import COSIGNATURE, Note, Signer, open_note
from inzage.sinks.ledger.signing_key import read_verifiers, signing_key
from inzage.sinks.witness.register import Register
from inzage.sinks.witness.service import application
from inzage.sinks.witness.witness import Witness
from tests.loopback import on_loopback
from tests.stand_in_authority import StandInAuthority
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka

WITNESSES = [Signer.generate(f"witness.example/w{number}", COSIGNATURE) for number in (1, 2, 3)]


class Logs(dict[str, Any]):
    """Every origin is the sealer's: a test cannot know the id of its cluster before."""

    def __missing__(self, origin: str) -> Any:
        return self[""]

    def get(self, origin: str, default: Any = None) -> Any:
        return self[""]


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    key = signing_key(tmp_path / "sealer" / "key", "inzage-sealer").verifier
    authority = StandInAuthority(tmp_path / "authority")
    with ExitStack() as running:
        urls = []
        for number, signer in enumerate(WITNESSES[:2]):
            witness = Witness(signer, Logs({"": [key]}), Register(tmp_path / f"state{number}"))
            urls.append(running.enter_context(on_loopback(application(witness))))
        urls.append(f"http://127.0.0.1:{free_port()}")
        sealing = {
            "every_seconds": 0.2,
            "witnesses": [
                {"url": url, "key": str(signer.verifier)} for url, signer in zip(urls, WITNESSES, strict=True)
            ],
            "quorum": 2,
            "witness_every_seconds": 0.1,
            "timestamping": {
                "url": running.enter_context(on_loopback(authority.application())),
                "ca_file": str(authority.ca_file),
            },
        }
        monkeypatch.setenv("INZAGE_SEALING", json.dumps(sealing))
        made = running.enter_context(stack_on(broker, clickhouse, ledger=True, **sealing))
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


async def _seal_until(stack: Stack, folder: Path, size: int) -> None:
    """Run the sealer until the meta log is stamped, and a checkpoint of at least `size` leaves is cosigned by two."""
    sealer = stack.sealer(folder)
    running = asyncio.create_task(sealer.run())
    try:
        async with asyncio.timeout(120):
            while not _attested(said := await asyncio.to_thread(_attestations, stack), size):
                if running.done():
                    running.result()
                await asyncio.sleep(0.1)
    finally:
        sealer.stop()
        await running
    assert "witness.example/w3" not in {record["by"] for record in said}


def _attested(said: list[dict[str, Any]], size: int) -> bool:
    by = {record["by"] for record in said if record["kind"] == "COSIGNATURE" and record["size"] >= size}
    return len(by) == 2 and any(record["kind"] == "TIMESTAMP" for record in said)


def _attestations(stack: Stack) -> list[dict[str, Any]]:
    """Every attestation that is public."""
    place = TopicPartition(CHECKPOINTS, 0)
    consumer = KafkaConsumer(
        bootstrap_servers=stack.settings.kafka.bootstrap_servers, isolation_level="read_committed"
    )
    try:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, found = consumer.end_offsets([place])[place], []
        while consumer.position(place) < end:
            for record in consumer.poll(200).get(place, ()):
                schema, said = codec.decode(record.value)
                found += [said] if schema.name == "attestation" else []
        return found
    finally:
        consumer.close()


def _witnessed(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["trail", "witnessed", "--output", "json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


async def test_what_was_attested_is_in_the_trail(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.send_activities(range(50))
    await _seal_until(stack, tmp_path, 1)
    stack.send_activities(range(50, 60))
    await _seal_until(stack, tmp_path, 2)
    await stack.keep_sealed()
    code, [log] = _witnessed(capsys)
    assert code == 0
    assert log["origin"] == stack.cluster().meta_origin
    assert log["witnessed"] == log["sealed"] >= 2
    assert log["cosigned_by"] == ["witness.example/w1", "witness.example/w2"]
    assert (log["quorum"], log["witnesses"], log["stamped_by"]) == (2, 3, "CN=Stand-in authority")
    assert 1 <= log["stamped"] <= log["sealed"]
    keys = [*read_verifiers(tmp_path / "sealer" / "key.pub"), *(signer.verifier for signer in WITNESSES)]
    for (note,) in stack.rows("SELECT note FROM trail.attestations WHERE kind = 'COSIGNATURE'"):
        assert len(open_note(note, keys).signatures) == 2, "the sealer's and one witness's"


async def test_what_does_not_hold_is_named(stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack.send_activities(range(50))
    await _seal_until(stack, tmp_path, 1)
    await stack.keep_sealed()
    [(note,)] = stack.rows("SELECT note FROM trail.attestations WHERE by = 'witness.example/w2' LIMIT 1")
    false = str(Note.read(note)).replace("\n1\n", "\n2\n", 1)
    stack.client.command(
        f"ALTER TABLE {stack.database}.attestations UPDATE note = %(note)s WHERE by = 'witness.example/w2' "
        "SETTINGS mutations_sync = 2",
        parameters={"note": false},
    )
    code, [log] = _witnessed(capsys)
    assert code == 1
    assert log["witnessed"] is None
    assert log["false"] == [f"cosignatures of size {log['sealed']}: the note is about another checkpoint"]
