"""Shows that the trail proves itself: verifies a copy of it, changes one byte of one row there, and verifies again.

The copy is made when everything has stopped, and its owner may do what nobody may with the trail itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.ledger.signing_key import read_verifiers
from inzage.sinks.verification.finding import Finding, Verdict
from inzage.sinks.verification.procedure import Request, verify

WITHIN = 60.0
"""Seconds the copy has to answer."""

_VICTIM = """
SELECT log_id, offset, leaf_index FROM {database:Identifier}.events
WHERE notEmpty(recipient.org_id) ORDER BY cityHash64(event_id) LIMIT 1
"""
_ONE_BYTE = """
ALTER TABLE {database:Identifier}.events
UPDATE raw = concat(substring(raw, 1, 40), char(bitXor(ascii(substring(raw, 41, 1)), 1)), substring(raw, 42))
WHERE log_id = {log_id:String} AND offset = {offset:UInt64}
"""


@dataclass(frozen=True, slots=True)
class Tampering:
    """What the verifier said of the copy as it was, and after one byte of the row at `index` of `log` was changed."""

    before: Verdict
    after: Verdict
    log: str
    index: int

    @property
    def finding(self) -> Finding | None:
        """The finding that names the row."""
        named = (one for one in self.after.findings if one.log == self.log and one.first == self.index)
        return next((one for one in named if one.code == "row.changed"), None)

    @property
    def held(self) -> bool:
        """Whether the trail was valid and the change was found."""
        return not self.before.tampered and self.before.complete and self.after.tampered and self.finding is not None

    def as_json(self) -> dict[str, Any]:
        finding = self.finding
        return {
            "valid_before": not self.before.tampered and self.before.complete,
            "rows_verified": self.before.leaves,
            "statements": self.before.checkpoints,
            "found": None if finding is None else {"code": finding.code, "log": finding.log, "index": finding.first},
        }


def tamper_with_a_copy(directory: Path, settings: Settings, say: Callable[[str], None]) -> Tampering:
    """Verify and tamper with a copy of the stopped trail in `directory`; the copy is removed again."""
    copy = directory / "tampered-copy"
    try:
        shutil.copytree(directory / "clickhouse", copy / "clickhouse", symlinks=True)
        with Endpoint(copy / "clickhouse", access=Access.EVERYTHING, migrate=False, fsync=False) as endpoint:
            clickhouse = settings.clickhouse.model_copy(update={"url": endpoint.url})
            there = settings.model_copy(update={"clickhouse": clickhouse})
            request = Request(keys=read_verifiers(directory / "sealer" / "key.pub"), archive=directory / "archive")
            say("verifying the trail: every row, every root, every column ...")
            before = verify(there, request)
            say("changing one byte of one row in a copy, and verifying it ...")
            log, index = _change_one_byte(there)
            after = verify(there, Request(keys=request.keys, archive=request.archive, log=log))
            return Tampering(before, after, log, index)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _change_one_byte(settings: Settings) -> tuple[str, int]:
    client = open_clickhouse(settings.clickhouse, answer_within=WITHIN)
    try:
        named = {"database": settings.clickhouse.database}
        ((log, offset, index),) = client.query(_VICTIM, parameters=named).result_rows
        place = {**named, "log_id": log, "offset": offset}
        client.command(_ONE_BYTE, parameters=place, settings={"mutations_sync": 2})
        return str(log), int(index)
    finally:
        client.close()
