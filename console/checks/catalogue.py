"""Says which checks there are: what each asks of the trail, who owns what it finds, and which entry it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from inzage.schemas.topics import Theme
from inzage.streams.screening.pack import Entry, Policies

PACK = "CHECKS"
"""The pack that a check's verdicts name."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `query` is `sinks/queries/check_<query>.sql`. Promise and articles are those of the entry it keeps.

    One that is made `everywhere` is made for controllers too whose pack names it nowhere, under its own name as the
    rule; not where one of the entries `same_as` stands, whose predicate says the same by the clock.
    """

    name: str
    owner: str
    theme: Theme
    severity: Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]
    promise: str
    articles: tuple[str, ...]
    reason: str
    query: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    result: Literal["VIOLATION", "WARNING"] = "VIOLATION"
    everywhere: bool = False
    same_as: frozenset[str] = frozenset()
    beside_facts: bool = False
    """Whether it finds what the predicate of an entry that judges facts cannot: that a fact was never said."""

    def entries(self, policies: Policies) -> list[Entry | None]:
        """The entries of a controller's pack that this check keeps; None stands for the check itself.

        An entry that judges facts is kept by its predicate and the clock: the check would say everything twice.
        """
        entries = [*policies.entries, *policies.unjudged]
        named = [entry for entry in entries if entry.check == self.name]
        if named:
            return [entry for entry in named if self.beside_facts or not (entry.judges or entry.fact_rules)]
        said = any(entry.id in self.same_as for entry in entries)
        return [None] if self.everywhere and not said else []


CHECKS: tuple[Check, ...] = (
    Check(
        name="expired-records",
        owner="records management",
        theme=Theme.RETENTION,
        severity="HIGH",
        promise="What is past its period is erased or anonymised within a day.",
        articles=("5(1)(e)", "17"),
        reason="RECORD_OUTLIVED_ITS_PERIOD",
        query="expired_records",
        parameters={"grace_hours": 24},
    ),
    Check(
        name="records-without-period",
        owner="records management",
        theme=Theme.RETENTION,
        severity="MEDIUM",
        promise="Of every record it is stated how long it is kept.",
        articles=("5(1)(e)", "30(1)(f)"),
        reason="RECORD_WITHOUT_PERIOD",
        query="records_without_period",
    ),
    Check(
        name="longer-than-standard",
        owner="records management",
        theme=Theme.RETENTION,
        severity="MEDIUM",
        promise="Records are kept for ten years after cover ended, unless somebody approved otherwise.",
        articles=("5(1)(e)", "13(2)(a)"),
        reason="KEPT_LONGER_THAN_THE_DEFAULT",
        query="longer_than_default",
        parameters={"years": 10},
    ),
    Check(
        name="silent-systems",
        owner="security",
        theme=Theme.SECURITY,
        severity="HIGH",
        promise="A registered system is heard of as often as it should be.",
        articles=("32(1)(b)", "32(1)(d)", "5(2)"),
        reason="SYSTEM_SILENT",
        query="silent_systems",
        everywhere=True,
    ),
    Check(
        name="expiring-grounds",
        owner="legal",
        theme=Theme.TRANSFER,
        severity="MEDIUM",
        promise="What a disclosure or a transfer rests on is renewed before it ends.",
        articles=("28(3)", "45", "46"),
        reason="ENDS_SOON",
        query="expiring",
        parameters={"days": 60},
        result="WARNING",
        everywhere=True,
    ),
    Check(
        name="holds-to-review",
        owner="legal",
        theme=Theme.RETENTION,
        severity="MEDIUM",
        promise="A legal hold is reviewed when that is due.",
        articles=("5(1)(e)", "17(3)(e)"),
        reason="HOLD_NOT_REVIEWED",
        query="holds_to_review",
        everywhere=True,
        same_as=frozenset({"CIGNA-80"}),
    ),
    Check(
        name="record-of-processing",
        owner="data protection officer",
        theme=Theme.ACCOUNTABILITY,
        severity="MEDIUM",
        promise="What is seen to happen stands in the record of processing activities.",
        articles=("30(1)",),
        reason="NOT_IN_THE_RECORD_OF_PROCESSING",
        query="record_of_processing",
    ),
    Check(
        name="trail-retention",
        owner="records management",
        theme=Theme.RETENTION,
        severity="MEDIUM",
        promise="No part of the audit trail outlives its own period.",
        articles=("5(1)(e)", "5(2)"),
        reason="TRAIL_OUTLIVED_ITS_PERIOD",
        query="trail_retention",
    ),
    Check(
        name="recipients-to-tell",
        owner="data protection officer",
        theme=Theme.RIGHTS,
        severity="MEDIUM",
        promise="Whoever had data that were rectified is told so.",
        articles=("16", "19"),
        reason="RECIPIENT_NOT_TOLD_OF_CHANGE",
        query="recipients_to_tell",
        parameters={"days": 30},
        beside_facts=True,
    ),
    Check(
        name="critical-unacknowledged",
        owner="data protection officer",
        theme=Theme.ACCOUNTABILITY,
        severity="MEDIUM",
        promise="The data-protection officer sees a critical violation within a day.",
        articles=("33(1)", "38(1)", "39(1)(b)"),
        reason="CRITICAL_VIOLATION_NOT_ACKNOWLEDGED",
        query="critical_unacknowledged",
        parameters={"hours": 24},
    ),
    Check(
        name="contests-to-answer",
        owner="claims and acceptance",
        theme=Theme.AUTOMATED_DECISION,
        severity="MEDIUM",
        promise="Whoever contests a refusal, or asks its reason, is heard.",
        articles=("22(3)", "12(3)"),
        reason="REFUSAL_NOT_DISCUSSED",
        query="contests_to_answer",
        parameters={"days": 30},
    ),
    Check(
        name="packs-in-force",
        owner="data protection officer",
        theme=Theme.ACCOUNTABILITY,
        severity="LOW",
        promise="What a product, a channel or a country promises besides is judged as well.",
        articles=("13", "14", "5(1)(a)"),
        reason="PACK_NOT_JUDGED",
        query="packs_in_force",
    ),
    Check(
        name="code-of-conduct",
        owner="legal",
        theme=Theme.ACCOUNTABILITY,
        severity="LOW",
        promise="The code of conduct is among the packs in force.",
        articles=("24", "40"),
        reason="CODE_OF_CONDUCT_NOT_IN_FORCE",
        query="code_of_conduct",
    ),
    Check(
        name="answers-without-question",
        owner="member services",
        theme=Theme.ACCOUNTABILITY,
        severity="LOW",
        promise="A question that is answered is registered.",
        articles=("5(2)",),
        reason="QUESTION_NOT_REGISTERED",
        query="answers_without_question",
    ),
    Check(
        name="improvement",
        owner="security",
        theme=Theme.ACCOUNTABILITY,
        severity="LOW",
        promise="Rights are reviewed every year, and what keeps going wrong is improved.",
        articles=("24(1)", "32(1)(d)"),
        reason="NOT_IMPROVED",
        query="improvement",
        parameters={"months": 12, "times": 5},
    ),
)
