"""A round comes back from the state as it was, and says on topic and in archive what docs/design/ledger.md has."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from inzage.schemas.codec import decode
from inzage.sinks.ledger.compact_range import CompactRange, Subtree
from inzage.sinks.ledger.note import Note, Signer
from inzage.sinks.sealing.round import Cut, Prune, Round, Sealed, note_hash, sign

SIGNER = Signer.generate("inzage-sealer")
HASH = st.binary(min_size=32, max_size=32)
SIZE = st.integers(1, 1 << 40)
AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9)
CUT = st.builds(
    Cut, WORD, SIZE, SIZE, HASH, st.lists(st.builds(Subtree, st.just(8), SIZE, HASH), max_size=3).map(tuple)
)
PRUNE = st.builds(Prune, WORD, SIZE, SIZE, SIZE, HASH, st.lists(HASH, max_size=3).map(tuple), WORD, WORD)
ROUND = st.builds(
    Round,
    st.just("inzage/meta/cluster"),
    st.just(0),
    st.lists(CUT | PRUNE, min_size=1, max_size=4).map(tuple),
    st.integers(0, 10**14).map(lambda micros: AT + timedelta(microseconds=micros)),
)


def _sealed(round_: Round) -> Sealed:
    notes = [sign(said.text, SIGNER) for said in round_.statements]
    whole = round_.over(CompactRange(), [note_hash(note) for note in notes])
    assert whole.meta
    return Sealed.of(whole, notes, sign(whole.meta.text, SIGNER))


@given(ROUND)
def test_a_round_comes_back(round_: Round) -> None:
    assert Round.from_json(round_.to_json()) == round_
    whole = round_.over(CompactRange(), [b"\1" * 32] * len(round_.statements))
    assert Round.from_json(whole.to_json()) == whole


@given(ROUND)
def test_topic_and_archive_say_the_same(round_: Round) -> None:
    """The object is made from what the topic says, byte for byte."""
    sealed = _sealed(round_)
    read = [decode(value) for _, value in sealed.messages()]
    again = Sealed(tuple((schema.name, record) for schema, record in read[:-1]), read[-1][1])  # type: ignore[misc]
    assert (again.archived(), again.archive_name) == (sealed.archived(), sealed.archive_name)
    archived = json.loads(sealed.archived())
    said = sorted(archived["checkpoints"] + archived["prunings"], key=lambda one: one["meta_index"])
    assert [(one["origin"], one["note"]) for one in said] == [
        (record["origin"], record["note"]) for _, record in sealed.statements
    ]


def test_the_form_of_the_archive() -> None:
    cut = Cut("inzage/hmbs/c/t/0", 3, 300, b"\2" * 32, (Subtree(8, 0, b"\1" * 32),))
    sealed = _sealed(Round("inzage/meta/c", 0, (cut,), AT))
    assert sealed.archive_name == "inzage/meta/c/2026/03/01/12/00000000000000000001.json"
    archived = json.loads(sealed.archived())
    assert archived["checkpoints"] == [
        {
            "origin": cut.origin,
            "size": 300,
            "base": 3,
            "meta_index": 0,
            "note": sealed.statements[0][1]["note"],
            "subtrees": [[8, 0, base64.b64encode(b"\1" * 32).decode()]],
        }
    ]
    assert (archived["origin"], archived["size"], archived["sealed_at"]) == (
        "inzage/meta/c",
        1,
        "2026-03-01T12:30:00.000000+00:00",
    )


def test_the_text_of_a_statement() -> None:
    whole = base64.b64encode(b"\2" * 32).decode()
    prune = Prune("inzage/hmbs/c/t/0", 4, 7, 9, b"\2" * 32, (), "ten years", "the officer")
    assert prune.text == (
        f"inzage/hmbs/c/t/0\npruned below 4 offset 7\n9 {whole}\nfrontier -\nreason ten years\napprover the officer\n"
    )
    assert Note.read(sign(prune.text, SIGNER)).text == prune.text
