"""Signed notes, their keys and checkpoints, against the examples of their specifications where there are any."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzage.schemas.errors import ConfigError
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.note import COSIGNATURE, Note, NoteError, Signer, Verifier, open_note
from inzage.sinks.ledger.signing_key import read_verifiers, signing_key

CHECKPOINT = Checkpoint("inzage/cigna/cluster/topic/0", 5, bytes(range(32)))
SEALER = Signer.generate("inzage-sealer")
WITNESS = Signer.generate("witness.example", COSIGNATURE)

# The key of Go's checksum database and a note it signed, https://pkg.go.dev/golang.org/x/mod/sumdb/note
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SAID = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signed(*signers: Signer, at: int = 1_760_000_000) -> Note:
    text = CHECKPOINT.text
    return Note(text).with_signatures(
        signer.sign(text, at=at if signer.algorithm == COSIGNATURE else None) for signer in signers
    )


def test_a_note_signed_elsewhere() -> None:
    note = open_note(PETER_SAID, [Verifier.read(PETER)])
    assert note.text.startswith("If you think")
    assert str(note) == PETER_SAID
    with pytest.raises(NoteError):
        open_note(PETER_SAID.replace("answer", "Answer"), [Verifier.read(PETER)])


def test_who_signed_is_found_and_strangers_are_left_alone() -> None:
    note = str(signed(SEALER, WITNESS))
    assert len(open_note(note, [SEALER.verifier]).signatures) == 1
    assert len(open_note(note, [SEALER.verifier, WITNESS.verifier]).signatures) == 2
    with pytest.raises(NoteError, match="not signed by a trusted key"):
        open_note(note, [Signer.generate("inzage-sealer").verifier])


def test_a_second_signature_of_a_key_is_checked_too() -> None:
    """C2SP signed-note: one false signature of a known key refuses the note."""
    true = signed(SEALER).signatures[0]
    false = true._replace(value=bytes(64))
    with pytest.raises(NoteError, match="is false"):
        open_note(str(Note(CHECKPOINT.text, (true, false))), [SEALER.verifier])


def test_a_cosignature_says_when() -> None:
    note = signed(WITNESS, at=1_760_000_123)
    signature = WITNESS.verifier.find(note)
    assert signature
    assert WITNESS.verifier.verify(note.text, signature) == 1_760_000_123
    later = signature._replace(value=(1_760_000_124).to_bytes(8, "big") + signature.value[8:])
    with pytest.raises(NoteError):
        WITNESS.verifier.verify(note.text, later)


def test_signing_twice_gives_the_same() -> None:
    assert signed(SEALER) == signed(SEALER)


@given(st.text(max_size=200))
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        open_note(text, [SEALER.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "o\n5\n",
        "o\n05\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n5\nAAAA\n",
        "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        f"o\n{2**63}\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        f"o\n{'9' * 5000}\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.read(text)


def test_a_checkpoint_reads_back() -> None:
    assert Checkpoint.read(CHECKPOINT.text) == CHECKPOINT
    assert Checkpoint.read(CHECKPOINT.text + "extension\n") == CHECKPOINT


def test_keys_read_back_and_refuse_what_is_wrong(tmp_path: Path) -> None:
    made = signing_key(tmp_path / "key", "sealer.example")
    assert signing_key(tmp_path / "key", "sealer.example").verifier == made.verifier
    assert read_verifiers(tmp_path / "key.pub") == (made.verifier,)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="not of other"):
        signing_key(tmp_path / "key", "other")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(ConfigError, match="readable by others"):
        signing_key(tmp_path / "key", "sealer.example")
    with pytest.raises(ConfigError, match="hash does not fit"):
        Verifier.read(str(made.verifier).replace("sealer", "seeler"))
    for wrong in ("", "a+b", "a+00+!!", "a+00000000+", "PRIVATE+KEY+a"):
        with pytest.raises(ConfigError):
            Verifier.read(wrong)
