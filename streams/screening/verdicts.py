"""Makes verdict records from what the engine found: who, what, which promise, resting on which facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.store import DossierStore
from inzage.streams.screening.facts_used import FactUsed, facts_used
from inzage.streams.screening.pack import Entry, Policies
from inzage.streams.screening.record import Place, SaidRecord, identity, known_time
from inzage.streams.screening.row import Hit
from inzage.streams.screening.view import NOT_EVALUABLE, OK, VIOLATION, WARNING

_RESULTS = {OK: "OK", VIOLATION: "VIOLATION", NOT_EVALUABLE: "NOT_EVALUABLE", WARNING: "WARNING"}


@dataclass(frozen=True, slots=True)
class VerdictMaker:
    """Makes the verdicts of one part of a batch."""

    policies: Policies
    place: Place
    dossiers: DossierStore
    tables: Tables

    def verdicts(self, hit: Hit, record: SaidRecord) -> list[dict[str, Any]]:
        """The verdicts on one row."""
        return [self._verdict(hit, position, code, record.timestamp) for position, code in hit.codes]

    def revised(
        self, hit: Hit, position: int, code: int, revision: int, at: int, cause: FactUsed | None
    ) -> dict[str, Any]:
        """The verdict of the same rule that supersedes revision `revision - 1`, because of the fact `cause`.

        `at` in milliseconds since 1970; `hit` has the horizon at which it is judged now.
        """
        verdict = self._verdict(hit, position, code, at, revision)
        if cause is not None and cause["version"] not in {fact["version"] for fact in verdict["facts"]}:
            verdict["facts"].append(cause)
        return verdict

    def _verdict(self, hit: Hit, position: int, code: int, at: int, revision: int = 0) -> dict[str, Any]:
        entry = self.policies.rules[position].entry
        pack = self.policies.pack_of[entry.id]
        event_id, subject = hit.seen["event_id"], hit.seen["subject.pseudonym"]
        where = (self.place.topic_id, self.place.partition, hit.offset) if self.place.topic_id else (event_id,)
        return {
            "verdict_id": identity(*where, entry.id, self.policies.version, revision),
            "event_id": event_id,
            "controller_id": self.policies.controller_id,
            "subject": subject,
            "rule_id": entry.id,
            "result": _RESULTS[code],
            "severity": _severity(entry, hit, position),
            "theme": entry.theme.value,
            "reason": _reason(entry, code),
            "heading": entry.heading,
            "promise": entry.promise,
            "articles": entry.articles,
            "facts": facts_used(entry.facts, hit, self.dossiers.get(subject), self.tables),
            "pack": pack.pack,
            "pack_version": self.policies.version,
            "revision": revision,
            "supersedes": identity(*where, entry.id, self.policies.version, revision - 1) if revision else None,
            "occurred_at": datetime.fromisoformat(hit.seen["occurred_at"]).replace(tzinfo=UTC),
            "evaluated_at": known_time(at),
            "topic": self.place.topic,
            "partition": self.place.partition,
            "offset": hit.offset,
        }


def _severity(entry: Entry, hit: Hit, position: int) -> str:
    lesser = entry.lower_severity
    return lesser.severity if lesser is not None and position in hit.lower else entry.severity


def _reason(entry: Entry, code: int) -> str:
    if code == NOT_EVALUABLE:
        return "INPUT_MISSING"
    return entry.warning or entry.reason if code == WARNING else entry.reason
