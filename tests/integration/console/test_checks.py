"""The scheduled checks find in the trail what no single event can break, say it once, and say when it is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inzage.console.checks.catalogue import CHECKS, Check
from inzage.console.checks.rounds import Report, run_checks
from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec, json_face
from inzage.schemas.settings import RetentionSettings
from inzage.streams.screening.pack import Policies, policies_of
from tests.trail_stack import Stack, activity, stack_on, until

pytestmark = pytest.mark.kafka

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _pack(folder: Path, controller: str) -> Policies:
    """A pack in which each check keeps an entry."""
    entries = [
        {
            "id": f"TEST-{number:02}",
            "heading": "Heading",
            "promise": f"What {check.name} checks.",
            "articles": ["5"],
            "severity": "HIGH",
            "theme": check.theme.value,
            "kind": "BATCH",
            "explanation": "Found by a check.",
            "check": check.name,
        }
        for number, check in enumerate(CHECKS, start=1)
    ]
    pack = {"pack": controller, "version": "1", "title": "Checks", "source": "this test", "entries": entries}
    (folder / f"{controller.lower()}.yaml").write_text(json.dumps(pack), encoding="utf-8")  # JSON is YAML
    return policies_of(controller, folder)


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_PACKS_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


class Told:
    """Says facts and references, and counts them."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.count = stack, 0

    def __call__(self, kind: str, **said: Any) -> None:
        self.count += 1
        face = {"type": kind, "fact_id": f"fact-{self.count}", "recorded_at": "2026-01-01T00:00:00Z", **said}
        read = json_face.read(
            {"fact": {"source_system": "crm", **face}}, controller_id=self.stack.controller, strict=False
        )
        message = codec.encode(read.kind, read.record)
        if read.kind == "reference":
            self.stack.send(self.stack.topics.references, [(None, message)])
        else:
            self.stack.send(self.stack.topics.events, [(read.record["subject"].encode(), message)])


def _ended(*arguments: str) -> Any:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    return ended.value.code


def _check(name: str) -> Check:
    return next(check for check in CHECKS if check.name == name)


async def test_each_check_finds_what_it_should_and_nothing_beside(stack: Stack, tmp_path: Path) -> None:
    policies = _pack(tmp_path, stack.controller)
    tell = Told(stack)
    ends = {"GONE": "2026-05-01", "LATE": "2026-05-30", "YOUNG": "2026-05-31", "HELD": "2026-05-01"}
    ends |= {"KEPT": "2026-05-01", "LONG": "2031-01-03", "FIT": "2031-01-02"}
    for record_id, end in ends.items():
        tell("RecordRegistered", subject="SUB-1", record_id=record_id, retention_until=end)
    tell("RecordRegistered", subject="SUB-2", record_id="BARE", data_category="HEALTH_PHYSICAL")
    tell("RecordRegistered", subject="SUB-2", record_id="RULED", data_category="IDENTITY")
    tell("DataErased", subject="SUB-1", record_id="GONE", erased_at="2026-05-02T00:00:00Z")
    tell("LegalHoldPlaced", subject="SUB-1", record_id="HELD", hold_ref="H-1", review_at="2026-05-01T00:00:00Z")
    tell("LegalHoldPlaced", subject="SUB-3", record_id="X", hold_ref="H-2", review_at="2026-05-01T00:00:00Z")
    tell("LegalHoldReviewed", subject="SUB-3", hold_ref="H-2", reviewed_at="2026-05-01T00:00:00Z")
    tell("CoverTerminated", subject="SUB-1", terminated_at="2021-01-02T12:00:00Z")
    tell("RetentionOverrideSet", record_id="KEPT", approver="A", reason="R")
    approved = {"period": "P1Y", "approved_at": "2026-01-01T00:00:00Z"}
    tell("RetentionRuleSet", retention_rule_id="R-1", data_category="IDENTITY", **approved)
    tell("AgreementSigned", agreement_ref="SOON", valid_to="2026-07-31T00:00:00Z")
    tell("AgreementSigned", agreement_ref="NOT-YET", valid_to="2026-08-01T00:00:00Z")
    tell("AgreementSigned", agreement_ref="ENDED", valid_to="2026-07-01T00:00:00Z")
    tell("AgreementEnded", agreement_ref="ENDED", ended_at="2026-05-01T00:00:00Z")
    tell("SystemRegistered", system="mute", max_silence="P1D")
    tell("SystemRegistered", system="patient", max_silence="P400000D")
    tell("ProcessingRegistered", processing_ref="P-1", purpose="STATISTICS", data_categories=["IDENTITY"])
    for number, purpose in enumerate(("STATISTICS", "MARKETING")):
        message = codec.encode("activity", activity(number, stack.controller, purpose=purpose, recipient=None))
        stack.send(stack.topics.events, [(f"SUB-{number}".encode(), message)])
    await stack.keep_until(tell.count + 2)
    late = datetime(2027, 6, 1, tzinfo=UTC)  # brokers say when they took a record: later than what it is about

    def found(name: str, now: datetime = NOW, **retention: str) -> list[str]:
        reports = run_checks(stack.trail(), policies, [_check(name)], now, RetentionSettings(periods=retention))
        return [finding["about"] for report in reports for finding in report.findings]

    assert found("expired-records") == ["LATE"]
    assert found("records-without-period", late) == ["BARE"]
    assert found("longer-than-standard", late) == ["LONG"]
    assert found("holds-to-review") == ["H-1"]
    assert found("expiring-grounds") == ["AgreementSigned:SOON"]
    assert found("silent-systems", late) == ["mute"]
    assert found("record-of-processing") == ["MARKETING/IDENTITY//"]
    assert found("trail-retention", late) == []
    assert len(found("trail-retention", datetime(2030, 1, 1, tzinfo=UTC), **{stack.controller: "P1Y"})) == 1


