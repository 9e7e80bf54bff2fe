"""What no predicate keeps is kept by something that exists: a command, a check, a test that proves it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inzage.console.checks.catalogue import CHECKS
from inzage.console.explanation import wording
from inzage.console.main import COMMANDS, main
from inzage.schemas.json_lines import read_lines
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import packs_folder, policies_of

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("controller", ["CIGNA", "HMBS"])
def test_every_service_is_there_and_names_the_test_that_proves_it(controller: str) -> None:
    checks = {check.name for check in CHECKS}
    policies = policies_of(controller)
    for entry in (*policies.entries, *policies.unjudged):
        assert entry.state == "built", entry.id
        assert entry.check is None or entry.check in checks, entry.id
        if entry.served_by is None:
            assert entry.kind != "SERVICE" or entry.violated_when, entry.id
            continue
        assert (ROOT / entry.served_by.proved_by).is_file(), entry.id
        named = entry.served_by.by.split("inzage ")[1:]
        assert all(words.split()[0].strip(",`") in COMMANDS for words in named), entry.id


def test_entries_that_rest_on_what_the_notice_lacks_are_marked_as_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assumed = {entry.id: entry.assumed for entry in policies_of("HMBS").entries if entry.assumed}
    assert set(assumed) == {"HMBS-19", "HMBS-23", "HMBS-25", "HMBS-27", "HMBS-38"}
    event = {
        **{"event_id": "E-1", "event_type": "AccessEvent", "action": "READ", "controller_id": "HMBS"},
        **{"occurred_at": "2026-03-02T11:00:00Z", "source_system": "CLIENT-DB", "subject": {"pseudonym": "SUB-1"}},
        **{"data_categories": ["SOCIAL_PROFILE"], "purpose": "MARKETING"},
    }
    path = tmp_path / "said.jsonl"
    path.write_text(json.dumps({"event": event}), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["screen", str(path), "--explain", "--output", "json"])
    rows = {row["rule_id"]: row["explanation"] for row in json.loads(capsys.readouterr().out) if "explanation" in row}
    assert wording.ASSUMED.format(paragraph="3.1.d") in rows["HMBS-27"]["promised"]
    assert not any("assumed" in sentence for sentence in rows["HMBS-03"]["promised"]) if "HMBS-03" in rows else True


def test_a_pack_of_a_product_is_judged_beside_the_controllers_own(tmp_path: Path) -> None:
    """CIGNA-03: base, product and country compose, and the verdict names the pack and the composed version."""
    shipped = packs_folder().joinpath("cigna.yaml").read_text(encoding="utf-8")
    own = shipped.replace("extends: [INTAKE, LAW]", "extends: [INTAKE, LAW, MOBILE]")
    (tmp_path / "cigna.yaml").write_text(own, encoding="utf-8")
    entry = {
        **{
            "id": "MOBILE-01",
            "heading": "Mobile",
            "promise": "The app does not read where you are.",
            "kind": "STREAM",
        },
        **{"articles": ["5"], "severity": "LOW", "theme": "purpose", "reason": "PLACE_READ"},
        "violated_when": "has(data_categories, 'LOCATION')",
        "explanation": "The app read where the person is.",
        "examples": {
            "violates": [{"title": "a place", "event": {"data_categories": ["LOCATION"]}}],
            "complies": [{"title": "a name", "event": {"data_categories": ["IDENTITY"]}, "result": "OK"}],
        },
    }
    pack = {"pack": "MOBILE", "version": "1", "title": "App", "source": "this test", "entries": [entry]}
    (tmp_path / "mobile.yaml").write_text(json.dumps(pack), encoding="utf-8")  # JSON is YAML
    policies = policies_of("CIGNA", tmp_path)
    assert policies.version != policies_of("CIGNA").version
    event = {
        **{"event_id": "E-1", "event_type": "AccessEvent", "controller_id": "CIGNA", "source_system": "app"},
        **{"occurred_at": "2026-03-02T11:00:00Z", "subject": {"pseudonym": "S"}, "data_categories": ["LOCATION"]},
    }
    screened = OfflineScreening(tmp_path).screen(read_lines([json.dumps({"event": event})]))
    judged = {verdict["rule_id"]: verdict for verdict in screened.verdicts}
    assert judged["MOBILE-01"]["pack"] == "MOBILE" and judged["MOBILE-01"]["pack_version"] == policies.version
    assert {"CIGNA-06", "MOBILE-01"} <= set(judged)
