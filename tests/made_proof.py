"""Makes a proof file in memory: two logs of records, a meta log over them, a witness and a stand-in authority."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.x509 import Certificate
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from inzage.schemas import codec
from inzage.schemas.emitter.message import schema_message
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import COSIGNATURE, Note, Signer
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.proof.check import Trust
from inzage.sinks.proof.decoding import event_json
from inzage.sinks.proof.proof_file import ProofFile
from inzage.sinks.proof.record import Record
from inzage.sinks.proof.tlog_proof import TlogProof
from tests.stand_in_authority import StandInAuthority
from tests.trail_stack import activity

CLUSTER = "5L6g3nShT-eMCtK--X86sw"
EVENTS = f"inzage/cigna/{CLUSTER}/3f0c8d9e-0000-4000-8000-000000000001/3"
SCHEMAS = f"inzage/all/{CLUSTER}/3f0c8d9e-0000-4000-8000-000000000002/0"
META = f"inzage/meta/{CLUSTER}"
SEEN_AT = 1_772_323_200  # 2026-03-01T00:00:00Z


@dataclass(frozen=True)
class MadeProof:
    """A file that holds, and whom one has to trust for it."""

    file: ProofFile
    trust: Trust
    sealer: Signer
    witness: Signer

    @property
    def content(self) -> bytes:
        return str(self.file).encode()


def tree_of(leaves: Sequence[bytes]) -> Tree:
    """A tree that keeps all of its leaf hashes, and the subtrees over them."""
    rows: dict[tuple[int, int], bytes] = {(0, at): hash_leaf(leaf) for at, leaf in enumerate(leaves)}
    for level, number, found in CompactRange().extend([hash_leaf(leaf) for leaf in leaves]):
        rows[level, number] = found
    return Tree(len(leaves), lambda level, first, count: [rows[level, at] for at in range(first, first + count)])


def signed(origin: str, tree: Tree, signer: Signer) -> str:
    found = Checkpoint(origin, tree.size, tree.root())
    return str(Note(found.text, (signer.sign(found.text),)))


@cache
def made_proof(index: int = 5, size: int = 21) -> MadeProof:
    """The proof of one of `size` events; `Trust` names sealer, witness and authority."""
    sealer, witness = Signer.generate("sealer"), Signer.generate("witness", COSIGNATURE)
    records = [_record(number) for number in range(size)]
    stated = schema_message("activity")
    schema = Record(0, 1, SEEN_AT * 1000, stated.key, stated.value)
    log, schemas = tree_of([one.leaf() for one in records]), tree_of([schema.leaf()])
    notes = [signed(EVENTS, tree_of([b"before"]), sealer), signed(SCHEMAS, schemas, sealer)]
    notes.append(signed(EVENTS, log, sealer))
    meta = tree_of([note.encode() for note in notes])
    note = signed(META, meta, sealer)
    text = Note.read(note).text
    cosigned = str(Note.read(note).with_signatures([witness.sign(text, at=SEEN_AT)]))

    def proof(leaf: bytes, tree: Tree, at: int, under: str) -> TlogProof:
        return TlogProof(leaf, at, tuple(tree.inclusion_proof(at)), under)

    token, root = stamp(note)
    file = ProofFile(
        record=proof(records[index].leaf(), log, index, notes[2]),
        checkpoint=proof(notes[2].encode(), meta, 2, cosigned),
        schema=proof(schema.leaf(), schemas, 0, notes[1]),
        schema_checkpoint=proof(notes[1].encode(), meta, 1, cosigned),
        timestamps=(token,),
        event=event_json(records[index], codec.current("activity")),
    )
    return MadeProof(file, Trust([sealer.verifier], [witness.verifier], 1, [root]), sealer, witness)


def stamp(note: str) -> tuple[bytes, Certificate]:
    """A token over `note`, and the root of the authority that gave it."""
    with tempfile.TemporaryDirectory() as folder:
        authority = StandInAuthority(Path(folder))
        request = TimestampRequestBuilder(note.encode(), HashAlgorithm.SHA256).cert_request(cert_request=True).build()
        return authority.reply(request.as_bytes()), authority.root


def resealed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The content changed, its last line the sum of what stands now: who changes a file can do that too."""
    from hashlib import sha256

    body = change(content[:-65])
    return body + sha256(body).hexdigest().encode() + b"\n"


def _record(number: int) -> Record:
    value = codec.encode("activity", activity(number, "CIGNA"))
    headers = (("ce_id", f"event-{number}".encode()), ("ce_empty", None))
    return Record(number, 1, SEEN_AT * 1000 + number, f"SUB-{number % 50}".encode(), value, headers)
