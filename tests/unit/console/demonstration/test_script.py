"""Scripts leave names and times open; they are filled in for each story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from inzage.console.demonstration.identity import drawn_id
from inzage.console.demonstration.label import Label, read_labels, write_labels
from inzage.console.demonstration.script import filled, laid_over, offset, repeated

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_times_are_relative_to_the_moment() -> None:
    assert filled({"at": ["t", "t-3h", "t+1s"]}, {}, NOON) == {
        "at": [NOON, NOON - timedelta(hours=3), NOON + timedelta(seconds=1)]
    }


def test_what_only_looks_like_a_time_stays_text() -> None:
    assert [offset(text) for text in ("", "take", "t+1", "2026-03-10", "1h")] == [None] * 5


def test_names_are_filled_in_at_any_depth() -> None:
    assert filled({"a": [{"b": "EMG-{n}"}]}, {"n": "7"}) == {"a": [{"b": "EMG-7"}]}


def test_a_change_goes_into_objects_and_replaces_lists() -> None:
    base = {"actor": {"role": "A", "org_id": "O"}, "items": [1, 2]}
    assert laid_over(base, {"actor": {"role": "B"}, "items": [3]}) == {
        "actor": {"role": "B", "org_id": "O"},
        "items": [3],
    }


def test_for_repeats_a_fact_for_every_choice() -> None:
    faces = list(repeated({"for": {"x": ["1", "2"], "y": ["a"]}, "ref": "{x}{y}"}))
    assert faces == [{"ref": "1a"}, {"ref": "2a"}]


def test_drawn_ids_are_uuids_of_their_time() -> None:
    identifier = UUID(drawn_id(NOON, Random(1)))
    assert identifier.version == 7
    assert identifier.int >> 80 == int(NOON.timestamp() * 1000)
    assert drawn_id(NOON, Random(1)) == str(identifier)


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    labels = [Label("e1", "CIGNA", "a-story", {"CIGNA-55": "VIOLATION"}), Label("e2", "HMBS", "a-near-miss", {})]
    assert write_labels(tmp_path / "labels.jsonl", labels) == 2
    assert read_labels(tmp_path / "labels.jsonl") == labels
    assert [label.planted for label in labels] == [True, False]
