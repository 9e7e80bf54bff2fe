"""Keeps the dossiers of one partition: as bytes until somebody is spoken of, then as facts.

What is read from the dossiers topic is kept as it stands; a dossier is decoded when an event or a fact about the
person comes by, and laid away as bytes again when many others were spoken of since. Of several records of one person
the one that includes most of the events topic wins: a stale write of a worker that lost the partition does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from inzage.schemas.codec import decode, encode
from inzage.streams.dossier.remembered import remembered
from inzage.streams.dossier.versions import PersonDossier

_COUNT = "count|"
COUNTED_TOGETHER = 50_000
"""Offsets of events of a counter that stand in one record: so none exceeds what its topic takes, and one that is full
is not written again.
"""
Counted = list[tuple[int, datetime, str]]
"""Offset, instant and receiving person or organisation of each event of a counter."""


@dataclass(slots=True)
class DossierStore:
    """Dossiers by subject_ref, and counters by what they count: transfers under a derogation, emergency notices.

    `most_open` dossiers stay decoded when others are laid away; None: all of them.
    """

    most_open: int | None = None
    _kept: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    _open: dict[str, PersonDossier] = field(default_factory=dict)
    _counts: dict[str, Counted] = field(default_factory=dict)
    _not_loaded: set[str] = field(default_factory=set)

    def keep(self, value: bytes) -> None:
        """Take a record of the dossiers topic."""
        record = decode(value)[1]
        subject = record["subject"]
        if subject.startswith(_COUNT):
            known = self._counts.setdefault(subject.split("|", 2)[2], [])
            seen = {offset for offset, _, _ in known}
            known += [
                (said["offset"], *_event_counted(said["fact"]))
                for said in record["said"]
                if said["offset"] not in seen
            ]
        elif record["source_offset"] > self._kept.get(subject, (-1, b""))[0]:
            self._kept[subject] = (record["source_offset"], value)
            self._not_loaded.add(subject)

    def get(self, subject: str) -> PersonDossier | None:
        """The dossier of a person, None when nothing was said about them."""
        if subject not in self._open and subject in self._kept:
            record = decode(self._kept.pop(subject)[1])[1]
            dossier = PersonDossier(subject)
            for said in record["said"]:
                schema, record_said = decode(said["fact"])
                fact = remembered(record_said) if schema.name == "activity" else record_said
                if fact is not None:
                    dossier.take(said["offset"], said["fact"], fact)
            dossier.source_offset = max(dossier.source_offset, record["source_offset"])
            self._open[subject] = dossier
        return self._open.get(subject)

    def opened(self) -> list[PersonDossier]:
        """The dossiers that were opened, in the order in which they were."""
        return list(self._open.values())

    def open(self, subject: str) -> PersonDossier:
        """The dossier of a person, a new one when there was none."""
        return self.get(subject) or self._open.setdefault(subject, PersonDossier(subject))

    def not_loaded(self, keys: Iterable[bytes | None]) -> list[PersonDossier]:
        """The dossiers behind the Kafka keys that the engine was not given yet; it is from now on.

        One that a fact has opened already counts too: read again after a restart, the fact changes nothing in it.
        """
        if not self._not_loaded:
            return []
        spoken_of = {key.decode(errors="replace") for key in set(keys) if key is not None} & self._not_loaded
        self._not_loaded -= spoken_of
        fresh = [self.get(subject) for subject in spoken_of]
        return [dossier for dossier in fresh if dossier is not None]

    def lay_away(self, keys: Iterable[bytes | None]) -> list[str]:
        """Keep as bytes the dossiers that were spoken of longest ago, beyond `most_open`; says whose.

        Never those behind the Kafka keys, which are spoken of now. The engine need not hold what is laid away: it is
        given again, by `not_loaded`, what is spoken of again.
        """
        if self.most_open is None or len(self._open) <= self.most_open // 2:
            return []  # far from full: in which order they were spoken of makes no difference yet
        spoken_of = {key.decode(errors="replace") for key in set(keys) if key is not None} & self._open.keys()
        for subject in spoken_of:
            self._open[subject] = self._open.pop(subject)
        beyond = len(self._open) - max(self.most_open, len(spoken_of))
        away = list(islice(self._open, max(beyond, 0)))
        for subject in away:
            dossier = self._open.pop(subject)
            if dossier.said:
                self._kept[subject] = (dossier.source_offset, dossier_message(dossier))
                self._not_loaded.add(subject)
        return away

    def counted(self, key: str) -> Counted:
        """The events of one counter."""
        return self._counts.setdefault(key, [])

    def all_counts(self) -> dict[str, Counted]:
        """Every counter."""
        return self._counts


def dossier_message(dossier: PersonDossier) -> bytes:
    """A dossier as it stands on the dossiers topic."""
    said = [{"offset": offset, "fact": message} for offset, message, _ in dossier.said]
    return encode("dossier", {"subject": dossier.subject, "source_offset": dossier.source_offset, "said": said})


def stretch_of(offset: int) -> int:
    """Which of the records of its counter an event stands in, by its offset."""
    return offset // COUNTED_TOGETHER


def count_message(key: str, stretch: int, counted: Counted) -> bytes:
    """The events of a counter that stand in one record of the dossiers topic.

    Each instant is eight bytes, microseconds UTC; then to whom.
    """
    said = [
        {"offset": offset, "fact": int(at.timestamp() * 1_000_000).to_bytes(8, "big") + who.encode()}
        for offset, at, who in counted
    ]
    last = max(offset for offset, _, _ in counted)
    return encode("dossier", {"subject": _count_subject(key, stretch), "source_offset": last, "said": said})


def count_key(key: str, stretch: int) -> bytes:
    """The Kafka key of a record of a counter."""
    return _count_subject(key, stretch).encode()


def is_count(key: bytes | None) -> bool:
    """Whether a Kafka key of the dossiers topic is that of a counter."""
    return key is not None and key.startswith(_COUNT.encode())


def _count_subject(key: str, stretch: int) -> str:
    return f"{_COUNT}{stretch}|{key}"


def _event_counted(value: bytes) -> tuple[datetime, str]:
    return datetime.fromtimestamp(int.from_bytes(value[:8], "big") / 1_000_000, UTC), value[8:].decode()
