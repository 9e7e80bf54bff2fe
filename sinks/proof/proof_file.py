"""Decides what a proof file is: sections of text, one after the other, closed by the SHA-256 of all before it.

    inzage-proof/v1
    == record                 the record in its log: a C2SP tlog-proof, `extra` is the leaf
    == checkpoint             that checkpoint in the meta log: a tlog-proof, `extra` is its note
    == schema                 the schema the value was written with, in the log of schemas (may be missing)
    == schema checkpoint      that log's checkpoint in the meta log (with `schema`)
    == timestamp              an RFC 3161 response over the meta log's note, DER in base64; any number
    == event                  the record as JSON, for the eye: checked against the bytes (with a schema)
    == sha256                 of the file up to this line

The sum says whether the file arrived whole. It proves nothing; what proves are the signatures.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.proof.tlog_proof import TlogProof

MAGIC = "inzage-proof/v1"
MAX_BYTES = 32 << 20
"""Largest file that is read: a record has at most 1 MiB, and stands in it twice."""

_MARK = "== "
_SUM = "sha256"


@dataclass(frozen=True, slots=True)
class ProofFile:
    """What a file holds. `schema` and `schema_checkpoint` are both there or neither; `event` is JSON text or None."""

    record: TlogProof
    checkpoint: TlogProof
    schema: TlogProof | None = None
    schema_checkpoint: TlogProof | None = None
    timestamps: tuple[bytes, ...] = ()
    event: str | None = None

    def __str__(self) -> str:
        sections = [("record", str(self.record)), ("checkpoint", str(self.checkpoint))]
        if self.schema and self.schema_checkpoint:
            sections += [("schema", str(self.schema)), ("schema checkpoint", str(self.schema_checkpoint))]
        sections += [("timestamp", base64.b64encode(token).decode() + "\n") for token in self.timestamps]
        if self.event is not None:
            sections.append(("event", self.event + "\n"))
        text = f"{MAGIC}\n" + "".join(f"{_MARK}{name}\n{body}" for name, body in sections) + f"{_MARK}{_SUM}\n"
        return f"{text}{sha256(text.encode()).hexdigest()}\n"

    @classmethod
    def read(cls, content: bytes) -> ProofFile:
        """Read a file and check that it arrived whole; nothing is proven yet. Raises `ProofError`, `NoteError`."""
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise ProofError("not a proof file: it is not UTF-8") from error
        if not text.startswith(f"{MAGIC}\n"):
            raise ProofError(f"not a proof file: it does not begin with {MAGIC}")
        sections = _sections(text)
        tokens = [body for name, body in sections if name == "timestamp"]
        named = {name: body for name, body in sections if name != "timestamp"}
        if missing := {"record", "checkpoint", _SUM} - named.keys():
            raise ProofError(f"not a proof file: it lacks {', '.join(sorted(missing))}")
        inclusions = {
            name: TlogProof.read(named[name])
            for name in ("record", "checkpoint", "schema", "schema checkpoint")
            if name in named
        }
        event = named["event"].removesuffix("\n") if "event" in named else None
        read = cls(
            inclusions["record"],
            inclusions["checkpoint"],
            inclusions.get("schema"),
            inclusions.get("schema checkpoint"),
            tuple(map(_token, tokens)),
            event,
        )
        # Written again it must be the same: no section twice, in another order, with something between, or changed.
        if str(read) != text:
            raise ProofError("the file was changed: its sum is another, or it is not written as a proof file is")
        return read


def _sections(text: str) -> list[tuple[str, str]]:
    """Name and body of each; the last body ends with the file."""
    found = []
    for part in text.removeprefix(f"{MAGIC}\n{_MARK}").split(f"\n{_MARK}"):
        name, _, body = part.partition("\n")
        found.append((name, body + "\n"))
    found[-1] = (found[-1][0], found[-1][1][:-1])
    return found


def _token(body: str) -> bytes:
    try:
        return base64.b64decode(body.removesuffix("\n"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProofError("not a proof file: a time stamp is not base64") from error
