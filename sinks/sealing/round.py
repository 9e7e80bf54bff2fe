"""Decides what a round of the sealer says: statements of logs, the notes over them, and the meta log's checkpoint.

A round is made in two steps, each kept before anything of it is signed: the texts about the logs, and then the text
about the meta log, whose leaves are the signed notes. From the same texts and key everything else follows, byte for
byte: what is published and what is archived.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from inzage.schemas.codec import RecordName, encode
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange, Subtree
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import Note, Signer

OF_THE_META_LOG = -1  # as `meta_index` of its own checkpoints


@dataclass(frozen=True, slots=True)
class Cut:
    """A size at which a log is sealed; `subtrees` are those completed since the cut before, and its edge."""

    origin: str
    base: int
    size: int
    root: bytes
    subtrees: tuple[Subtree, ...] = ()

    @property
    def text(self) -> str:
        return Checkpoint(self.origin, self.size, self.root).text

    def record(self, note: str, meta_index: int, at: datetime) -> dict[str, Any]:
        """The record `Checkpoint`."""
        subtrees = [{"level": level, "index": number, "hash": found} for level, number, found in self.subtrees]
        return {
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "note": note,
            "base": self.base,
            "meta_index": meta_index,
            "subtrees": subtrees,
            "sealed_at": at,
        }


@dataclass(frozen=True, slots=True)
class Prune:
    """That a log is dropped below an index; `size` and `root` are its newest checkpoint, `frontier` what is kept."""

    origin: str
    minimum_index: int
    minimum_offset: int
    size: int
    root: bytes
    frontier: tuple[bytes, ...]
    reason: str
    approver: str

    @property
    def text(self) -> str:
        frontier = " ".join(_base64(found) for found in self.frontier) or "-"
        return (
            f"{self.origin}\n"
            f"pruned below {self.minimum_index} offset {self.minimum_offset}\n"
            f"{self.size} {_base64(self.root)}\n"
            f"frontier {frontier}\n"
            f"reason {self.reason}\n"
            f"approver {self.approver}\n"
        )

    def record(self, note: str, meta_index: int, at: datetime) -> dict[str, Any]:
        """The record `Pruning`."""
        return {
            "origin": self.origin,
            "minimum_index": self.minimum_index,
            "minimum_offset": self.minimum_offset,
            "size": self.size,
            "root": self.root,
            "frontier": list(self.frontier),
            "reason": self.reason,
            "approver": self.approver,
            "note": note,
            "meta_index": meta_index,
            "stated_at": at,
        }


Statement = Cut | Prune


@dataclass(frozen=True, slots=True)
class Round:
    """What is said at once, at `sealed_at` (UTC). `first` is the size of the meta log before it; `meta` what the meta
    log is after it, None until the notes are signed.
    """

    meta_origin: str
    first: int
    statements: tuple[Statement, ...]
    sealed_at: datetime
    meta: Cut | None = None

    @property
    def size(self) -> int:
        """The size of the meta log after the round."""
        return self.first + len(self.statements)

    def over(self, meta_log: CompactRange, leaves: Sequence[bytes]) -> Round:
        """The round with the meta log's checkpoint; `leaves` are hashes, and `meta_log` grows by them."""
        subtrees = meta_log.extend(leaves)
        cut = Cut(self.meta_origin, 0, meta_log.size, meta_log.root(), tuple(subtrees))
        return replace(self, meta=cut)

    def to_json(self) -> str:
        """The round as the state keeps it."""
        return json.dumps(
            {
                "meta_origin": self.meta_origin,
                "first": self.first,
                "statements": [_plain(statement) for statement in self.statements],
                "sealed_at": self.sealed_at.isoformat(),
                "meta": _plain(self.meta) if self.meta else None,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Round:
        """What `to_json` wrote."""
        kept = json.loads(text)
        meta = _statement(kept["meta"]) if kept["meta"] else None
        assert meta is None or isinstance(meta, Cut)
        statements = tuple(_statement(statement) for statement in kept["statements"])
        return cls(kept["meta_origin"], kept["first"], statements, datetime.fromisoformat(kept["sealed_at"]), meta)


def sign(text: str, signer: Signer) -> str:
    """The signed note over `text`."""
    return str(Note(text, (signer.sign(text),)))


def note_hash(note: str) -> bytes:
    """The leaf hash of a signed note in the meta log."""
    return hash_leaf(note.encode())


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed round as records of the topic of checkpoints: `notes` in the order of the meta log, then the meta
    log's own checkpoint.
    """

    statements: tuple[tuple[RecordName, Mapping[str, Any]], ...]
    meta: Mapping[str, Any]

    @classmethod
    def of(cls, round_: Round, notes: Iterable[str], meta_note: str) -> Sealed:
        """The records of a round whose meta log is known."""
        assert round_.meta is not None
        statements = tuple(
            (_NAMES[type(said)], said.record(note, index, round_.sealed_at))
            for index, (said, note) in enumerate(zip(round_.statements, notes, strict=True), round_.first)
        )
        return cls(statements, round_.meta.record(meta_note, OF_THE_META_LOG, round_.sealed_at))

    def messages(self) -> list[tuple[bytes, bytes]]:
        """Key and value of each record; the meta log's checkpoint is the last."""
        said = [*self.statements, ("checkpoint", self.meta)]
        return [(record["origin"].encode(), encode(name, record)) for name, record in said]

    @property
    def archive_name(self) -> str:
        """`<meta origin>/<yyyy>/<mm>/<dd>/<hh>/<meta size>.json`, by the time of sealing, UTC."""
        at: datetime = self.meta["sealed_at"]
        return f"{self.meta['origin']}/{at:%Y/%m/%d/%H}/{self.meta['size']:020}.json"

    def archived(self) -> bytes:
        """The object of the archive: JSON, as docs/design/ledger.md has it."""
        checkpoints = [_archived(record) for name, record in self.statements if name == "checkpoint"]
        prunings = [_archived(record) for name, record in self.statements if name == "pruning"]
        meta = _archived(self.meta)
        whole = {
            "origin": meta["origin"],
            "size": meta["size"],
            "note": meta["note"],
            "checkpoints": checkpoints,
            "prunings": prunings,
            "sealed_at": self.meta["sealed_at"].isoformat(timespec="microseconds"),
        }
        return (json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


_NAMES: dict[type, RecordName] = {Cut: "checkpoint", Prune: "pruning"}
_ARCHIVED = {
    "origin", "size", "base", "meta_index", "note", "subtrees",
    "minimum_index", "minimum_offset", "frontier", "reason", "approver",
}  # fmt: skip


def _archived(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without what the note says anyway, in types of JSON."""
    said = {name: value for name, value in record.items() if name in _ARCHIVED}
    if "subtrees" in said:
        said["subtrees"] = [[tree["level"], tree["index"], _base64(tree["hash"])] for tree in said["subtrees"]]
    if "frontier" in said:
        said["frontier"] = [_base64(found) for found in said["frontier"]]
    return said


def _plain(said: Statement) -> dict[str, Any]:
    if isinstance(said, Cut):
        subtrees = [[level, number, _base64(found)] for level, number, found in said.subtrees]
        return {"origin": said.origin, "base": said.base, "size": said.size, "root": _base64(said.root),
                "subtrees": subtrees}  # fmt: skip
    return {
        "origin": said.origin,
        "minimum_index": said.minimum_index,
        "minimum_offset": said.minimum_offset,
        "size": said.size,
        "root": _base64(said.root),
        "frontier": [_base64(found) for found in said.frontier],
        "reason": said.reason,
        "approver": said.approver,
    }


def _statement(kept: dict[str, Any]) -> Statement:
    root = base64.b64decode(kept["root"])
    if "subtrees" in kept:
        subtrees = tuple(Subtree(level, number, base64.b64decode(found)) for level, number, found in kept["subtrees"])
        return Cut(kept["origin"], kept["base"], kept["size"], root, subtrees)
    frontier = tuple(base64.b64decode(found) for found in kept["frontier"])
    return Prune(**{**kept, "root": root, "frontier": frontier})


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
