"""Loading says what changes, and nothing twice: an identifier follows from what is stated and what it replaces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from inzage.console.references.file import Refused, Written, read_facts
from inzage.console.references.listing import rows_of
from inzage.console.references.plan import Change, Step, plan
from inzage.console.references.standing import Known

DAY = datetime(2026, 1, 1, tzinfo=UTC)
AGREEMENT = {"type": "AgreementSigned", "agreement_ref": "DPA-1", "party_org_id": "ORG-1", "signed_by_both": False}


class Log:
    """The references topic of a test: what was loaded becomes known, a day after what was before."""

    def __init__(self) -> None:
        self.known: list[Known] = []

    def plan(self, *facts: dict[str, Any]) -> tuple[list[Step], list[Refused]]:
        taken, refused = read_facts("f", [Written(n, fact) for n, fact in enumerate(facts, start=1)], "CIGNA")
        assert refused == []
        return plan("f", taken, self.known)

    def load(self, *facts: dict[str, Any]) -> list[Change]:
        steps, refused = self.plan(*facts)
        assert refused == []
        for step in steps:
            if step.change is not Change.SAME:
                at = DAY + timedelta(days=len(self.known))
                self.known.append(Known({**step.said.record, "recorded_at": at}, at))
        return [step.change for step in steps]

    def rows(self, as_of: datetime, known: int | None = None) -> list[dict[str, Any]]:
        return list(rows_of(self.known[:known], (), as_of))


def test_loading_twice_changes_nothing() -> None:
    log = Log()
    assert log.load(AGREEMENT) == [Change.NEW]
    assert log.load(AGREEMENT) == [Change.SAME]
    again = Log()
    again.load(AGREEMENT)
    assert again.known[0].fact["fact_id"] == log.known[0].fact["fact_id"]


def test_a_change_corrects_what_stood_and_may_be_taken_back() -> None:
    """Going back to the first text is a statement of its own: the identifier tells what it takes the place of."""
    log = Log()
    signed = {**AGREEMENT, "signed_by_both": True}
    assert [log.load(AGREEMENT), log.load(signed), log.load(AGREEMENT)] == [
        [Change.NEW],
        [Change.CHANGED],
        [Change.CHANGED],
    ]
    first, second, third = (known.fact for known in log.known)
    assert (second["corrects"], third["corrects"]) == (first["fact_id"], second["fact_id"])
    assert len({first["fact_id"], second["fact_id"], third["fact_id"]}) == 3
    assert log.load(AGREEMENT) == [Change.SAME]
    assert [row["states"]["signed_by_both"] for row in log.rows(DAY, known=2)] == [True]
    assert [row["states"]["signed_by_both"] for row in log.rows(DAY)] == [False]


def test_what_ends_is_called_ended() -> None:
    log = Log()
    end = (DAY + timedelta(days=30)).isoformat()
    log.load(AGREEMENT, {**AGREEMENT, "agreement_ref": "DPA-2"})
    ended = {"type": "AgreementEnded", "agreement_ref": "DPA-1", "ended_at": end}
    assert log.load(ended, {**AGREEMENT, "agreement_ref": "DPA-2", "valid_to": end}) == [Change.ENDED, Change.ENDED]
    assert log.load(ended, AGREEMENT) == [Change.SAME, Change.SAME]
    held = {row["key"] for row in log.rows(DAY + timedelta(days=29)) if row["kind"] == "AgreementSigned"}
    after = {row["key"] for row in log.rows(DAY + timedelta(days=30)) if row["kind"] == "AgreementSigned"}
    assert (held, after) == ({"DPA-1", "DPA-2"}, set())
    assert {row["key"] for row in log.rows(DAY + timedelta(days=40), known=2)} == {"DPA-1", "DPA-2"}


def test_an_end_outlives_a_correction_and_not_a_new_beginning() -> None:
    log = Log()
    end = DAY + timedelta(days=30)
    log.load({**AGREEMENT, "valid_from": DAY.isoformat()})
    log.load({"type": "AgreementEnded", "agreement_ref": "DPA-1", "ended_at": end.isoformat()})
    log.load({**AGREEMENT, "valid_from": DAY.isoformat(), "signed_by_both": True})
    [row] = [row for row in log.rows(DAY) if row["kind"] == "AgreementSigned"]
    assert row["holds_to"] == end
    log.load({**AGREEMENT, "valid_from": end.isoformat()})
    [row] = [row for row in log.rows(end) if row["kind"] == "AgreementSigned"]
    assert (row["holds_from"], row["holds_to"]) == (end, None)


def test_a_file_that_contradicts_itself_is_refused() -> None:
    steps, [refused] = Log().plan(AGREEMENT, {**AGREEMENT, "signed_by_both": True}, AGREEMENT)
    assert (len(steps), refused.line) == (1, 2)
    assert "line 1 of this file" in refused.message


def test_an_identifier_of_ones_own_stands_for_one_content() -> None:
    log = Log()
    own = {**AGREEMENT, "fact_id": "own-1"}
    assert log.load(own) == [Change.NEW]
    assert log.load(own) == [Change.SAME]
    _, [refused] = log.plan({**own, "signed_by_both": True})
    assert refused.field == "fact_id"


def test_the_same_at_another_controller_is_another_thing() -> None:
    log = Log()
    log.load(AGREEMENT)
    assert log.load({**AGREEMENT, "controller_id": "HMBS"}) == [Change.NEW]


def test_two_intervals_of_one_role_stand_beside_each_other() -> None:
    entry = {"type": "RoleMatrixEntry", "org_id": "O", "role": "R", "purpose": "PAYMENT", "decision": "ALLOW"}
    later = {**entry, "valid_from": DAY.isoformat(), "data_categories": ["CLAIM"]}
    log = Log()
    assert log.load(entry, later) == [Change.NEW, Change.NEW]
    assert log.load({**later, "data_categories": ["IDENTITY"]}) == [Change.CHANGED]
    assert len(log.rows(DAY)) == 2
