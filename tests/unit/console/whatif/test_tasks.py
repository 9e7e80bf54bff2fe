"""How events are shared: every event in one share, every person in one bucket, and counts that join to the whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzage.console.whatif import sharing
from inzage.console.whatif.difference import Difference, Differing
from inzage.console.whatif.evidence import Extent
from inzage.console.whatif.sharing import tasks


def test_a_log_is_cut_by_offsets_and_every_offset_is_in_one_share() -> None:
    extents = [Extent("a", 10, 1_009, 1_000), Extent("b", 0, 2_999, 3_000), Extent("c", 5, 5, 1)]
    made = [task.share for task in tasks(extents, {}, 4)]
    for extent in extents:
        offsets = [at for share in made if share.log_id == extent.log_id for at in range(share.first, share.last + 1)]
        assert offsets == list(range(extent.first, extent.last + 1))
    assert len(made) == 5 and all(share.buckets == 1 for share in made)


def test_where_dossiers_are_read_a_log_is_cut_by_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PERSONS_HELD", 100)
    made = tasks([Extent("a", 0, 999, 1_000), Extent("b", 0, 9, 10)], {"a": 250}, 1)
    shares = [(task.share.log_id, task.share.bucket, task.share.buckets, task.persons) for task in made]
    assert shares == [("a", 0, 3, 84), ("a", 1, 3, 84), ("a", 2, 3, 84), ("b", 0, 1, 0)]
    assert all((task.share.first, task.share.last) == (0, 999) for task in made[:3])


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("PQR"), st.sampled_from(["X", "Y", None])), max_size=40
)


@given(EVENTS, st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_joined_counts_do_not_depend_on_who_counted(
    events: list[tuple[int, str, str | None]], whose: list[int]
) -> None:
    def counted(parts: list[list[tuple[str, Differing]]]) -> dict[str, Any]:
        found = Difference(limit=5)
        for part in parts:
            one = Difference(limit=5)
            for log_id, differing in part:
                one.take(log_id, [differing])
            found.join(one)
        return found.as_json()

    said = []
    for offset, (log, person, org) in enumerate(sorted(events, key=lambda event: event[0])):
        names = ("event_id", "occurred_at", "destination", "purpose")
        seen = {"subject.pseudonym": person, "org_key": org, **dict.fromkeys(names, None)}
        said.append((f"log-{log}", Differing(offset, ("A", "B")[: 1 + offset % 2], seen)))
    parts = [[one for one, who in zip(said, whose, strict=False) if who == number] for number in range(4)]
    assert counted(parts) == counted([said])
