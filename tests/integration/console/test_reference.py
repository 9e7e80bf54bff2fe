"""`inzage reference` loads files as events and lists what stands from the trail, as of two clocks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka

AGREEMENT = """\
- type: AgreementSigned
  agreement_ref: DPA-1
  agreement_type: DPA_ART28
  party_org_id: ORG-1
  signed_by_both: true
  valid_from: 2026-01-01T00:00:00+01:00
- {type: StaffRegistered, actor_id: hr:42, org_id: ORG-1, role: LEGAL}
"""


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["reference", *arguments, "--output", "json"])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(shown.out) if shown.out else None, shown.err


def _counts(loaded: dict[str, Any]) -> tuple[int, ...]:
    return tuple(loaded[change] for change in ("new", "same", "changed", "ended"))


def test_a_file_is_loaded_once_and_listed_as_of_two_clocks(
    stack: Stack, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Loading again says nothing; what was changed since is not seen by who asks as of before."""
    file = tmp_path / "facts.yaml"
    file.write_text(AGREEMENT, encoding="utf-8")
    own = ("--controller", stack.controller)
    code, tried, err = _run(capsys, "load", str(file), *own, "--dry-run", "--pseudonymise")
    assert (code, _counts(tried), tried["dry_run"]) == (0, (2, 0, 0, 0), True)
    assert "nothing was sent" in err
    assert _counts(_run(capsys, "load", str(file), *own, "--pseudonymise")[1]) == (2, 0, 0, 0)
    assert _counts(_run(capsys, "load", str(file), *own, "--pseudonymise")[1]) == (0, 2, 0, 0)
    asyncio.run(stack.keep_until(2))
    known_then = datetime.now(UTC).isoformat()
    time.sleep(0.05)
    ended = AGREEMENT.replace("  signed_by_both", "  valid_to: 2026-06-01T00:00:00+02:00\n  signed_by_both")
    file.write_text(ended, encoding="utf-8")
    assert _counts(_run(capsys, "load", str(file), *own, "--pseudonymise")[1]) == (0, 1, 0, 1)
    asyncio.run(stack.keep_until(3))

    def listed(*arguments: str) -> list[dict[str, Any]]:
        code, rows, _ = _run(capsys, "list", *own, "--kind", "AgreementSigned", *arguments)
        assert code == 0
        return list(rows)

    assert [row["holds_to"] for row in listed("--as-of", "2026-05-31T21:59:59+00:00")] == [
        "2026-05-31T22:00:00+00:00"
    ]
    assert listed("--as-of", "2026-06-01T00:00:00+02:00") == []
    [before] = listed("--as-of", "2026-07-01", "--known-at", known_then)
    assert (before["key"], before["holds_to"]) == ("DPA-1", None)
    assert listed("--known-at", "2026-01-01") == []
    [staff] = _run(capsys, "list", "--kind", "StaffRegistered")[1]
    assert staff["key"].startswith("p_")  # a reference of the vault
    looks = "SELECT count() FROM trail.events WHERE event_type = 'AuditTrailQueried'"
    asyncio.run(stack.keep_up())
    assert stack.rows(looks)[0][0] == 5


def test_a_wrong_file_loads_nothing(stack: Stack, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "facts.yaml"
    file.write_text(AGREEMENT.replace("DPA_ART28", "DPA"), encoding="utf-8")
    code, [wrong], err = _run(capsys, "load", str(file), "--controller", stack.controller)
    assert (code, wrong["file"], wrong["line"], wrong["field"]) == (2, "facts.yaml", 3, "agreement_type")
    assert "nothing was loaded" in err
    code, wrong, _ = _run(capsys, "load", str(file.rename(tmp_path / "f.yaml")), "--controller", "NOBODY")
    assert (code, wrong[0]["field"]) == (2, "agreement_type")
    file.write_text(AGREEMENT, encoding="utf-8")
    code, wrong, _ = _run(capsys, "load", str(file), "--controller", "NOBODY")
    assert (code, wrong[0]["field"]) == (2, "controller_id")
    code, wrong, _ = _run(capsys, "load", str(file))
    assert (code, wrong[0]["field"]) == (2, "controller_id")
    assert _run(capsys, "load")[0] == 2
    assert _run(capsys, "list", "--kind", "AgreementSined")[0] == 2
    assert _run(capsys, "list", "--controller", stack.controller)[1] == []


def test_the_starter_data_load_the_law_once(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law topic is shared by all tests of a session: the second time nothing is new on it."""
    code, _, _ = _run(capsys, "load", "--starter")
    assert code == 0
    code, again, _ = _run(capsys, "load", "--starter")
    assert (code, again["new"], again["changed"]) == (0, 0, 0)
    assert again["same"] > 30
