"""Whatever a witness is told, what it cosigns is one growing story, and it answers as specified."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from inzage.sinks.ledger.note import COSIGNATURE, Signer
from inzage.sinks.witness.protocol import Submission
from inzage.sinks.witness.register import Register
from inzage.sinks.witness.witness import RefusedError, Witness
from tests.meta_log import ORIGIN, MetaLog

FORKED_AT = 7
SEALER = Signer.generate("sealer.example")
SIGNER = Signer.generate("witness.example", COSIGNATURE)
STORIES = (MetaLog(SEALER, leaves=20), MetaLog(SEALER, leaves=20, forked_at=FORKED_AT))

sizes = st.integers(1, 20)
told = st.tuples(st.sampled_from([0, 1]), st.none() | st.integers(0, 20), sizes, st.booleans())
"""Which story, from which old size (None: where the witness is), to which size, and whether the proof is whole."""


@settings(max_examples=60)
@given(st.lists(told, max_size=12))
def test_one_growing_story(tellings: list[tuple[int, int | None, int, bool]]) -> None:
    at, of = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        register = Register(Path(folder) / "state")
        witness = Witness(SIGNER, {ORIGIN: [SEALER.verifier]}, register)
        for story, stated, size, whole in tellings:
            old = at if stated is None else stated
            asked = STORIES[story].submission(old, size)
            proof = asked.proof if whole else asked.proof[:-1]
            body = Submission(old, proof, asked.note, asked.checkpoint).encode()
            try:
                signature = witness.add_checkpoint(body)
                answered = 200
                SIGNER.verifier.verify(asked.note.text, signature)
            except RefusedError as refusal:
                answered = refusal.status
                assert refusal.size == (at if answered == 409 and old != at else None)
            same = story == of or at <= FORKED_AT
            assert answered == _expected(
                at, old, size, same or size <= FORKED_AT, same, len(proof) == len(asked.proof)
            )
            if answered == 200:
                at, of = size, story
        register.close()


def _expected(at: int, old: int, size: int, same_root: bool, continues: bool, proven: bool) -> int:
    """The status that C2SP tlog-witness asks for."""
    if old > size:
        return 400
    if old != at:
        return 409
    if old == size:
        return 200 if same_root else 409
    return 200 if continues and (proven or old == 0) else 422


def test_a_submission_reads_back() -> None:
    for old, size in ((0, 5), (5, 5), (5, 20)):
        submission = STORIES[0].submission(old, size)
        assert Submission.read(submission.encode()) == submission
