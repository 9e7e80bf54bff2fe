"""Measures how long a hypothesis takes over five million events: the law, an agreement, a policy and a whole pack.

    python -m benchmarks.whatif [--rows 5000000] [--logs 4] [--processes N] [--question NAME]

The rows are made by the writer's own encoder and are not sealed. Most disclosures stay in the EEA, four in a hundred
go to Switzerland; of each person there are 25, and what was said about them: a consent of each, of some that it was
withdrawn. `annulled` is the adequacy of Switzerland, `ended` an agreement with one recipient of four hundred, `tried`
one entry worded otherwise, which reads the consents, `whole` all entries of the pack worded otherwise. One JSON line
on stdout: seconds of `inzage whatif`, starting Python included, and the processor time of its processes; bytecode is
kept, as it is where a package is installed.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas import codec, json_face
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.block import blocks_of
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.logs import Log, Said, Topic
from inzage.sinks.row import Leaf
from inzage.sinks.trail import Trail
from inzage.streams.screening.pack import LOOK
from inzage.streams.screening.plain_yaml import load

CONTROLLER, CLUSTER, TOPIC_ID = "CIGNA", "bench", "00000000-0000-0000-0000-000000000001"
BLOCK = 49_152
DISTINCT = 2_000
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
COUNTRIES, WEIGHTS = ("BE", "FR", "DE", "CH", "KE"), (60, 20, 15, 4, 1)
AIM_SECONDS = 60.0
AIMED_AT = {"annulled", "ended", "tried"}
EVENTS_A_PERSON = 25
AGREEMENT = "DPA-7"
CHANGED = {
    "tried": ("CIGNA-69", "({}\n) OR ifNull(recipient.processing_country = 'CH', 0)"),
    "whole": ("", "({}\n) AND ifNull(recipient.processing_country != 'FR', 1)"),
}
"""Which entry, and how its predicate is changed; all of them when none is named."""
_HEADERS = headers_bytes([("ce_specversion", b"1.0")])


def main(
    rows: Annotated[int, typer.Option(help="Rows of the trail.")] = 5_000_000,
    logs: Annotated[int, typer.Option(help="Partitions they are in.")] = 4,
    processes: Annotated[int, typer.Option(help="Processes that judge.")] = os.cpu_count() or 1,
    question: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
) -> None:
    """Fill a trail, then suppose this and that of it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with (
            Broker(data / "broker", heap_megabytes=256) as broker,  # a look at the trail is an event
            Endpoint(data / "clickhouse", access=Access.EVERYTHING, fsync=False) as endpoint,
        ):
            kafka = {"bootstrap_servers": broker.bootstrap_servers}
            clickhouse = {"url": endpoint.url}
            settings = Settings(controllers=(CONTROLLER,), data_dir=data, kafka=kafka, clickhouse=clickhouse)
            ensure_topics(settings, [CONTROLLER])
            client = open_clickhouse(settings.clickhouse, answer_within=300)
            _fill(Trail(client, settings.clickhouse.database), rows, logs)
            others = {name: _packs(data / name, changed) for name, changed in CHANGED.items()}
            questions = {
                "annulled": ("--annul-adequacy", "CH"),
                "ended": ("--end-agreement", AGREEMENT),
                **{name: ("--packs", str(folder)) for name, folder in others.items()},
            }
            found = {}
            for name in question or questions:
                found[name] = _suppose(settings, *questions[name], "--processes", str(processes))
                sys.stderr.write(f"{name}: {found[name]}\n")
    said = {"benchmark": "whatif", "rows": rows, "logs": logs, "processes": processes}
    measured = {f"{name}_{what}": value for name, one in found.items() for what, value in one.items()}
    sys.stdout.write(json.dumps({**said, **measured}) + "\n")
    raise typer.Exit(1 if any(found[name]["seconds"] > AIM_SECONDS for name in found.keys() & AIMED_AT) else 0)


