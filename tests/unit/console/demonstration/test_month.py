"""The month is what its labels say: nothing innocent fires, and every planted violation does."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from inzage.console.demonstration.month import LANES, Month
from inzage.schemas.emitter.message import message_of
from inzage.schemas.json_face import Said
from inzage.schemas.json_lines import Line
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import policies_of

MONTH = Month(seed=11, events=4_000)


@cache
def _found() -> dict[str, dict[str, str]]:
    """Result by rule, by event, of every verdict on the month."""
    said = [*MONTH.references(), *(one for lane in range(LANES) for one in MONTH.lane(lane))]
    screened = OfflineScreening().screen(Line(number, "", one) for number, one in enumerate(said))
    assert screened.refused == []
    assert screened.events == MONTH.events
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for verdict in screened.verdicts:
        found[verdict["event_id"]][verdict["rule_id"]] = verdict["result"]
    return found


def test_events_without_a_label_are_clean() -> None:
    """No violation, no warning and nothing that could not be evaluated."""
    labelled = {label.event_id for label in MONTH.labels()}
    assert {event_id: of for event_id, of in _found().items() if event_id not in labelled} == {}


def test_labels_say_exactly_what_is_found() -> None:
    """Planted violations fire the rules they name and no other; near misses fire none."""
    wrong = {
        label.story: found for label in MONTH.labels() if (found := _found().get(label.event_id, {})) != label.fires
    }
    assert wrong == {}


def test_every_rule_of_the_packs_is_planted() -> None:
    """A rule that no story breaks would not be shown to work; the topic of an event decides who judges it."""
    of_the_topic = {"CIGNA-01"}
    rules = {entry.id for controller in ("CIGNA", "HMBS") for entry in policies_of(controller).entries}
    assert rules - of_the_topic == {rule for label in MONTH.labels() for rule in label.fires}


def test_the_same_seed_says_the_same() -> None:
    again = [message_of(said).value for said in Month(seed=11, events=300).lane(1)]
    assert again == [message_of(said).value for said in Month(seed=11, events=300).lane(1)]
    assert again != [message_of(said).value for said in Month(seed=12, events=300).lane(1)]


def test_everything_about_a_person_is_said_in_one_lane() -> None:
    """Processes emit lanes side by side; a person's events must not overtake each other."""
    people = [{_person(said) for said in MONTH.lane(lane)} for lane in range(LANES)]
    assert people[0] & people[1] == set()


def test_a_lane_is_said_in_order_of_time() -> None:
    said = [one.record["recorded_at"] for one in MONTH.lane(0)]
    assert said == sorted(said)


def test_a_full_month_has_hundreds_of_planted_violations() -> None:
    month = Month(seed=1, events=200_000)
    labels = month.labels()
    assert 300 <= sum(label.planted for label in labels) <= 600
    assert len({label.event_id for label in labels}) == len(labels)


def _person(said: Said) -> str:
    record = said.record
    pseudonym: str = record["subject"]["pseudonym"] if said.kind == "activity" else record["subject"]
    return pseudonym
