"""A small demonstration, end to end: real broker, real endpoint, worker and sink as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.kafka
@pytest.mark.slow
def test_a_small_month_holds_what_it_promises(tmp_path: Path) -> None:
    """Every planted violation is found, nothing else fires, and every offset stands in the trail once."""
    command = [sys.executable, "-m", "inzage.console.main", "demo", "--events", "3000", "--data", str(tmp_path)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("INZAGE_")}
    ended = subprocess.run(
        [*command, "--output", "json"],
        cwd=ROOT,
        env={**env, "INZAGE_REAL_INPUT": "none"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    outcome = json.loads(ended.stdout)
    assert outcome["emitted"]["events"] == 3000
    assert (outcome["planted_missed"], outcome["false_alarms"]) == ([], [])
    assert outcome["planted"] > 50
    assert outcome["imported"]["read"] > 0
    trail = outcome["trail"]
    assert (trail["complete"], trail["gaps"], trail["duplicates"], trail["unjudged"]) == (True, 0, 0, 0)
    tampering = outcome["tampering"]
    assert tampering["valid_before"] and tampering["rows_verified"] >= trail["rows"] - tampering["statements"]
    assert tampering["found"]["code"] == "row.changed"
    labels = (tmp_path / "labels.jsonl").read_text("utf-8").splitlines()
    assert len(labels) == outcome["planted"] + outcome["near_misses"]