async def test_checks_of_what_a_controller_owes_find_it_and_nothing_beside(stack: Stack, tmp_path: Path) -> None:
    policies = _pack(tmp_path, stack.controller)
    tell = Told(stack)
    said: list[dict[str, Any]] = []

    def event(kind: str, day: str, subject: str, **face: Any) -> None:
        name = f"{kind}-{len(said)}-{subject}"
        face = {"recipient": None, "event_id": name, "event_type": kind, "occurred_at": f"{day}T12:00:00Z", **face}
        said.append(activity(len(said), stack.controller, subject={"pseudonym": subject}, **face))

    hospital, bank = {"org_id": "ORG-HOSPITAL"}, {"org_id": "ORG-BANK"}
    tell("OrganisationRegistered", org_id="ORG-OWN", own_organisation=True)
    for subject in ("SUB-1", "SUB-2"):
        event("DisclosureEvent", "2026-01-10", subject, recipient=hospital, data_items=["ADDRESS", "NAME"])
        event("DisclosureEvent", "2026-01-10", subject, recipient=bank, data_items=["IBAN"])
        event("DisclosureEvent", "2026-01-10", subject, recipient={"org_id": "ORG-OWN"}, data_items=["ADDRESS"])
        event("Rectified", "2026-02-01", subject, data_items=["ADDRESS"])
        event("DisclosureEvent", "2026-02-02", subject, recipient={"org_id": "ORG-LATER"}, data_items=["ADDRESS"])
    tell("RecipientNotified", subject="SUB-2", org_id="ORG-HOSPITAL", notified_at="2026-03-01T00:00:00Z")
    event("ContestReceived", "2026-03-01", "SUB-3", case_ref="CASE-1")
    event("ReasonDiscussed", "2026-03-05", "SUB-3", case_ref="CASE-2")
    event("ContestReceived", "2026-03-01", "SUB-4", case_ref="CASE-3")
    event("HumanReviewCompleted", "2026-03-31", "SUB-4", case_ref="CASE-3")
    event("RightsRequestReceived", "2026-05-20", "SUB-4", request_type="HUMAN_REVIEW")
    answer = {"direction": "OUTBOUND", "purpose": "COMMUNICATION"}
    event("ProcessingEvent", "2026-03-01", "SUB-5", **answer)
    event("EnquiryRegistered", "2026-03-02", "SUB-5")
    event("ProcessingEvent", "2026-03-03", "SUB-5", **answer)
    tell("PolicyPackInForce", pack=stack.controller, version="1", valid_from="2018-05-25T00:00:00Z")
    tell("PolicyPackInForce", pack="MOBILE-APP", version="1", valid_from="2026-01-01T00:00:00Z")
    tell("PolicyPackInForce", pack="FORMER", valid_from="2018-05-25T00:00:00Z", valid_to="2026-01-01T00:00:00Z")
    tell(
        "PolicyPackInForce",
        pack="CODE_OF_CONDUCT",
        valid_from="2018-05-25T00:00:00Z",
        valid_to="2026-05-01T00:00:00Z",
    )
    tell("RoleMatrixEntry", role="FORGOTTEN", valid_from="2018-05-25T00:00:00Z", recorded_at="2024-01-01T00:00:00Z")
    tell("RoleMatrixEntry", role="REVIEWED", valid_from="2018-05-25T00:00:00Z", recorded_at="2026-01-01T00:00:00Z")
    for number in range(6):
        event("DisclosureEvent", "2026-05-01", "SUB-6", actor={"unit": "CLAIMS"}, event_id=f"wrong-{number}")
    event("PolicyViolationAcknowledged", "2026-05-02", "SUB-6", violation_ref="verdict-1")
    for one in said:
        stack.send(stack.topics.events, [(one["subject"]["pseudonym"].encode(), codec.encode("activity", one))])
    severities = ["CRITICAL", "CRITICAL", "HIGH", "HIGH", "HIGH", "HIGH"]
    for number, severity in enumerate(severities):
        message = codec.encode("verdict", _verdict(stack.controller, number, severity))
        stack.send(stack.topics.verdicts, [(b"SUB-6", message)])
    await stack.keep_until(len(said) + len(severities) + tell.count)

    def found(name: str, now: datetime = NOW) -> list[str]:
        reports = run_checks(stack.trail(), policies, [_check(name)], now, RetentionSettings())
        return [finding["about"] for report in reports for finding in report.findings]

    assert found("recipients-to-tell") == ["Rectified-3-SUB-1:ORG-HOSPITAL"]
    assert found("recipients-to-tell", datetime(2026, 3, 3, tzinfo=UTC)) == [], "thirty days have not passed"
    assert found("critical-unacknowledged") == ["verdict-0"]
    assert found("critical-unacknowledged", datetime(2026, 5, 2, 11, tzinfo=UTC)) == [], "a day has not passed"
    assert found("contests-to-answer") == ["ContestReceived-10-SUB-3"]
    assert found("answers-without-question") == ["ProcessingEvent-15-SUB-5"]
    assert found("packs-in-force") == ["CODE_OF_CONDUCT", "MOBILE-APP"][1:]
    assert found("packs-in-force", datetime(2025, 12, 1, tzinfo=UTC)) == ["CODE_OF_CONDUCT", "FORMER"]
    assert found("code-of-conduct") == ["CODE_OF_CONDUCT"]
    assert found("code-of-conduct", datetime(2026, 4, 1, tzinfo=UTC)) == []
    assert found("improvement") == ["role:FORGOTTEN", "rule:TEST-01/CLAIMS"]


