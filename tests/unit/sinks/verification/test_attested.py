"""Witnesses count when they cosigned the checkpoint that is shown; another one is a split view."""

from __future__ import annotations

from datetime import UTC, datetime

from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import COSIGNATURE, Note, Signer
from inzage.sinks.verification.attested import Trusted, judge_attestations
from inzage.sinks.verification.evidence import AttestedLog, SealedLog, Told
from inzage.sinks.verification.finding import Finding, Severity
from inzage.sinks.verification.meta_log import MetaLog, judge_meta_logs
from inzage.sinks.verification.statement import Signatures

META, LOG = "inzage/meta/c", "inzage/x/c/t/0"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SEALER = Signer.generate("sealer")
WITNESSES = [Signer.generate(f"w{number}", COSIGNATURE) for number in range(3)]


def _sealed(origin: str, size: int, root: bytes, meta_index: int) -> SealedLog:
    text = Checkpoint(origin, size, root).text
    return SealedLog(origin, size, root, str(Note(text, (SEALER.sign(text),))), 0, meta_index, (), NOW)


def _meta() -> MetaLog:
    leaf = _sealed(LOG, 1, b"r" * 32, 0)
    tree = CompactRange()
    tree.extend([hash_leaf(leaf.note.encode())])
    told = Told("here", [leaf, _sealed(META, 1, tree.root(), -1)])
    [meta] = judge_meta_logs([told], Signatures([SEALER.verifier]), {}, NOW)
    assert not meta.findings
    return meta


def _cosigned(meta: MetaLog, *by: Signer, text: str = "") -> AttestedLog:
    text = text or meta.texts[1]
    note = Note(text, (SEALER.sign(text), *(witness.sign(text, at=1_772_000_000) for witness in by)))
    return AttestedLog(META, 1, "COSIGNATURE", str(note), None)


def _found(meta: MetaLog, *said: AttestedLog) -> list[Finding]:
    return list(judge_attestations(meta, said, Trusted(tuple(one.verifier for one in WITNESSES), 2)))


def test_a_quorum_of_different_witnesses() -> None:
    meta = _meta()
    assert not _found(meta, _cosigned(meta, *WITNESSES[:2]))
    assert not _found(meta, _cosigned(meta, WITNESSES[0]), _cosigned(meta, WITNESSES[2]))
    [missing] = _found(meta, _cosigned(meta, WITNESSES[0]), _cosigned(meta, WITNESSES[0]))
    assert (missing.code, missing.severity) == ("attestation.quorum", Severity.UNVERIFIED)


def test_a_stranger_does_not_count() -> None:
    meta = _meta()
    stranger = Signer.generate("w0", COSIGNATURE)
    assert [one.code for one in _found(meta, _cosigned(meta, stranger, WITNESSES[1]))] == ["attestation.quorum"]


def test_a_false_cosignature_is_tampering() -> None:
    meta = _meta()
    good = _cosigned(meta, *WITNESSES)
    line = good.note.rstrip().rsplit(" ", 1)
    broken = line[0] + " " + line[1][:-8] + ("A" if line[1][-8] != "A" else "B") + line[1][-7:] + "\n"
    found = _found(meta, AttestedLog(META, 1, "COSIGNATURE", broken, None))
    assert "attestation.false" in {one.code for one in found}


def test_another_root_is_a_split_view() -> None:
    meta = _meta()
    found = _found(meta, _cosigned(meta, WITNESSES[0], text=Checkpoint(META, 1, b"s" * 32).text))
    assert (found[0].code, found[0].severity, found[0].first) == ("log.two-roots", Severity.TAMPER, 1)
