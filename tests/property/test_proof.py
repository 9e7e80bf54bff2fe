"""Proof files: what was not changed holds, and whatever was changed does not, wherever it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzage.schemas.errors import ConfigError, TamperError
from inzage.sinks.leaf import headers_bytes, leaf_bytes
from inzage.sinks.ledger.note import COSIGNATURE, Signer
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.proof.check import Trust, check_proof
from inzage.sinks.proof.proof_file import ProofFile
from inzage.sinks.proof.record import LeafError, Record, read_headers
from inzage.sinks.proof.tlog_proof import TlogProof
from tests.made_proof import EVENTS, MadeProof, made_proof, resealed, signed, tree_of

parts = st.none() | st.binary(max_size=20)
records = st.builds(
    Record,
    st.integers(0, 2**63 - 1),
    st.sampled_from([0, 1]),
    st.integers(-(2**63), 2**63 - 1),
    parts,
    parts,
    st.lists(st.tuples(st.text(max_size=5), parts), max_size=3).map(tuple),
)


@pytest.fixture(scope="module")
def made() -> MadeProof:
    return made_proof()


@given(records)
def test_both_encoders_of_the_leaf_agree(record: Record) -> None:
    headers = headers_bytes(record.headers)
    leaf = leaf_bytes(record.offset, record.timestamp_type, record.timestamp, record.key, record.value, headers)
    assert record.leaf() == leaf
    assert Record.read(leaf) == record
    assert read_headers(headers) == record.headers


@given(records, st.data())
def test_a_leaf_reads_as_one_record_only(record: Record, data: st.DataObject) -> None:
    leaf = record.leaf()
    at = data.draw(st.integers(0, len(leaf) - 1))
    changed = leaf[:at] + bytes([leaf[at] ^ 1 << data.draw(st.integers(0, 7))]) + leaf[at + 1 :]
    for other in (changed, leaf[:-1], leaf + b"\0"):
        try:
            read = Record.read(other)
        except LeafError:
            continue
        assert read != record
        assert read.leaf() == other


def test_what_was_made_holds(made: MadeProof) -> None:
    held = check_proof(made.content, made.trust)
    assert (held.index, held.log.origin, held.log.size, held.meta_index, held.meta.size) == (5, EVENTS, 21, 2, 3)
    assert held.event is not None
    assert '"event-5"' in held.event
    assert [one.name for one in held.signed_by] == ["sealer"]
    assert [(one.by, one.at.isoformat()) for one in held.witnesses] == [("witness", "2026-03-01T00:00:00+00:00")]
    assert [one.by for one in held.timestamps] == ["CN=Stand-in authority"]
    assert held.schema_proven_by.startswith("the log of the schemas")
    assert held.unchecked == ()


@given(st.data())
def test_every_bit_counts(data: st.DataObject) -> None:
    made = made_proof()
    content = made.content
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    changed = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
    with pytest.raises(TamperError):
        check_proof(changed, made.trust)


@pytest.mark.parametrize("section", ["record", "checkpoint", "schema", "schema checkpoint", "event"])
@given(data=st.data())
def test_every_bit_counts_when_the_sum_was_made_to_fit(section: str, data: st.DataObject) -> None:
    made = made_proof()
    begin = made.content.index(f"\n== {section}\n".encode())
    end = made.content.index(b"\n== ", begin + 1)
    at, bit = data.draw(st.integers(begin, end)), data.draw(st.integers(0, 7))

    def flip(content: bytes) -> bytes:
        return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]

    with pytest.raises(TamperError):
        check_proof(resealed(made.content, flip), made.trust)


@given(st.data())
def test_a_changed_time_stamp_never_says_another_time(data: st.DataObject) -> None:
    """Some bytes of a response are covered by nothing (RFC 3161): then the token says the same, or is refused."""
    made = made_proof()
    token = made.file.timestamps[0]
    at, bit = data.draw(st.integers(0, len(token) - 1)), data.draw(st.integers(0, 7))
    changed = token[:at] + bytes([token[at] ^ 1 << bit]) + token[at + 1 :]
    try:
        held = check_proof(str(replace(made.file, timestamps=(changed,))).encode(), made.trust)
    except TamperError:
        return
    assert held.timestamps == check_proof(made.content, made.trust).timestamps


def test_a_key_in_the_file_is_not_trusted(made: MadeProof) -> None:
    with pytest.raises(ConfigError, match=r"signed by sealer\+[0-9a-f]{8}"):
        check_proof(made.content, Trust([]))
    with pytest.raises(TamperError, match="not signed by a trusted key"):
        check_proof(made.content, Trust([Signer.generate("sealer").verifier]))


def test_a_witness_is_counted_once_and_only_when_it_is_known(made: MadeProof) -> None:
    stranger = Signer.generate("other", COSIGNATURE).verifier
    with pytest.raises(TamperError, match="needed"):
        check_proof(made.content, replace(made.trust, quorum=2))
    with pytest.raises(TamperError, match="needed"):
        check_proof(made.content, replace(made.trust, witnesses=[stranger]))
    held = check_proof(made.content, Trust(made.trust.keys))
    assert held.witnesses == held.timestamps == ()
    assert held.unchecked == ("a signature of witness", "a time stamp")


def test_a_sealer_cannot_be_its_own_witness(made: MadeProof) -> None:
    with pytest.raises(ConfigError, match="not the key of a witness"):
        check_proof(made.content, replace(made.trust, witnesses=made.trust.keys))


def test_a_missing_time_stamp_is_missed(made: MadeProof) -> None:
    with pytest.raises(TamperError, match="no time stamp"):
        check_proof(str(replace(made.file, timestamps=())).encode(), made.trust)


def test_parts_of_another_proof_do_not_fit(made: MadeProof) -> None:
    """Each part alone is genuine: what does not hold is that they belong together."""
    file, earlier = made.file, made_proof(3, 8)
    for other in (
        replace(file, record=made_proof(3, 8).file.record),
        replace(file, record=replace(file.record, index=4)),
        replace(file, checkpoint=file.schema_checkpoint),
        replace(file, schema=file.record, schema_checkpoint=file.checkpoint),
        replace(file, event=earlier.file.event),
        replace(file, timestamps=earlier.file.timestamps),
    ):
        with pytest.raises(TamperError):
            check_proof(str(other).encode(), made.trust)


def test_a_root_that_only_the_log_signed_is_not_enough(made: MadeProof) -> None:
    """Somebody with another key makes a whole chain of his own, and has a stranger's checkpoint signed by nobody."""
    forger = Signer.generate("sealer")
    record = Record.read(made.file.record.leaf)
    forged = replace(record, value=(record.value or b"")[:-1] + b"\x02")
    tree = tree_of([forged.leaf()])
    proof = TlogProof(forged.leaf(), 0, (), signed(EVENTS, tree, forger))
    meta = replace(made.file.checkpoint, leaf=proof.note.encode())
    with pytest.raises(ProofError):
        check_proof(str(ProofFile(proof, meta)).encode(), made.trust)


def test_without_its_schema_the_bytes_are_proven_and_decoded_by_what_is_installed(made: MadeProof) -> None:
    bare = replace(made.file, schema=None, schema_checkpoint=None)
    held = check_proof(str(bare).encode(), made.trust)
    assert held.event == made.file.event
    assert held.schema_proven_by == "this installation of inzage, not the file"


@pytest.mark.parametrize("content", [b"", b"\xff", b"inzage-proof/v1\n", b"inzage-proof/v1\n== sha256\n\n"])
def test_what_is_no_proof_is_refused(content: bytes) -> None:
    with pytest.raises(ProofError):
        check_proof(content, made_proof().trust)
