"""What the facts say at an instant, read straight off the statements: no rows, no versions, no tables.

Written from the catalogue, its corrections and the interchange page, independently of the dossier's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Body = dict[str, Any]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def brussels(year: int, month: int, day: int, *, summer: bool = False) -> datetime:
    """Midnight in Brussels, in UTC."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=2 if summer else 1)


EU = _words("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE")
EEA = EU | {"IS", "LI", "NO"}
GB_LEFT_EU = brussels(2020, 2, 1)
GB_GDPR_CEASED = brussels(2021, 1, 1)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
ADEQUACY: list[tuple[str, str, str, datetime, datetime]] = [  # country, decision, scope, from, to
    ("CH", "2000/518/EC", "all", brussels(2000, 7, 26, summer=True), FOREVER),
    ("AR", "2003/490/EC", "all", brussels(2003, 6, 30, summer=True), FOREVER),
    ("CA", "2002/2/EC", "pipeda", brussels(2001, 12, 20), FOREVER),
    ("JP", "(EU) 2019/419", "appi", brussels(2019, 1, 23), FOREVER),
    ("KR", "(EU) 2022/254", "pipa", brussels(2021, 12, 17), FOREVER),
    ("GB", "TCA bridge", "all", GB_GDPR_CEASED, brussels(2021, 6, 28, summer=True)),
    ("GB", "(EU) 2021/1772", "not immigration", brussels(2021, 6, 28, summer=True), brussels(2031, 12, 28)),
    ("US", "2000/520/EC", "doubtful", brussels(2000, 7, 26, summer=True), brussels(2015, 10, 6, summer=True)),
    ("US", "(EU) 2016/1250", "shield", brussels(2016, 7, 12, summer=True), brussels(2020, 7, 16, summer=True)),
    ("US", "(EU) 2023/1795", "dpf", brussels(2023, 7, 10, summer=True), FOREVER),
    ("EPO", "of 2025-07-15", "all", brussels(2025, 7, 15, summer=True), FOREVER),
]
MARKETING = {"MARKETING", "DIRECT_MARKETING", "ADVERTISING"}
HEALTH_REVEALING = _words(
    """DIAGNOSIS_CODE PROCEDURE_CODE PROVIDER_SPECIALTY PHARMACY_LINE LAB_RESULT PRESCRIPTION ABSENCE_REASON
    CLAIM_LINE MEDICAL_REPORT_TEXT TREATING_PHYSICIAN_REPORT PROGNOSIS MEDICAL_HISTORY MENTAL_HEALTH_NOTE
    PRIOR_UNRELATED_DIAGNOSIS CONDITIONS_CAUSING_EVACUATION MEDICAL_NEEDS_DURING_EMERGENCY"""
)


