"""What a hypothesis changes, found the quick way and by judging everything on both sides: the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from inzage.console.main import main
from inzage.console.whatif import evidence, sharing
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.dossier.versions import STILL_KNOWN, PersonDossier
from inzage.streams.screening.engine import Engine, engine
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.row import Row
from inzage.streams.screening.view import VIOLATION
from tests.trail_stack import Stack, activity, fact, stack_on

pytestmark = pytest.mark.kafka

EVENTS = 1_100  # those of half the persons in a log are more than are judged without the engine
HEAD = """
pack: {name}
version: "1"
title: a controller of a test
source: a test
settings: {{record_cap: {cap}, smallest_cell: 5}}
entries:
"""
ENTRY = """
  - id: {id}
    heading: a heading
    promise: A promise of a test, kept or not.
    articles: ["6"]
    severity: HIGH
    theme: transfer
    kind: JOIN
    violated_when: |
      {violated_when}
    warned_when: third_party
    warning: SEEN
    reason: FOUND
    explanation: It was found in a test.
    examples: {{violates: [{{title: a}}], complies: [{{title: b, result: OK}}]}}
"""
IN_FORCE = {
    "T-01": "third_party AND destination IS NOT NULL AND NOT in_eea AND NOT adequate",
    "T-02": "disclosed AND empty(consents_at_t)  -- nobody asked",
    "T-03": "third_party AND NOT processor_agreement AND ifNull(recipient.org_id = 'ORG-NZ', 0)",
    "T-04": "record_count > record_cap",
    "T-05": "event_type = 'AuditTrailQueried' AND purpose = 'MARKETING'",
    "T-06": "actor.role = 'CASE_MANAGER' AND purpose = 'MARKETING'",
    "T-07": "plan = 'GOLD' AND third_party",
    "T-08": "processing IN ('CN', 'NZ')",
}
DRAFT = {
    **{name: text for name, text in IN_FORCE.items() if name != "T-08"},
    "T-02": "third_party AND NOT arrayExists(c -> c.explicit, consents_at_t) AND purpose = 'MARKETING'",
    "T-06": "event_type = 'AuditTrailQueried' OR purpose = 'MARKETING' AND destination = 'NZ'",
    "T-07": "plan = 'SILVER' AND third_party  -- another plan",
    "T-09": "destination = 'UY' AND NULL OR recipient.org_id = 'ORG-BE'",
}
Counts = dict[tuple[str, str, str], tuple[int, int]]


def pack(name: str, entries: Mapping[str, str], cap: int = 100) -> str:
    texts = [ENTRY.format(id=one, violated_when=text) for one, text in entries.items()]
    return HEAD.format(name=name, cap=cap) + "".join(texts)


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        name = made.controller
        for folder, text in (
            ("packs", pack(name, IN_FORCE)),
            ("draft", pack(name, DRAFT)),
            ("settings", pack(name, {**IN_FORCE, "T-08": "processing = 'CN'"}, cap=50)),
        ):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / f"{name.lower()}.yaml").write_text(text)
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_PACKS_DIR", str(tmp_path / "packs"))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([name]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        monkeypatch.setattr(sharing, "WORTH_PROCESSES", {True: 0, False: 0})
        monkeypatch.setattr(sharing, "PERSONS_HELD", 12)
        monkeypatch.setattr(evidence, "PERSONS_READ", 7)
        yield made


def say_a_mixed_trail(stack: Stack) -> int:
    """Activities and facts of forty persons in two logs, and references; how many records."""
    draw, name = Random(4), stack.controller
    at = "2026-01-01T00:00:00Z"
    records = 0
    for partition in (0, 1):
        messages: list[tuple[bytes | None, bytes | None]] = []
        for number in range(EVENTS):
            subject = f"P{partition}-{draw.randrange(40)}"
            said: dict[str, Any] = {"subject": {"pseudonym": subject}}
            country = draw.choice(("BE", "NZ", "UY", "CN", "US"))
            said["recipient"] = draw.choice(
                (None, {"org_id": f"ORG-{country}", "processing_country": country}, {"org_id": "ORG-NZ"})
            )
            if draw.random() < 0.1:
                said |= {"event_type": "AuditTrailQueried", "action": "SEARCH", "recipient": None}
            said["purpose"] = draw.choice((None, "MARKETING", "CLAIMS_HANDLING"))
            said["record_count"] = draw.choice((None, 10, 70, 200))
            record = activity(number, name, **{**said, "event_id": f"event-{partition}-{number}"})
            messages.append((subject.encode(), codec.encode("activity", record)))
        for person in range(0, 40, 2):
            subject, number = f"P{partition}-{person}", 10_000 + 1_000 * partition + 10 * person
            consent = {"consent_ref": f"C-{person}", "subject": subject, "explicit": person % 3 == 0}
            texts = [fact(number, name, given_at=at, **consent)]
            ended = {"consent_ref": f"C-{person}", "subject": subject, "withdrawn_at": "2026-03-01T00:10:00Z"}
            if person % 4 == 0:
                texts.append(fact(number + 1, name, "ConsentWithdrawn", **ended))
            if person % 8 == 0:  # it contradicts what was said before, and nobody's dossier takes it
                never = {**ended, "withdrawn_at": "2025-01-01T00:00:00Z"}
                texts.append(fact(number + 2, name, "ConsentWithdrawn", **never))
            enrolled = {"employer_id": "E", "plan": draw.choice(("GOLD", "SILVER")), "valid_from": at}
            texts.append(fact(number + 3, name, "EnrolmentRecorded", subject=subject, **enrolled))
            for text in texts:
                messages.insert(draw.randrange(len(messages)), (subject.encode(), text))
        stack.send(stack.topics.events, messages, partition)
        records += len(messages)
    references = [
        fact(90_000, name, "OrganisationRegistered", org_id="ORG-NZ", establishment_country="NZ"),
        fact(
            90_001,
            name,
            "AgreementSigned",
            agreement_ref="DPA-1",
            agreement_type="DPA_ART28",
            party_org_id="ORG-NZ",
            signed_by_both=True,
            valid_from=at,
        ),
    ]
    references += [  # more words than ClickHouse searches for at once
        fact(91_000 + n, name, "OrganisationRegistered", org_id=f"ORG-{n}", establishment_country="NZ")
        for n in range(300)
    ]
    stack.send(stack.topics.references, [(None, message) for message in references])
    return records + len(references)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["whatif", *arguments, "--output", "json"])
    said = capsys.readouterr()
    assert ended.value.code in (0, 1, None), said.err
    found: dict[str, Any] = next(iter(json.loads(said.out).values()))
    return found


def answer(found: Mapping[str, Any]) -> tuple[Counts, Counts]:
    """Events and persons by entry, recipient and destination: newly violated, and no longer."""
    violated, lawful = (
        {
            (row["rule_id"], row["recipient"], row["destination"]): (row["events"], row["persons"])
            for row in found[side]["by_recipient"]
        }
        for side in ("violated", "lawful")
    )
    return violated, lawful


def plainly(stack: Stack, packs: Path | None, *supposed: Mapping[str, Any]) -> tuple[Counts, Counts]:
    """The same, by judging every event by every entry in both worlds, with whole dossiers."""
    name = stack.controller
    said = [codec.decode(bytes.fromhex(raw))[1] for (raw,) in stack.rows("SELECT hex(raw) FROM trail.references")]
    added = [codec.decode(fact(99_000, controller, **one))[1] for controller, one in map(_split, supposed)]
    dossiers: dict[str, PersonDossier] = {}
    for subject, offset, raw in stack.rows("SELECT subject, offset, hex(raw) FROM trail.facts ORDER BY offset"):
        message = bytes.fromhex(raw)
        dossier = dossiers.setdefault(subject, PersonDossier(subject))
        try:
            dossier.take(offset, message, codec.decode(message)[1])
        except codec.ContractError:
            continue
    found: list[dict[tuple[int, int, str], Mapping[str, Any]]] = []
    events = stack.rows(
        "SELECT partition, offset, toUnixTimestamp64Milli(broker_time), hex(raw) FROM trail.events ORDER BY ALL"
    )
    for folder, facts in ((stack.settings.packs_dir, said), (packs, [*said, *added])):
        policies = policies_of(name, folder)
        references = References(name, law(), policies.settings)
        for one in facts:
            references.take(datetime(2026, 1, 1, tzinfo=UTC), one)
        controller = engine().add(policies)
        engine().load_tables(controller, references.tables(datetime(2026, 1, 1, tzinfo=UTC)))
        engine().load_dossiers(controller, dossiers.values())
        side: dict[tuple[int, int, str], Mapping[str, Any]] = {}
        for log in (0, 1):
            size = len(codec.current("activity").header)
            rows = [
                Row(offset, at, bytes.fromhex(raw)[size:], "", STILL_KNOWN, at)
                for partition, offset, at, raw in events
                if partition == log
            ]
            for hit in engine().judge_at_once(controller, codec.current("activity"), rows)[0]:
                for position, code in hit.codes:
                    if code == VIOLATION:
                        side[log, hit.offset, policies.rules[position].entry.id] = hit.seen
        found.append(side)
    return _counted(found[1], found[0]), _counted(found[0], found[1])


def _split(supposed: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    rest = dict(supposed)
    return rest.pop("controller"), rest


def _counted(one: Mapping[tuple[int, int, str], Mapping[str, Any]], other: Any) -> Counts:
    counts: dict[tuple[str, str, str], tuple[int, set[str]]] = {}
    for (log, offset, entry), seen in one.items():
        if (log, offset, entry) not in other:
            key = entry, seen["org_key"] or "", seen["destination"] or ""
            count, persons = counts.get(key, (0, set()))
            counts[key] = count + 1, persons | {seen["subject.pseudonym"]}
    return {key: (count, len(persons)) for key, (count, persons) in counts.items()}


async def test_the_quick_way_and_judging_everything_agree(
    stack: Stack, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wordings, a new entry, one taken away, a setting, the law and an agreement; in one process and in two."""
    monkeypatch.setattr(stack.settings, "packs_dir", tmp_path / "packs")
    await stack.keep_until(say_a_mixed_trail(stack))

    wanted = plainly(stack, tmp_path / "draft")
    assert {entry for entry, _, _ in wanted[0]} == {"T-02", "T-06", "T-07", "T-09"}
    assert {entry for entry, _, _ in wanted[1]} == {"T-02", "T-06", "T-07", "T-08"}
    alone, shared = (
        asked(capsys, "--packs", str(tmp_path / "draft"), "--processes", number) for number in ("1", "2")
    )
    assert answer(alone) == answer(shared) == wanted
    assert alone["judged"] == shared["judged"] == alone["events"] == 2 * EVENTS
    assert alone["differing"] == ["T-02", "T-06", "T-07", "T-09", "T-08"]
    for side in ("violated", "lawful"):
        assert len(alone[side]["examples"]) == 20
        assert alone[side] == shared[side]

    wanted = plainly(stack, tmp_path / "settings")
    assert {entry for entry, _, _ in (*wanted[0], *wanted[1])} == {"T-04", "T-08"}
    monkeypatch.setattr(evidence, "AT_ONCE", 700)  # several pages of each share
    monkeypatch.setattr(evidence, "STRETCH", 100)
    assert answer(asked(capsys, "--packs", str(tmp_path / "settings"), "--processes", "1")) == wanted
    with monkeypatch.context() as patched:  # as if an expression had no value for some event
        patched.setattr(Engine, "judge_block", lambda *_: None)
        assert answer(asked(capsys, "--packs", str(tmp_path / "settings"), "--processes", "1")) == wanted

    began = "2026-03-01T00:05:00+00:00"
    annulled = {"controller": "LAW", "kind": "AdequacyDecisionEnded", "country": "NZ", "valid_to": began}
    wanted = plainly(stack, tmp_path / "packs", annulled)
    assert {entry for entry, _, _ in wanted[0]} == {"T-01"}
    found = asked(capsys, "--annul-adequacy", "NZ", "--from", began, "--processes", "1")
    assert answer(found) == wanted and found["judged"] < found["events"]

    ended = {"controller": stack.controller, "kind": "AgreementEnded", "agreement_ref": "DPA-1", "ended_at": began}
    wanted = plainly(stack, tmp_path / "packs", ended)
    assert {entry for entry, _, _ in wanted[0]} == {"T-03"}
    found = asked(capsys, "--end-agreement", "DPA-1", "--from", began, "--processes", "1")
    assert answer(found) == wanted and found["judged"] < found["events"]
