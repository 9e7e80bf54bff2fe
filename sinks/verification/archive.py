"""Reads the archive of rounds, a directory or a bucket outside Kafka and ClickHouse, as a source of what was sealed.

Each object is one round (docs/design/ledger.md). One that cannot be read as a round is a finding; the others still
count. A bucket that does not answer says nothing of what it holds, so that is no finding but an end.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.sinks.verification.bucket import is_bucket, read_bucket
from inzage.sinks.verification.evidence import META_INDEX_OF_META, PrunedLog, SealedLog, Told, claimed
from inzage.sinks.verification.finding import Finding, tamper

SOURCE = "archive"


def read_archive(where: Path | str) -> Told:
    """Everything in a folder, or below `s3://bucket/prefix`.

    Raises `ConfigError` when there is no such folder or bucket, `TransientError` when the bucket does not answer.
    """
    checkpoints: list[SealedLog] = []
    prunings: list[PrunedLog] = []
    findings: list[Finding] = []
    for name, read in _objects(where):
        try:
            found = json.loads(read())
            size = int(PurePosixPath(name).stem)
            for one in _round(found):
                if isinstance(one, SealedLog):
                    checkpoints.append(one)
                else:
                    prunings.append(one)
            if size != int(found["size"]) or not name.startswith(found["origin"] + "/"):
                findings.append(_wrong(found["origin"], f"{name}: it holds another round than its name says"))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, binascii.Error):
            findings.append(_wrong("", f"{name}: it cannot be read as a round"))
    return Told(SOURCE, checkpoints, prunings, findings=findings)


def _objects(where: Path | str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The names of all objects, in order, and how to read each."""
    if is_bucket(str(where)):
        yield from read_bucket(str(where))
        return
    folder = Path(where)
    if not folder.is_dir():
        raise ConfigError(f"--archive: {folder}: no such folder", code="config.archive")
    for file in sorted(folder.rglob("*.json")):
        yield file.relative_to(folder).as_posix(), file.read_bytes


def _wrong(log: str, what: str) -> Finding:
    return tamper("archive.unreadable", log, what, source=SOURCE)


def _round(said: dict[str, Any]) -> Iterator[SealedLog | PrunedLog]:
    at = datetime.fromisoformat(said["sealed_at"]).astimezone(UTC)
    yield SealedLog(
        str(said["origin"]),
        int(said["size"]),
        _root_of(said["note"]),
        str(said["note"]),
        0,
        META_INDEX_OF_META,
        _subtrees(said.get("subtrees", ())),
        at,
    )
    for one in said["checkpoints"]:
        yield SealedLog(
            str(one["origin"]),
            int(one["size"]),
            _root_of(one["note"]),
            str(one["note"]),
            int(one["base"]),
            int(one["meta_index"]),
            _subtrees(one["subtrees"]),
            at,
        )
    for one in said["prunings"]:
        yield PrunedLog(
            str(one["origin"]),
            int(one["minimum_index"]),
            int(one["minimum_offset"]),
            int(one["size"]),
            _root_of(one["note"]),
            tuple(_bytes(part) for part in one["frontier"]),
            str(one["reason"]),
            str(one["approver"]),
            str(one["note"]),
            int(one["meta_index"]),
            at,
        )


def _root_of(note: str) -> bytes:
    """The root as the note says it, at the end of its third line: the archive does not repeat it."""
    return _bytes(note.split("\n")[2].rpartition(" ")[2])


def _subtrees(said: Any) -> tuple[tuple[int, int, bytes], ...]:
    return claimed((int(level), int(index), _bytes(hashed)) for level, index, hashed in said)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