@dataclass(frozen=True)
class World:
    """The facts that were known when an event was said: about its person in `facts`, the rest in `references`."""

    controller: str
    facts: list[Body]
    references: list[Body]

    def said(self, kind: str, **fields: Any) -> list[Body]:
        """Facts of a kind whose fields are as given, oldest first."""
        return [
            fact
            for fact in (*self.facts, *self.references)
            if fact["type"] == kind and all(fact.get(name) == value for name, value in fields.items())
        ]

    def last(self, kind: str, **fields: Any) -> Body | None:
        """The latest of them."""
        return (self.said(kind, **fields) or [None])[-1]  # type: ignore[list-item]

    def latest_of_each(self, kind: str, reference: str) -> Iterator[Body]:
        """The latest statement for each reference."""
        latest = {fact[reference]: fact for fact in self.said(kind)}
        yield from latest.values()

    # --- organisations ---

    def org(self, org_id: str | None) -> Body:
        return self.last("OrganisationRegistered", org_id=org_id) or {} if org_id else {}

    def own(self, org_id: str | None) -> bool:
        return org_id is not None and (org_id == self.controller or bool(self.org(org_id).get("own_organisation")))

    def agreements(self) -> Iterator[tuple[Body, datetime]]:
        """Each agreement with the instant at which it ended or ends."""
        for agreement in self.latest_of_each("AgreementSigned", "agreement_ref"):
            yield agreement, self._end(agreement, "agreement_ref", "AgreementEnded", "ended_at")

    def processor_agreements(self, org_id: str | None, t: datetime) -> list[Body]:
        return [
            agreement
            for agreement, end in self.agreements()
            if agreement["agreement_type"] == "DPA_ART28"
            and agreement["signed_by_both"] is True
            and agreement["party_org_id"] == org_id
            and _starts(agreement) <= t < end
        ]

    def listed_as_subprocessor(self, org_id: str | None, t: datetime) -> bool:
        return any(
            org_id in (agreement.get("subprocessor_org_ids") or ()) and _starts(agreement) <= t < end
            for agreement, end in self.agreements()
        )

    def instruments(self, kind: str, ref: str | None, importer: str | None, t: datetime) -> list[Body]:
        return [
            signed
            for signed in self.latest_of_each("InstrumentSigned", "instrument_ref")
            if signed["instrument"] == kind
            and (ref is None or ref == signed["instrument_ref"])
            and (importer == signed.get("importer_org_id") or importer in (signed.get("bcr_members") or ()))
            and _starts(signed) <= t < self._end(signed, "instrument_ref", "InstrumentEnded", "ended_at")
        ]

    def certified(self, kind: str, org_id: str | None, t: datetime) -> bool:
        """Whether some certification is active at `t`: each begins an interval, an end closes what is open."""
        intervals: dict[datetime | None, tuple[Body, datetime]] = {}
        ends: list[datetime] = []
        for fact in self.references:
            if fact.get("org_id") != org_id or fact["type"] not in (kind, f"{kind}Ended"):
                continue
            if fact["type"] == kind and fact["status"] == "ACTIVE":
                intervals.pop(fact.get("valid_from"), None)
                later = [end for end in ends if end > _starts(fact)]
                intervals[fact.get("valid_from")] = fact, later[-1] if later else fact.get("valid_to") or FOREVER
            else:
                ends.append(fact.get("valid_from") or fact.get("valid_to") or fact["recorded_at"])
                for place, (key, (active, end)) in enumerate(list(intervals.items()), start=1):
                    if place == len(intervals) or ends[-1] < end:
                        intervals[key] = active, ends[-1]
        return any(_starts(active) <= t < end for active, end in intervals.values())

    def _end(self, fact: Body, reference: str, kind: str, name: str) -> datetime:
        """An end that was said after the statement, or comes after its start, else the one the statement has."""
        after = False
        end = fact.get("valid_to") or FOREVER
        for other in (*self.facts, *self.references):
            after = after or other is fact
            if other["type"] == kind and other[reference] == fact[reference]:
                said = other.get(name) or other["recorded_at"]
                end = said if after or said > _starts(fact) else end
        return end

    # --- the person ---

    def consents(self, subject: str, t: datetime) -> list[Body]:
        valid = []
        for consent in self.latest_of_each("ConsentGiven", "consent_ref"):
            given = consent.get("given_at")
            if given is None or not given < t or not t < (consent.get("expires_at") or FOREVER):
                continue
            ends = [
                end
                for fact in self.said("ConsentWithdrawn", consent_ref=consent["consent_ref"])
                if (end := fact.get("withdrawn_at") or fact["recorded_at"]) > given
                or self.facts.index(fact) > self.facts.index(consent)
            ]
            if (ends and t >= ends[-1]) or not self._may_consent(consent.get("given_by"), subject, given):
                continue
            valid.append(consent)
        return valid

    def _may_consent(self, giver: str | None, subject: str, at: datetime) -> bool:
        if giver in (None, subject):
            return True
        person = self.last("SubjectRegistered")
        born = person.get("birth_date") if person else None
        adult = born is not None and born.replace(year=born.year + 18) <= at.date()
        return any(
            mandate["representative"] == giver
            and _starts(mandate) <= at < self._end(mandate, "mandate_ref", "MandateRevoked", "revoked_at")
            and not (mandate["mandate_type"] == "PARENTAL" and adult)
            for mandate in self.latest_of_each("MandateGranted", "mandate_ref")
        )

    def emergency(self, ref: str | None) -> tuple[Body, datetime] | None:
        """The emergency with the instant at which the person was safe."""
        opened = self.last("EmergencyOpened", emergency_ref=ref) if ref else None
        if opened is None:
            return None
        start = opened.get("opened_at") or FOREVER
        closed = [
            end
            for fact in self.said("EmergencyClosed", emergency_ref=ref)
            if (end := fact.get("closed_at") or fact["recorded_at"]) > start
            or self.facts.index(fact) > self.facts.index(opened)
        ]
        return opened, closed[-1] if closed else FOREVER

    def enrolment(self, t: datetime) -> Body | None:
        latest = {(fact["employer_id"], fact["plan"]): fact for fact in self.said("EnrolmentRecorded")}
        return next((e for e in latest.values() if _starts(e) <= t < (e.get("valid_to") or FOREVER)), None)

    def fraud_case_end(self, case: Body) -> datetime:
        ended = [
            end
            for fact in self.said("FraudCaseClosed", case_ref=case["case_ref"])
            if (end := fact.get("closed_at") or fact["recorded_at"]) > case["opened_at"]
            or self.facts.index(fact) > self.facts.index(case)
        ]
        return ended[-1] if ended else case.get("closed_at") or FOREVER

    def application_open(self, ref: str | None, t: datetime) -> bool:
        opened = self.last("ApplicationOpened", application_ref=ref) if ref else None
        if opened is None or opened["opened_at"] is None or t < opened["opened_at"]:
            return False
        ended = [
            end
            for fact in self.said("ApplicationClosed", application_ref=ref)
            if (end := fact.get("closed_at") or fact["recorded_at"]) > opened["opened_at"]
            or self.facts.index(fact) > self.facts.index(opened)
        ]
        return not ended or t < ended[-1]

    def objected(self, purpose: str | None, t: datetime) -> bool:
        for objection in self.latest_of_each("ObjectionRaised", "objection_ref"):
            start = objection.get("effective_at") or objection.get("raised_at")
            ended = [
                end
                for fact in self.said("ObjectionResolved", objection_ref=objection["objection_ref"])
                if fact["outcome"]
                in (("WITHDRAWN",) if purpose in MARKETING else ("DISMISSED", "REJECTED", "WITHDRAWN"))
                and start is not None
                and (
                    (end := fact.get("resolved_at") or fact["recorded_at"]) > start
                    or self.facts.index(fact) > self.facts.index(objection)
                )
            ]
            of = objection.get("purposes")
            meant = MARKETING if purpose in MARKETING else {purpose}
            pending = start is not None and start <= t and not (ended and t >= ended[-1])
            if pending and (of is None or not meant.isdisjoint(of)):
                return True
        return False

    def health_revealing(self, item: str) -> bool:
        classified = self.last("DataItemClassified", data_item=item)
        return bool(classified["health_revealing"]) if classified else item in HEALTH_REVEALING

    # --- the law ---

    def adequate(self, country: str, org_id: str | None, purpose: str | None, t: datetime) -> bool | None:
        org = self.org(org_id)
        public = bool(org.get("public_body"))
        answers: list[bool | None] = []
        for decision_of, ref, scope, begin, end in ADEQUACY:
            ended = [
                fact["valid_to"] for fact in self.said("AdequacyDecisionEnded", country=country, decision_ref=ref)
            ]
            if decision_of != country or not begin <= t < min([end, *ended]):
                continue
            private_act = None if not org else not public
            answers.append(
                {
                    "all": True,
                    "doubtful": None,
                    "dpf": self.certified("DpfCertification", org_id, t),
                    "shield": self.certified("PrivacyShieldCertification", org_id, t),
                    "pipeda": False if public else org.get("pipeda"),
                    "appi": False if public else (private_act if org.get("appi") is None else org["appi"]),
                    "pipa": (True if org else None) if org.get("pipa") is None else org["pipa"],
                    "not immigration": purpose != "UK_IMMIGRATION",
                }[scope]
            )
        return True if True in answers else None if None in answers else False


def covers(scope: Mapping[str, Any] | None, name: str, wanted: set[str]) -> bool:
    """Whether a scope covers what is wanted; null is no limit, what nobody recognised covers nothing."""
    listed = (scope or {}).get(name)
    return listed is None or wanted <= set(listed) - {"OTHER", "UNKNOWN"}


def _starts(fact: Body) -> datetime:
    return fact.get("valid_from") or datetime(1800, 1, 1, tzinfo=UTC)