def _verdict(controller: str, number: int, severity: str) -> dict[str, Any]:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    return {
        "verdict_id": f"verdict-{number}",
        "event_id": f"wrong-{number}",
        "controller_id": controller,
        "subject": "SUB-6",
        "rule_id": "TEST-01",
        "result": "VIOLATION",
        "severity": severity,
        "theme": "purpose",
        "reason": "R",
        "heading": "H",
        "promise": "P",
        "articles": [],
        "facts": [],
        "pack": controller,
        "pack_version": "1",
        "revision": 0,
        "supersedes": None,
        "occurred_at": at,
        "evaluated_at": at,
        "topic": "",
        "partition": 0,
        "offset": number,
    }


async def test_a_check_says_a_finding_once_and_says_when_it_is_gone(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = _pack(tmp_path, stack.controller)
    tell = Told(stack)
    tell("RecordRegistered", subject="SUB-1", record_id="REC-1", retention_until="2026-05-01")

    def run() -> list[Report]:
        return run_checks(stack.trail(), policies, [_check("expired-records")], NOW, RetentionSettings())

    await stack.keep_until(1)
    (first,) = run()
    (again,) = run()
    assert first.verdicts == again.verdicts, "until the trail has it, the same id"
    (verdict,) = first.verdicts
    assert (verdict["result"], verdict["revision"], verdict["event_id"]) == ("VIOLATION", 0, "REC-1")
    capsys.readouterr()  # what a sink in this process said
    assert await asyncio.to_thread(_ended, "checks", "run", "expired-records", "--output", "json") == 1
    assert [row["about"] for row in json.loads(capsys.readouterr().out)] == ["REC-1"]
    await until(stack.sink(), lambda: stack.rows("SELECT count() FROM trail.verdicts") == [(1,)])
    (standing,) = run()
    assert (standing.verdicts, len(standing.findings)) == ([], 1)
    tell("DataErased", subject="SUB-1", record_id="REC-1", erased_at="2026-06-01T00:00:00Z")
    await until(stack.sink(), lambda: stack.rows("SELECT count() FROM trail.facts") == [(2,)])
    (gone,) = run()
    (lifted,) = gone.verdicts
    assert (lifted["result"], lifted["revision"], lifted["supersedes"]) == ("OK", 1, verdict["verdict_id"])
