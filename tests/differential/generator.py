"""Makes nasty streams of facts and events from a seed: nulls, UNKNOWN, boundary instants, odd countries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

INSTANTS = [
    datetime(2020, 1, 31, 22, 59, 59, 999_999, UTC),
    datetime(2020, 1, 31, 23, tzinfo=UTC),
    datetime(2020, 7, 15, 22, tzinfo=UTC),
    datetime(2020, 12, 31, 22, 59, 59, tzinfo=UTC),
    datetime(2020, 12, 31, 23, tzinfo=UTC),
    datetime(2021, 6, 27, 22, tzinfo=UTC),
    datetime(2021, 12, 16, 23, tzinfo=UTC),
    datetime(2023, 7, 9, 21, 59, 59, 999_999, UTC),
    datetime(2023, 7, 9, 22, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 3, 2, 10, tzinfo=UTC),
    datetime(2026, 3, 2, 10, 0, 0, 1, UTC),
    datetime(2026, 3, 2, 9, 59, 59, 999_999, UTC),
    datetime(2026, 3, 2, 14, tzinfo=UTC),
]
COUNTRIES = ["BE", "NL", "NO", "CH", "GB", "US", "CA", "JP", "KR", "IN", "KE", "GR", "EL", "UK", "AR", None]
CATEGORIES = ["IDENTITY", "CONTACT", "HEALTH_PHYSICAL", "HEALTH_MENTAL", "INJURY", "CLAIM", "CRIMINAL", "NATIONAL_ID"]
CATEGORIES += ["SOCIAL_PROFILE", "GENETIC", "UNKNOWN", "OTHER"]
ITEMS = ["NAME", "CLAIM_AMOUNT", "PROGNOSIS", "DIAGNOSIS_CODE", "SUBJECT_IDENTIFIER", "CASE_NUMBER", "FIRST_NAME"]
EMERGENCY_ITEMS = ["EVACUATION_ORIGIN_PLACE", "REPATRIATION_DESTINATION_PLACE", "MEDICAL_NEEDS_DURING_EMERGENCY"]
EMERGENCY_ITEMS += ["EVACUATION_OR_REPATRIATION_DATE", "SUBJECT_IDENTIFIER"]
PURPOSES = [
    "CLAIMS_HANDLING",
    "EMERGENCY_EVACUATION",
    "EMPLOYER_ADMINISTRATION",
    "MARKETING",
    "RESEARCH",
    "STATISTICS",
]
PURPOSES += ["UNDERWRITING", "FRAUD_PREVENTION", "AML_CTF", "UK_IMMIGRATION", "CONTRACT_ADMINISTRATION", "UNKNOWN"]
RECIPIENTS = [
    "EMPLOYER",
    "EMPLOYER_AGENT",
    "HEALTHCARE_PROVIDER",
    "IT_PROVIDER",
    "SUB_PROCESSOR",
    "SUPPLIER",
    "POLICE",
]
RECIPIENTS += ["FRAUD_INVESTIGATION_AGENCY", "COURT", "GOVERNMENT_BODY", "DATA_BROKER", "DATA_SUBJECT", "OTHER"]
RECIPIENTS += ["UNKNOWN", "GROUP_COMPANY"]
INSTRUMENTS = ["SCC_COMMISSION", "SCC_DPA", "BCR", "ADEQUACY_DECISION", "CERTIFICATION", "PUBLIC_BODY_INSTRUMENT"]
INSTRUMENTS += ["ART48_INTERNATIONAL_AGREEMENT", "NONE", "UNKNOWN", "DEROGATION_EXPLICIT_CONSENT"]
INSTRUMENTS += ["DEROGATION_VITAL_INTERESTS", "DEROGATION_CONTRACT", "DEROGATION_COMPELLING_INTEREST"]
INSTRUMENTS += ["DEROGATION_PUBLIC_INTEREST"]
ORGS = ["ORG-OWN", "ORG-A", "ORG-B", "ORG-EMPLOYER", "ORG-AGENT", "ORG-PUBLIC", "ORG-EPO", "ORG-NOBODY"]
SUBJECTS = [f"SUB-{number}" for number in range(6)]
BASES = ["CONTRACT_PERFORMANCE", "CONSENT", "EXPLICIT_CONSENT", "LEGAL_OBLIGATION", "LEGITIMATE_INTERESTS"]
BASES += ["VITAL_INTERESTS", "PUBLIC_TASK", "UNKNOWN"]


class Generator:
    """One stream of one controller."""

    def __init__(self, seed: int, controller: str) -> None:
        self.random = Random(seed)
        self.controller = controller
        self.number = 0
        self.said: dict[str, list[str]] = {"": []}

    def one(self, values: list[Any], *, absent: float = 0.0) -> Any:
        return None if self.random.random() < absent else self.random.choice(values)

    def some(self, values: list[Any], most: int) -> list[Any]:
        return self.random.sample(values, self.random.randint(0, most))

    def chance(self, likely: float) -> bool:
        return self.random.random() < likely

    def instant(self) -> datetime:
        instant: datetime = self.random.choice(INSTANTS)
        around = [timedelta(), timedelta(microseconds=1), -timedelta(microseconds=1), timedelta(hours=4)]
        return instant + self.random.choice(around) if self.chance(0.4) else instant

    def later(self, likely: float = 0.5) -> datetime | None:
        return self.instant() if self.chance(likely) else None

    # --- facts ---

    def person_fact(self) -> dict[str, Any]:
        subject, ref = self.one(SUBJECTS), self.one(["R-1", "R-2"])
        kind = self.one(_PERSON)
        return {**self._envelope(kind, subject), "subject": subject, **getattr(self, f"_{kind}")(subject, ref)}

    def reference(self) -> dict[str, Any]:
        kind = self.one(_REFERENCE)
        return {**self._envelope(kind), **getattr(self, f"_{kind}")(self.one(ORGS), self.one(["R-1", "R-2"]))}

    def _envelope(self, kind: str, subject: str = "") -> dict[str, Any]:
        """What every fact has; some correct an earlier one about the same person."""
        self.number += 1
        before = self.said.setdefault(subject, [])
        corrects = self.random.choice(before) if before and self.chance(0.08) else None
        before.append(f"F-{self.number}")
        return {"type": kind, "fact_id": before[-1], "controller_id": self.controller, "corrects": corrects}

    def _scope(self) -> dict[str, Any] | None:
        return self.one(
            [
                {
                    "recipient_org_ids": self.one([["ORG-EMPLOYER"], ["ORG-A", "ORG-AGENT"], []], absent=0.3),
                    "data_categories": self.one([["IDENTITY", "HEALTH_PHYSICAL", "CLAIM"], ["IDENTITY"]], absent=0.4),
                    "purposes": self.one([["CLAIMS_HANDLING", "EMPLOYER_ADMINISTRATION"], []], absent=0.5),
                    "countries": self.one([["IN"], ["US", "KE"]], absent=0.4),
                    "risk_informed": self.one([True, False], absent=0.3),
                }
            ],
            absent=0.1,
        )

    def _ConsentGiven(self, subject: str, ref: str) -> dict[str, Any]:
        giver = self.one([subject, subject, "PARENT-1", "STRANGER"], absent=0.3)
        return {
            "consent_ref": ref,
            "given_by": giver,
            "explicit": self.one([True, True, False], absent=0.1),
            "given_at": self.one(INSTANTS[:10], absent=0.05),
            "expires_at": self.later(0.2),
            "scope": self._scope(),
        }

    def _ConsentWithdrawn(self, subject: str, ref: str) -> dict[str, Any]:
        return {"consent_ref": ref, "withdrawn_at": self.later(0.9)}

    def _EmergencyOpened(self, subject: str, ref: str) -> dict[str, Any]:
        certification = {
            "immediate_effect": True,
            "serious_deterioration_if_untreated": self.one([True, True, True, False], absent=0.05),
            "life_threat": self.one([True, True, True, False]),
            "certifier_role": self.one(["PHYSICIAN", "MEDICAL_ADVISER", "PHYSICIAN", "NURSE"], absent=0.05),
            "certified_at": self.later(0.95),
        }
        return {
            "emergency_ref": ref,
            "emergency_type": self.one(["MEDICAL_EVACUATION", "MEDICAL_REPATRIATION", "OTHER"], absent=0.05),
            "opened_at": self.one(INSTANTS, absent=0.03),
            "subject_incapable": self.one([True, False], absent=0.3),
            "clinical_certification": self.one([certification], absent=0.1),
        }

    def _EmergencyClosed(self, subject: str, ref: str) -> dict[str, Any]:
        return {"emergency_ref": ref, "closed_at": self.later(0.9)}

    def _EnrolmentRecorded(self, subject: str, ref: str) -> dict[str, Any]:
        return {
            "employer_id": "ORG-EMPLOYER",
            "plan": "PLAN-1",
            "valid_from": self.later(),
            "valid_to": self.later(0.2),
            "country_of_work": self.one(["KE", "BE"], absent=0.2),
        }

    def _FraudCaseOpened(self, subject: str, ref: str) -> dict[str, Any]:
        return {
            "case_ref": ref,
            "claim_refs": self.some(["CLM-1", "CLM-2"], 2),
            "suspicion_documented": self.one([True, True, False], absent=0.1),
            "opened_at": self.later(0.95),
            "closed_at": self.later(0.2),
        }

    def _FraudCaseClosed(self, subject: str, ref: str) -> dict[str, Any]:
        return {"case_ref": ref, "closed_at": self.later(0.9)}

    def _ApplicationOpened(self, subject: str, ref: str) -> dict[str, Any]:
        return {"application_ref": ref, "opened_at": self.later(0.95)}

    def _ApplicationClosed(self, subject: str, ref: str) -> dict[str, Any]:
        return {"application_ref": ref, "closed_at": self.later(0.9)}

    def _ObjectionRaised(self, subject: str, ref: str) -> dict[str, Any]:
        return {
            "objection_ref": ref,
            "purposes": self.one([["MARKETING"], ["STATISTICS", "FRAUD_PREVENTION"]], absent=0.3),
            "raised_at": self.later(0.95),
            "effective_at": self.later(0.2),
        }

    def _ObjectionResolved(self, subject: str, ref: str) -> dict[str, Any]:
        return {
            "objection_ref": ref,
            "outcome": self.one(["UPHELD", "DISMISSED", "REJECTED"], absent=0.1),
            "resolved_at": self.later(0.9),
        }

    def _AuthorityRequestReceived(self, subject: str, ref: str) -> dict[str, Any]:
        return {"request_ref": ref, "scope_data_items": self.some(ITEMS, 4)}

    def _MandateGranted(self, subject: str, ref: str) -> dict[str, Any]:
        return {
            "mandate_ref": ref,
            "mandate_type": self.one(["PARENTAL", "OTHER"]),
            "representative": self.one(["PARENT-1", "STRANGER-2"]),
            "valid_from": self.later(),
            "valid_to": self.later(0.2),
        }

    def _MandateRevoked(self, subject: str, ref: str) -> dict[str, Any]:
        return {"mandate_ref": ref, "revoked_at": self.later(0.9)}

    def _SubjectRegistered(self, subject: str, ref: str) -> dict[str, Any]:
        return {"birth_date": self.one([date(2003, 7, 9), date(2008, 3, 2), date(2015, 1, 1)], absent=0.2)}

    # --- references ---

    def _OrganisationRegistered(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "org_id": org,
            "own_organisation": org == "ORG-OWN",
            "group_of": self.controller if org in ("ORG-OWN", "ORG-A") else None,
            "category": {"ORG-EMPLOYER": "EMPLOYER", "ORG-A": self.one(["SUPPLIER", "IT_PROVIDER"], absent=0.4)}.get(
                org, self.one(RECIPIENTS, absent=0.7)
            ),
            "establishment_country": self.one(COUNTRIES),
            "acts_for_employer_id": "ORG-EMPLOYER" if org == "ORG-AGENT" else None,
            "public_body": org == "ORG-PUBLIC" or self.one([True, False], absent=0.8),
            "international_organisation": org == "ORG-EPO" or None,
            **{act: self.one([True, False], absent=0.5) for act in ("pipeda", "appi", "pipa")},
        }

    def _AgreementSigned(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "agreement_ref": ref,
            "agreement_type": self.one(["DPA_ART28", "DPA_ART28", "SERVICE"]),
            "party_org_id": org,
            "signed_by_both": self.one([True, True, False], absent=0.1),
            "valid_from": self.later(),
            "valid_to": self.later(0.2),
            "scope": self.one([{"data_categories": ["IDENTITY", "CLAIM"]}, {"data_categories": None}], absent=0.5),
            "purposes": self.one([["CLAIMS_HANDLING"]], absent=0.6),
            "subprocessor_org_ids": self.some(ORGS[1:4], 1),
        }

    def _AgreementEnded(self, org: str, ref: str) -> dict[str, Any]:
        return {"agreement_ref": ref, "ended_at": self.later(0.9)}

    def _InstrumentSigned(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "instrument_ref": ref,
            "instrument": self.one(INSTRUMENTS[:5]),
            "module": self.one([1, 2, 3, 4], absent=0.1),
            "exporter_org_id": self.one(["ORG-OWN", "ORG-OWN", "ORG-B"]),
            "exporter_role": self.one(["CONTROLLER", "PROCESSOR"], absent=0.3),
            "importer_org_id": org,
            "importer_role": self.one(["CONTROLLER", "PROCESSOR", "SUB_PROCESSOR", "UNKNOWN"], absent=0.3),
            "signed_by_exporter_at": self.later(0.95),
            "signed_by_importer_at": self.one(INSTANTS[:5], absent=0.05),
            "valid_from": self.later(),
            "valid_to": self.later(0.2),
            "tia_ref": self.one(["TIA-1"], absent=0.2),
            "tia_date": self.one([date(2020, 1, 31), date(2025, 10, 15)], absent=0.3),
            "bcr_members": self.some(ORGS[:3], 3),
        }

    def _InstrumentEnded(self, org: str, ref: str) -> dict[str, Any]:
        return {"instrument_ref": ref, "ended_at": self.later(0.9)}

    def _DpfCertification(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "org_id": org,
            "status": self.one(["ACTIVE", "ACTIVE", "INACTIVE"]),
            "valid_from": self.later(0.9),
            "valid_to": self.later(0.2),
        }

    _PrivacyShieldCertification = _DpfCertification

    def _DpfCertificationEnded(self, org: str, ref: str) -> dict[str, Any]:
        return {"org_id": org, "valid_to": self.later(0.9)}

    def _RoleMatrixEntry(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "org_id": self.one(["ORG-OWN", "ORG-A"]),
            "role": "HANDLER",
            "data_categories": self.some(CATEGORIES[:8], 6),
            "purpose": self.one(PURPOSES[:4]),
            "decision": self.one(["ALLOW", "ALLOW", "ALLOW", "DENY"]),
            "valid_from": self.later(0.2),
            "valid_to": self.later(0.2),
        }

    def _TemplateRegistered(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "template": "EMPLOYER_MINIMUM",
            "plan": "PLAN-1",
            "purpose": self.one(PURPOSES[:3]),
            "data_items": self.some(ITEMS, 6),
        }

    def _DataItemClassified(self, org: str, ref: str) -> dict[str, Any]:
        return {"data_item": self.one([*ITEMS, "tenant:x"]), "health_revealing": self.one([True, False])}

    def _ConsentRuleSet(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "country_of_work": self.one(["KE", "BE"], absent=0.2),
            "data_category": self.one(["HEALTH_PHYSICAL", "CLAIM"], absent=0.2),
            "recipient_category": self.one(["IT_PROVIDER"], absent=0.6),
            "product": None,
            "result": self.one(["CONSENT_REQUIRED", "NOT_REQUIRED"]),
            "valid_from": self.later(),
            "valid_to": self.later(0.3),
        }

    def _LegitimateInterestAssessmentRecorded(self, org: str, ref: str) -> dict[str, Any]:
        return {
            "lia_ref": ref,
            "purpose": self.one(["MARKETING", "STATISTICS", "FRAUD_PREVENTION"]),
            "outcome": self.one(["PASSED", "PASSED", "FAILED"]),
            "valid_from": self.later(),
            "valid_to": self.later(0.2),
        }

    def _InternationalAgreementRegistered(self, org: str, ref: str) -> dict[str, Any]:
        return {"international_agreement_ref": ref, "valid_from": self.later(), "valid_to": self.later(0.3)}

    def _AdequacyDecisionEnded(self, org: str, ref: str) -> dict[str, Any]:
        country, decision = self.one([("CH", "2000/518/EC"), ("US", "(EU) 2023/1795"), ("JP", "(EU) 2019/419")])
        return {"country": country, "decision_ref": decision, "valid_to": datetime(2026, 3, 2, 10, tzinfo=UTC)}


_KINDS = [name[1:] for name in vars(Generator) if name[1:2].isupper()]
_FIRST_REFERENCE = _KINDS.index("OrganisationRegistered")
_PERSON, _REFERENCE = _KINDS[:_FIRST_REFERENCE], _KINDS[_FIRST_REFERENCE:]
