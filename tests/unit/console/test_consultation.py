"""What is said of a look at the trail is judged like any other event, and breaks no promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inzage.console.consultation import Reader, controllers_read, event_of
from inzage.schemas.errors import ConfigError
from inzage.schemas.json_lines import read_lines
from inzage.schemas.settings import Settings
from inzage.streams.screening.offline import OfflineScreening

PURPOSES = ["RIGHTS_REQUEST", "INTERNAL_AUDIT", "INCIDENT", "AUTHORITY_REQUEST", "SECURITY"]


@pytest.mark.parametrize("controller", ["CIGNA", "HMBS"])
def test_no_promise_is_broken_by_looking(controller: str) -> None:
    """It is the controller's bookkeeping: only what the law asks of looks applies to it."""
    lines = []
    for purpose in PURPOSES:
        event = event_of(controller, Reader("hr:42", purpose), {"query": "violations"}, 3)
        lines.append(json.dumps({"event": {**event, "event_id": purpose, "source_system": "inzage"}}, default=str))
    screened = OfflineScreening().screen(read_lines(lines, controller_id=controller))
    assert screened.refused == []
    assert screened.verdicts == []


def test_a_look_for_another_purpose_is_judged() -> None:
    event = event_of("CIGNA", Reader("hr:42", "MARKETING"), {"query": "violations"}, 3)
    line = json.dumps({"event": {**event, "event_id": "e", "source_system": "inzage"}}, default=str)
    screened = OfflineScreening().screen(read_lines([line], controller_id="CIGNA"))
    assert [(verdict["rule_id"], verdict["result"]) for verdict in screened.verdicts] == [("LAW-01", "VIOLATION")]


def test_the_actor_is_the_user_of_the_machine_unless_stated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGNAME", "jan")
    assert event_of("HMBS", Reader(), {}, 0)["actor"]["id"] == "os:jan"
    assert event_of("HMBS", Reader("hr:42"), {}, 0)["actor"]["id"] == "hr:42"


def test_a_controller_is_found_in_any_spelling_and_must_be_ours() -> None:
    settings = Settings(controllers=("CIGNA", "HMBS"))
    assert controllers_read(settings) == ("CIGNA", "HMBS")
    assert controllers_read(settings, "cigna") == ("CIGNA",)
    with pytest.raises(ConfigError):
        controllers_read(settings, "OTHER")
