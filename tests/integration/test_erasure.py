"""A person is erased: the words are gone from every store, and every byte of the trail is as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.schemas.emitter import Actor, Emitter, SqlVault
from inzage.schemas.emitter.vault import URL_VARIABLE
from inzage.schemas.emitter.vault_key import KEY_FILE_VARIABLE, KEY_VARIABLE
from inzage.sinks.leaf import leaf_bytes, leaf_hash
from tests.trail_stack import Stack, activity, stack_on

pytestmark = pytest.mark.kafka

PERSON, STAFF = "member:4711", "staff:17"
WORDS = "zq7wordsq9: refused to say that she is HIV positive"


@dataclass
class Installation:
    """A controller, its stores, and the commands of whoever runs it."""

    stack: Stack
    folder: Path
    stores: tuple[Path, ...]
    capsys: pytest.CaptureFixture[str]
    begun: float
    """As files are stamped, in seconds since 1970; a little before the test wrote anything."""

    @property
    def control(self) -> str:
        """A word of this test alone, said where nothing is encrypted: what looks for the words must find this."""
        return f"zq7{self.stack.controller}q9"

    @property
    def vault(self) -> SqlVault:
        return SqlVault.of(self.folder)

    def emitter(self) -> Emitter:
        return Emitter(
            controller_id=self.stack.controller,
            source_system="claims",
            settings=self.stack.settings,
            vault=self.vault,
            compression=None,
        )

    def run(self, *arguments: str) -> tuple[int, Any]:
        """The exit code and what was printed of a command."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--output", "json"])
        shown = self.capsys.readouterr()
        return int(ended.value.code or 0), json.loads(shown.out) if shown.out else shown.err

    def erase(self, *arguments: str, whom: str = PERSON) -> tuple[int, Any]:
        who = arguments if "--reference" in arguments else (whom, *arguments)
        by = ("--ground", "GDPR 17(1)(b)", "--by", STAFF)
        return self.run("subject", "erase", *who, "--controller", self.stack.controller, *by)

    def find(self, text: str) -> set[str]:
        """The stores in whose files, written to since the test began, `text` stands."""
        return {store.name for store in self.stores if any(text.encode() in read for read in self._written(store))}

    def _written(self, store: Path) -> Iterator[bytes]:
        for folder, _, names in os.walk(store):
            for name in names:
                with suppress(FileNotFoundError):  # the broker and the engine remove files meanwhile
                    file = Path(folder, name)
                    stat = file.stat()
                    if stat.st_mtime >= self.begun and stat.st_blocks:  # an index that is only room has no blocks
                        yield file.read_bytes()

    def records(self, topic: str) -> list[Any]:
        """What stands on a topic, as Kafka's records."""
        consumer = KafkaConsumer(bootstrap_servers=self.stack.settings.kafka.bootstrap_servers, group_id=None)
        places = [TopicPartition(topic, number) for number in range(2)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        found: list[Any] = []
        while any(consumer.position(place) < end for place, end in consumer.end_offsets(places).items()):
            for records in consumer.poll(timeout_ms=500).values():
                found += records
        consumer.close()
        return found

    def erasures_said(self) -> list[dict[str, Any]]:
        decoded = [codec.decode(record.value) for record in self.records(self.stack.topics.events)]
        return [said for schema, said in decoded if said.get("event_type") == "DataErased"]


@pytest.fixture
def installation(
    broker: Broker,
    clickhouse: Endpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Installation]:
    for variable in (KEY_VARIABLE, KEY_FILE_VARIABLE, URL_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    begun = time.time() - 1
    with stack_on(broker, clickhouse) as stack:
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path / "vault"))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([stack.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", stack.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", stack.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", stack.database)
        stores = (broker.data_dir, clickhouse.data_dir, tmp_path / "vault")
        yield Installation(stack, tmp_path / "vault", stores, capsys, begun)


def say_something(installation: Installation) -> None:
    """Two records about the person with words, and one about somebody else."""
    with installation.emitter() as emitter:
        actor = Actor(id=STAFF, type="HUMAN", role="CLAIMS_HANDLER", org_id=installation.stack.controller)
        emitter.access(
            subject=PERSON,
            actor=actor,
            purpose="CLAIMS_HANDLING",
            case_ref=installation.control,
            break_glass_reason=WORDS,
            filter=WORDS,
        )
        emitter.fact("CaseClosed", subject=PERSON, case_ref="C-1", outcome=WORDS)
        emitter.access(subject="member:2", actor=actor, break_glass_reason="somebody else's words")


def trail_of(installation: Installation) -> list[tuple[Any, ...]]:
    columns = "partition, offset, timestamp_type, broker_time, hex(key), hex(raw), hex(headers), hex(leaf_hash)"
    where = f"topic = '{installation.stack.topics.events}'"
    return installation.stack.rows(f"SELECT {columns} FROM trail.log WHERE {where} ORDER BY partition, offset")


async def test_after_an_erasure_the_words_are_nowhere_and_every_proof_stands(installation: Installation) -> None:
    say_something(installation)
    await installation.stack.keep_up()
    reference = installation.vault.find(PERSON)
    assert reference is not None
    assert installation.find(installation.control) == {store.name for store in installation.stores[:2]}
    assert not installation.find(WORDS), "the words were encrypted before they left the process"
    code, export = installation.run("subject", "export", PERSON)
    (event,), (fact,) = export["events"], export["facts"]
    assert (code, export["state"], event["break_glass_reason"], event["filter"], fact["outcome"]) == (
        *(0, "ACTIVE", WORDS, WORDS, WORDS),
    )
    before = trail_of(installation)

    code, shown = installation.erase()
    assert (code, [row["state"] for row in shown]) == (0, ["ERASED"])
    await installation.stack.keep_up()

    after = trail_of(installation)
    assert set(before) < set(after) and len(after) == 6  # the erasure, and that either source ended
    for _, offset, kind, at, key, raw, headers, found in after:
        value = bytes.fromhex(raw)
        leaf = leaf_bytes(
            offset, kind, round(at.timestamp() * 1000), bytes.fromhex(key), value, bytes.fromhex(headers)
        )
        assert leaf_hash(leaf).hex() == found.lower()
    code, export = installation.run("subject", "export", "--reference", reference)
    (event, erased), (fact,) = export["events"], export["facts"]
    assert (code, export["state"], event["purpose"]) == (0, "ERASED", "CLAIMS_HANDLING")
    assert event["unreadable"] == ["break_glass_reason", "filter"]
    assert fact["unreadable"] == ["body.CaseClosed.outcome"] and "outcome" not in fact
    assert "break_glass_reason" not in event and "filter" not in event
    assert (erased["event_type"], erased["action"]) == ("DataErased", "ERASE")
    assert erased["legal_provision_ref"] == "GDPR 17(1)(b)"
    assert not installation.find(WORDS) and not installation.find(PERSON)
    _, other = installation.run("subject", "export", "member:2")
    assert other["events"][0]["break_glass_reason"] == "somebody else's words"
    assert installation.vault.reference(PERSON) != reference


def test_what_the_worker_made_of_it_holds_no_words_either(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dossiers keep facts as they were said, and verdicts what was judged."""
    stack = installation.stack
    pack = files("inzage.streams").joinpath("policies", "cigna.yaml").read_text(encoding="utf-8")
    (tmp_path / f"{stack.controller.lower()}.yaml").write_text(pack, encoding="utf-8")
    monkeypatch.setenv("INZAGE_PACKS_DIR", str(tmp_path))
    say_something(installation)
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, "-m", "inzage.console.main", "worker"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 180
        while not all(installation.records(topic) for topic in (stack.topics.dossiers, stack.topics.verdicts)):
            assert worker.poll() is None and time.monotonic() < deadline, (tmp_path / "worker.log").read_text()
            time.sleep(0.5)
    finally:
        worker.terminate()
        worker.wait(90)
    dossiers = b"".join(record.value or b"" for record in installation.records(stack.topics.dossiers))
    assert b"enc:1:" in dossiers and WORDS.encode() not in dossiers
    assert installation.find(installation.control) and not installation.find(WORDS)


async def test_an_erasure_is_said_once_and_repeating_it_changes_nothing(installation: Installation) -> None:
    say_something(installation)
    await installation.stack.keep_up()
    reference = installation.vault.find(PERSON)
    assert reference is not None
    _, first = installation.erase("--role", "DPO", "--request", "R-1")
    code, again = installation.erase("--reference", reference)
    assert (code, again) == (0, first)
    code, shown = installation.erase()
    assert (code, shown["state"]) == (1, "UNKNOWN"), "the identifier leads to nobody"
    (said,) = installation.erasures_said()
    assert said["subject"]["pseudonym"] == reference and said["source_sequence"] == 1
    assert (said["actor"]["id"], said["actor"]["role"]) == (installation.vault.find(STAFF), "DPO")
    assert said["request_ref"] == "R-1" and said["event_id"] == first[0]["event_id"]


async def test_a_hold_refuses_the_erasure_with_its_reason_until_it_is_released(installation: Installation) -> None:
    say_something(installation)
    with installation.emitter() as emitter:
        emitter.fact("RecordRegistered", subject=PERSON, record_id="R-1", state="ACTIVE")
        emitter.fact(
            "LegalHoldPlaced", subject="member:2", record_id="R-1", hold_ref="H-1", ground="PROCEEDINGS",
            matter_ref="M-9", placed_at="2026-03-01T00:00:00Z",
        )  # fmt: skip
    await installation.stack.keep_up()
    reference = installation.vault.find(PERSON)
    code, shown = installation.erase()
    assert code == 1 and [(row["state"], row["kind"]) for row in shown] == [("REFUSED", "LEGAL_HOLD")]
    for part in ("H-1", "R-1", "PROCEEDINGS", "M-9", "2026-03-01"):
        assert part in shown[0]["reason"]
    assert installation.vault.find(PERSON) == reference and not installation.erasures_said()
    assert installation.vault.erasures.all_unfinished() == []
    _, export = installation.run("subject", "export", PERSON)
    assert export["events"][0]["break_glass_reason"] == WORDS
    with installation.emitter() as emitter:
        emitter.fact("LegalHoldReleased", subject="member:2", hold_ref="H-1", released_at="2026-03-02T00:00:00Z")
    await installation.stack.keep_up()
    assert installation.erase("--check")[0] == 0 and installation.vault.find(PERSON) == reference
    assert installation.erase()[0] == 0


async def test_a_period_that_runs_refuses_the_erasure(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_something(installation)
    with installation.emitter() as emitter:
        emitter.fact("RecordRegistered", subject=PERSON, record_id="R-1", retention_rule_id="TAX",
                     retention_until="2999-12-31")  # fmt: skip
    await installation.stack.keep_up()
    monkeypatch.setenv("INZAGE_KEEP_READABLE_DAYS", json.dumps({installation.stack.controller: 30}))
    code, shown = installation.erase()
    assert code == 1 and [row["kind"] for row in shown] == ["RETENTION", "DUTY_TO_KEEP"]
    assert "R-1" in shown[0]["reason"] and "TAX" in shown[0]["reason"] and "30 days" in shown[1]["reason"]
    assert installation.vault.find(PERSON) is not None


async def test_a_trail_that_is_behind_decides_nothing(installation: Installation) -> None:
    """A hold that was said a moment ago stands on the topic and not in the trail yet."""
    say_something(installation)
    await installation.stack.keep_up()
    with installation.emitter() as emitter:
        emitter.fact("LegalHoldPlaced", subject=PERSON, hold_ref="H-1", ground="COMPLAINT")
    code, said = installation.erase("--wait", "0")
    assert code == 2 and "2 records behind" in said  # that the source ended is another
    assert installation.vault.find(PERSON) is not None
    await installation.stack.keep_up()
    assert installation.erase()[0] == 1


async def test_a_person_of_another_controller_is_not_erased_in_passing(installation: Installation) -> None:
    say_something(installation)
    reference = installation.vault.find(PERSON)
    assert reference is not None
    record = activity(1, "ELSEWHERE", subject={"pseudonym": reference})
    message = (reference.encode(), codec.encode("activity", record))
    installation.stack.send(installation.stack.topics.events, [message])
    await installation.stack.keep_up()
    code, shown = installation.erase()
    assert (code, [(row["kind"], row["controller"]) for row in shown]) == (1, [("OTHER_CONTROLLER", "ELSEWHERE")])


async def test_an_export_names_no_staff_unless_asked(installation: Installation) -> None:
    """C-579/21: when, why and by which organisation, not which employee."""
    say_something(installation)
    await installation.stack.keep_up()
    staff = installation.vault.find(STAFF)
    assert staff is not None
    _, export = installation.run("subject", "export", PERSON)
    assert staff not in json.dumps(export)
    assert export["events"][0]["actor"]["role"] == "CLAIMS_HANDLER" and export["events"][0]["occurred_at"]
    _, export = installation.run("subject", "export", PERSON, "--with-staff", "DPO-2026-4")
    assert export["events"][0]["actor"]["id"] == staff and export["staff_named_by_decision"] == "DPO-2026-4"
    assert installation.run("subject", "export", PERSON, "--with-staff", " ")[0] == 2
    _, report = installation.run("subject", "report", PERSON)
    assert staff not in json.dumps(report) and report["purposes"]


async def test_who_is_unknown_is_a_finding_and_is_not_made_known(installation: Installation) -> None:
    code, said = installation.erase()
    assert code == 2 and "there is no vault" in said and not installation.folder.exists()
    say_something(installation)
    await installation.stack.keep_up()
    for command in (("subject", "show"), ("subject", "export")):
        code, shown = installation.run(*command, "member:nobody")
        assert (code, shown["state"]) == (1, "UNKNOWN")
    assert installation.erase(whom="member:nobody")[0] == 1 and installation.vault.find("member:nobody") is None
    code, shown = installation.run("subject", "show", PERSON)
    assert (code, [(row["state"], row["events"], row["facts"]) for row in shown]) == (0, [("ACTIVE", 1, 1)])


async def test_words_in_lines_of_references_are_encrypted_and_what_is_refused_stays_here(
    installation: Installation, tmp_path: Path
) -> None:
    """`inzage emit` takes references of others: their words get keys of this vault, to erase by reference."""
    event = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
    lines = [
        {**event, "filter": WORDS},
        {**event, "filter": WORDS, "outcome": "NO_SUCH"},
        {**event, "purpose": WORDS},
        {**event, "case_ref": installation.control, "recorded_at": "yesterday"},
    ]
    (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, lines)))
    code, counts = installation.run("emit", "said.jsonl", "--controller", installation.stack.controller)
    assert (code, counts["events"], counts["dead_letters"]) == (1, 1, 3)
    await installation.stack.keep_up()
    letters = installation.stack.rows("SELECT offset, isNull(value) FROM trail.dead_letters ORDER BY offset")
    assert [(line, bool(left_out)) for line, left_out in letters] == [(2, True), (3, True), (4, False)]
    assert not installation.find(WORDS)
    _, export = installation.run("subject", "export", "--reference", "P-1")
    assert export["events"][0]["filter"] == WORDS
    assert installation.erase("--reference", "P-1")[0] == 0
    _, export = installation.run("subject", "export", "--reference", "P-1")
    assert export["events"][0]["unreadable"] == ["filter"]