def _fill(trail: Trail, rows: int, logs: int) -> None:
    draw = random.Random(1)
    known = [_event(draw, number) for number in range(DISTINCT)]
    _insert(trail, Log(_topic(Said.REFERENCES), 0, CLUSTER, TOPIC_ID), [_leaves(0, [(b"", _agreement())])])
    for partition in range(logs):
        log, count = Log(_topic(Said.EVENTS), partition, CLUSTER, TOPIC_ID), rows // logs
        persons = [f"SUB-{draw.getrandbits(48):012x}" for _ in range(-(-count // EVENTS_A_PERSON))]
        said = [(person.encode(), fact) for person in persons for fact in _facts(person)]
        _insert(trail, log, (_leaves(first, said[first : first + BLOCK]) for first in range(0, len(said), BLOCK)))
        _insert(trail, log, _activities(draw, known, persons, len(said), count))
        sys.stderr.write(f"{(partition + 1) * count:,} rows\n")


def _topic(said: Said) -> Topic:
    topics = ControllerTopics(CONTROLLER)
    return Topic(topics.events if said is Said.EVENTS else topics.references, said, CONTROLLER)


def _insert(trail: Trail, log: Log, leaves: Iterable[list[Leaf]]) -> None:
    for some in leaves:
        for block in blocks_of(log, 0, some, {})[0]:
            trail.client.raw_insert(f"inzage.{block.table.name}", insert_block=block.body, fmt="Avro")


def _activities(
    draw: random.Random, known: list[tuple[bytes, slice, slice]], persons: list[str], begin: int, count: int
) -> Iterator[list[Leaf]]:
    for first in range(0, count, BLOCK):
        said = []
        for number in range(first, min(first + BLOCK, count)):
            message, place, whose = known[number % DISTINCT]
            identifier, person = str(uuid.UUID(int=draw.getrandbits(128))).encode(), draw.choice(persons).encode()
            between = message[place.stop : whose.start]
            said.append((person, message[: place.start] + identifier + between + person + message[whose.stop :]))
        yield _leaves(begin + first, said)


def _leaves(first: int, said: Iterable[tuple[bytes, bytes]]) -> list[Leaf]:
    began = int((BEGAN + timedelta(hours=1)).timestamp() * 1000)
    made = []
    for offset, (key, value) in enumerate(said, first):
        hashed = leaf_hash(leaf_bytes(offset, 1, began + offset, key, value, _HEADERS))
        made.append(Leaf(offset, began + offset, 1, key, value, _HEADERS, hashed))
    return made


def _facts(person: str) -> list[bytes]:
    """A consent, and of one person in ten that it was withdrawn."""
    given, withdrawn = _templates()
    said = [given, withdrawn] if person.endswith(("0", "1")) else [given]
    return [
        codec.encode("fact", {**one, "fact_id": f"{person}-{number}", "subject": person})
        for number, one in enumerate(said)
    ]


@cache
def _templates() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    envelope = {"fact_id": "F", "recorded_at": BEGAN.isoformat(), "source_system": "portal", "subject": "S"}
    given, withdrawn = {"given_at": "2026-01-01T00:00:00Z"}, {"withdrawn_at": BEGAN.isoformat()}
    return tuple(  # type: ignore[return-value]
        json_face.read(
            {"fact": {**envelope, "type": kind, "consent_ref": "C", **body}}, controller_id=CONTROLLER
        ).record
        for kind, body in (("ConsentGiven", given), ("ConsentWithdrawn", withdrawn))
    )


def _agreement() -> bytes:
    """With one of the recipients."""
    said = {"type": "AgreementSigned", "fact_id": "A", "agreement_ref": AGREEMENT, "agreement_type": "DPA_ART28"}
    said |= {"party_org_id": "ORG-7", "signed_by_both": True, "valid_from": "2020-01-01T00:00:00Z"}
    said |= {"recorded_at": BEGAN.isoformat(), "source_system": "registry"}
    return codec.encode("reference", json_face.read({"fact": said}, controller_id=CONTROLLER).record)


def _event(draw: random.Random, number: int) -> tuple[bytes, slice, slice]:
    """The message of an event, and where its id and its person stand in it."""
    identifier, subject = str(uuid.UUID(int=draw.getrandbits(128))), f"SUB-{draw.getrandbits(48):012x}"
    country = draw.choices(COUNTRIES, WEIGHTS)[0]
    face = {
        "event_id": identifier,
        "event_type": "DisclosureEvent",
        "occurred_at": (BEGAN + timedelta(seconds=number)).isoformat(),
        "source_system": "claims",
        "outcome": "SUCCESS",
        "action": "DISCLOSE",
        "actor": {
            "id": f"ACT-{draw.randrange(3000)}",
            "type": "HUMAN",
            "role": "CLAIMS_HANDLER",
            "org_id": "ORG-OWN",
        },
        "subject": {"pseudonym": subject, "relation": "INSURED_EMPLOYEE"},
        "recipient": {
            "org_id": f"ORG-{draw.randrange(400)}",
            "category": "HEALTHCARE_PROVIDER",
            "establishment_country": country,
            "processing_country": country,
        },
        "data_categories": ["IDENTITY", "HEALTH_PHYSICAL"],
        "purpose": "CLAIMS_HANDLING",
        "legal_basis": "CONTRACT_PERFORMANCE",
        "case_ref": f"CASE-{draw.randrange(10**6)}",
    }
    message = codec.encode("activity", json_face.read({"event": face}, controller_id=CONTROLLER).record)
    return message, _place(message, identifier), _place(message, subject)


def _place(message: bytes, text: str) -> slice:
    begin = message.index(text.encode())
    return slice(begin, begin + len(text))


def _packs(folder: Path, changed: tuple[str, str]) -> Path:
    """The packs in a folder of their own, with predicates changed; those about facts or looks are left alone."""
    only, change = changed
    folder.mkdir()
    for file in files("inzage.streams").joinpath("policies").iterdir():
        if not file.name.endswith(".yaml"):
            continue
        pack = load(file.read_text(encoding="utf-8"))
        for entry in pack["entries"]:
            text = entry.get("violated_when", "")
            if text and not entry.get("judges") and LOOK not in text and only in ("", entry["id"]):
                entry["violated_when"] = change.format(text)
        (folder / file.name).write_text(yaml.safe_dump(pack, allow_unicode=True, width=1000), encoding="utf-8")
    return folder


def _suppose(settings: Settings, *supposed: str) -> dict[str, Any]:
    """Seconds, processor time and what was found of one `inzage whatif`."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "INZAGE_CONTROLLERS": json.dumps([CONTROLLER]),
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INZAGE_CLICKHOUSE__URL": settings.clickhouse.url,
    }
    command = [sys.executable, "-m", "inzage.console.main", "whatif", *supposed, "--output", "json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode in (0, 1) and ended.stdout, ended.stderr
    report = json.loads(ended.stdout)[CONTROLLER]
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "judged": report["judged"],
        "differing": len(report["differing"]),
        "violated": report["violated"]["events"],
        "lawful": report["lawful"]["events"],
    }


if __name__ == "__main__":
    typer.run(main)
