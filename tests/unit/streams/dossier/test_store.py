"""What a partition keeps of persons: decoded while they are spoken of, then as bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from inzage.schemas.codec import encode
from inzage.schemas.json_face import read
from inzage.streams.dossier.store import DossierStore, dossier_message

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def fact(subject: str, number: int) -> tuple[bytes, dict[str, Any]]:
    said = {"type": "ConsentGiven", "consent_ref": f"consent-{number}", "given_at": NOW, "fact_id": f"fact-{number}"}
    record = read({"fact": {**said, "subject": subject, "recorded_at": NOW, "controller_id": "HMBS"}}).record
    return encode("fact", record), record


def speak_of(store: DossierStore, offset: int, subject: str) -> None:
    assert store.open(subject).take(offset, *fact(subject, offset))


def test_whoever_was_spoken_of_longest_ago_is_laid_away_and_comes_back_the_same() -> None:
    store = DossierStore(most_open=3)
    for offset, subject in enumerate(("A", "B", "C", "A")):
        speak_of(store, offset, subject)
        assert store.lay_away([subject.encode()]) == []
    before = dossier_message(store.open("B")), store.open("B").versions
    speak_of(store, 4, "D")
    assert store.lay_away([b"D", None]) == ["B"]
    assert [dossier.subject for dossier in store.opened()] == ["C", "A", "D"]
    [back] = store.not_loaded([b"B", b"A", None])
    assert (dossier_message(back), back.versions, back.source_offset) == (*before, 1)
    assert store.not_loaded([b"B"]) == []
    assert store.lay_away([b"B"]) == ["C"]
    assert not store.open("B").take(1, *fact("B", 1)), "read again, a fact is in already"


def test_nobody_is_laid_away_who_is_spoken_of_now() -> None:
    store = DossierStore(most_open=2)
    everyone = [f"SUB-{number}" for number in range(5)]
    for offset, subject in enumerate(everyone):
        speak_of(store, offset, subject)
    assert store.lay_away([subject.encode() for subject in everyone]) == []
    away = store.lay_away([b"SUB-1"])
    assert len(away) == 3 and "SUB-1" not in away


def test_without_a_bound_all_stay_open() -> None:
    store = DossierStore()
    for offset in range(100):
        speak_of(store, offset, f"SUB-{offset}")
    assert store.lay_away([]) == [] and len(store.opened()) == 100


def test_nothing_is_kept_of_whom_nothing_was_said() -> None:
    store = DossierStore(most_open=1)
    store.open("NOBODY")
    speak_of(store, 1, "A")
    assert store.lay_away([b"A"]) == ["NOBODY"]
    assert store.get("NOBODY") is None and store.not_loaded([b"NOBODY"]) == []
