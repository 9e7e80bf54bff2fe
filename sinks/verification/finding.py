"""Decides what a verifier says: findings, each with a severity, the log, the rows and what is wrong with them.

A finding names places and columns, never values: whoever reads it need not be allowed to read the trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal


class Severity(StrEnum):
    """How much a finding says. `UNVERIFIED`: it could not be judged, so nothing is said for or against it."""

    TAMPER = "tamper"
    UNVERIFIED = "unverified"
    WARNING = "warning"
    NOTE = "note"


Code = Literal[
    "archive.unreadable",
    "attestation.false",
    "attestation.quorum",
    "checkpoint.columns",
    "checkpoint.differs",
    "checkpoint.missing",
    "checkpoint.repeated",
    "checkpoint.signature",
    "checkpoint.subtrees",
    "checkpoint.uncovered",
    "column.changed",
    "column.type",
    "key.found",
    "leaf.replaced",
    "log.recreated",
    "log.repeated",
    "log.rollback",
    "log.root",
    "log.shorter",
    "log.two-roots",
    "log.unsealed",
    "meta.root",
    "prune.frontier",
    "prune.kept",
    "prune.unstated",
    "row.backdated",
    "row.before-base",
    "row.changed",
    "row.duplicate",
    "row.index",
    "row.missing",
    "row.moved",
    "row.unsealed",
    "schema.contradicted",
    "schema.unknown",
    "source.behind",
    "source.gap",
    "source.unused",
    "state.contradicted",
    "state.shorter",
    "table.unknown",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `first` to `last` are leaf indexes, both included; of a meta log, places of its leaves."""

    severity: Severity
    code: Code
    log: str
    what: str
    first: int | None = None
    last: int | None = None
    table: str = ""
    column: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification came to. Counts are of leaves whose hash was made again, and of rows decoded again."""

    findings: tuple[Finding, ...]
    logs: int
    leaves: int
    decoded: int
    checkpoints: int

    @property
    def tampered(self) -> bool:
        return any(finding.severity is Severity.TAMPER for finding in self.findings)

    @property
    def complete(self) -> bool:
        """Whether everything that was asked could be judged."""
        return all(finding.severity is not Severity.UNVERIFIED for finding in self.findings)


def tamper(code: Code, log: str, what: str, first: int | None = None, last: int | None = None, **at: str) -> Finding:
    """A finding of tampering; `last` is `first` when it is not stated."""
    return Finding(Severity.TAMPER, code, log, what, first, first if last is None else last, **at)


def runs(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings, with neighbouring rows of which the same is said put together."""
    joined: list[Finding] = []
    open_: dict[tuple[object, ...], int] = {}
    for finding in findings:
        kind = (finding.code, finding.log, finding.what, finding.table, finding.column, finding.source)
        place = open_.get(kind)
        before = joined[place] if place is not None else None
        follows = (
            before and finding.first is not None and before.last is not None and finding.first == before.last + 1
        )
        if place is not None and before and follows:
            joined[place] = replace(before, last=finding.last)
        else:
            open_[kind] = len(joined)
            joined.append(finding)
    return joined


_ORDER = list(Severity)


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first, then by log and place."""
    return tuple(
        sorted(findings, key=lambda one: (_ORDER.index(one.severity), one.log, one.first or 0, one.code, one.column))
    )
