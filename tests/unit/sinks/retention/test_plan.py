"""What may go: prefixes of every log of a topic, whole months, nothing that is held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inzage.sinks.retention.plan import Hold, Stretch, plan

TOPIC = "inzage.cigna.events.v1"


def stretch(log: str, month: int, first: int, last: int, table: str = "events") -> Stretch:
    return Stretch(TOPIC, log, month, (table,), last - first + 1, first, last, 100)


def test_what_is_older_goes_from_every_log() -> None:
    held = [
        stretch("a", 201512, 0, 9),
        stretch("a", 201601, 10, 14, "facts"),
        stretch("a", 201602, 15, 20),
        stretch("b", 201601, 0, 3),
        stretch("b", 201602, 4, 4),
    ]
    (found,) = plan([TOPIC], held, [], before=201602)
    assert found.months == (201512, 201601)
    assert found.partitions == (("events", 201512), ("events", 201601), ("facts", 201601))
    assert [(log.log_id, log.records, log.minimum_index, log.minimum_offset) for log in found.logs] == [
        ("a", 15, 15, 115),
        ("b", 4, 4, 104),
    ]
    assert (found.rows, found.kept_by) == (19, "")


def test_a_hold_keeps_its_month_and_all_after_it_in_every_log() -> None:
    held = [stretch("a", 201512, 0, 9), stretch("a", 201601, 10, 14), stretch("b", 201601, 0, 3)]
    holds = [Hold(TOPIC, "H-2", 201601), Hold(TOPIC, "H-1", 201601), Hold(TOPIC, "LATE", 202001)]
    (found,) = plan([TOPIC], held, holds, before=201602)
    assert (found.months, found.kept_by) == ((201512,), "legal hold from 201601 on: H-1, H-2")
    assert [log.log_id for log in found.logs] == ["a"]
    (nothing,) = plan([TOPIC], held, [Hold(TOPIC, "H-0", 201512)], before=201602)
    assert (nothing.months, nothing.logs, nothing.partitions) == ((), (), ())


def test_a_hold_on_another_topic_keeps_nothing_here() -> None:
    (found,) = plan([TOPIC], [stretch("a", 201512, 0, 9)], [Hold("other", "H", 201512)], before=201602)
    assert (found.months, found.kept_by) == ((201512,), "")


def test_a_month_that_is_no_prefix_stays() -> None:
    """The broker's clock went back: records of an older month stand after those of a newer one."""
    held = [
        stretch("a", 201511, 0, 4),
        stretch("a", 201512, 5, 9),
        stretch("a", 201603, 7, 12),
        stretch("b", 201512, 0, 1),
    ]
    (found,) = plan([TOPIC], held, [], before=201602)
    assert (found.months, found.kept_by) == ((201511,), "a: records of 201512 stand after newer ones")


def test_nothing_is_old() -> None:
    first, second = plan(["empty", TOPIC], [stretch("a", 201602, 0, 4)], [], before=201602)
    assert (first.months, second.months, second.kept_by) == ((), (), "")


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(201601, 201606), st.integers(1, 5)), max_size=12),
    st.integers(201601, 201607),
    st.lists(st.integers(201601, 201606), max_size=2),
)
def test_what_goes_is_a_prefix_and_old_and_not_held(
    said: list[tuple[str, int, int]], before: int, held: list[int]
) -> None:
    """Records arrive in any order of months: against a list of single records."""
    records = [(log, month) for log, month, count in said for _ in range(count)]
    places = {log: [month for one, month in records if one == log] for log in "ab"}
    stretches = []
    for log, months in places.items():
        for month in sorted(set(months)):
            at = [index for index, one in enumerate(months) if one == month]
            stretches.append(Stretch(TOPIC, log, month, ("events",), len(at), at[0], at[-1], 0))
    (found,) = plan([TOPIC], stretches, [Hold(TOPIC, "H", month) for month in held], before)
    for log in found.logs:
        gone = places[log.log_id][: log.minimum_index]
        assert set(gone) <= set(found.months)
        assert not set(places[log.log_id][log.minimum_index :]) & set(found.months)
        assert log.records == len(gone)
    there = {month for _, month in records}
    assert all(
        month < before and not any(month >= hold for hold in held if hold in there and hold < before)
        for month in found.months
    )
