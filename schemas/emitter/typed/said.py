"""The methods of the emitter that say facts, one signature for each kind.

Made by `python -m inzage.schemas.emitter.declare`; do not edit.
"""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any, Literal, Unpack, overload

from inzage.schemas.emitter.typed import facts, references

# fmt: off

class Says:
    """Facts and references, said by the name of their kind."""

    @overload
    def fact(
        self, kind: Literal["ApplicationClosed"], /, *, subject: str, **said: Unpack[facts.ApplicationClosed]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["ApplicationOpened"], /, *, subject: str, **said: Unpack[facts.ApplicationOpened]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["AuthorityRequestReceived"], /, *, subject: str, **said: Unpack[facts.AuthorityRequestReceived]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["CaseAssigned"], /, *, subject: str, **said: Unpack[facts.CaseAssigned]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["CaseOpened"], /, *, subject: str, **said: Unpack[facts.CaseOpened]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["ConsentGiven"], /, *, subject: str, **said: Unpack[facts.ConsentGiven]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["ConsentWithdrawn"], /, *, subject: str, **said: Unpack[facts.ConsentWithdrawn]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["CoverTerminated"], /, *, subject: str, **said: Unpack[facts.CoverTerminated]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["DataErased"], /, *, subject: str, **said: Unpack[facts.DataErased]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["EmergencyClosed"], /, *, subject: str, **said: Unpack[facts.EmergencyClosed]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["EmergencyOpened"], /, *, subject: str, **said: Unpack[facts.EmergencyOpened]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["EnrolmentRecorded"], /, *, subject: str, **said: Unpack[facts.EnrolmentRecorded]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["FraudCaseClosed"], /, *, subject: str, **said: Unpack[facts.FraudCaseClosed]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["FraudCaseOpened"], /, *, subject: str, **said: Unpack[facts.FraudCaseOpened]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["LegalHoldPlaced"], /, *, subject: str, **said: Unpack[facts.LegalHoldPlaced]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["LegalHoldReleased"], /, *, subject: str, **said: Unpack[facts.LegalHoldReleased]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["MandateGranted"], /, *, subject: str, **said: Unpack[facts.MandateGranted]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["MandateRevoked"], /, *, subject: str, **said: Unpack[facts.MandateRevoked]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["ObjectionRaised"], /, *, subject: str, **said: Unpack[facts.ObjectionRaised]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["ObjectionResolved"], /, *, subject: str, **said: Unpack[facts.ObjectionResolved]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["ProductContracted"], /, *, subject: str, **said: Unpack[facts.ProductContracted]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RecordRegistered"], /, *, subject: str, **said: Unpack[facts.RecordRegistered]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RegisterEntryRecorded"], /, *, subject: str, **said: Unpack[facts.RegisterEntryRecorded]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RestrictionLifted"], /, *, subject: str, **said: Unpack[facts.RestrictionLifted]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RestrictionSet"], /, *, subject: str, **said: Unpack[facts.RestrictionSet]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RightsRequestExtended"], /, *, subject: str, **said: Unpack[facts.RightsRequestExtended]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RightsRequestFulfilled"], /, *, subject: str, **said: Unpack[facts.RightsRequestFulfilled]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["StaffSubjectLink"], /, *, subject: str, **said: Unpack[facts.StaffSubjectLink]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["SubjectInformed"], /, *, subject: str, **said: Unpack[facts.SubjectInformed]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["SubjectRegistered"], /, *, subject: str, **said: Unpack[facts.SubjectRegistered]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["NoticeDelivered"], /, *, subject: str, **said: Unpack[facts.NoticeDelivered]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["CoverStarted"], /, *, subject: str, **said: Unpack[facts.CoverStarted]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RightsRequestReceived"], /, *, subject: str, **said: Unpack[facts.RightsRequestReceived]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RightsRequestRefused"], /, *, subject: str, **said: Unpack[facts.RightsRequestRefused]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["CaseClosed"], /, *, subject: str, **said: Unpack[facts.CaseClosed]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["DataAnonymised"], /, *, subject: str, **said: Unpack[facts.DataAnonymised]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["EnrolmentEnded"], /, *, subject: str, **said: Unpack[facts.EnrolmentEnded]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["LegalHoldReviewed"], /, *, subject: str, **said: Unpack[facts.LegalHoldReviewed]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RecordingMade"], /, *, subject: str, **said: Unpack[facts.RecordingMade]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RecipientToBeTold"], /, *, subject: str, **said: Unpack[facts.RecipientToBeTold]
    ) -> str: ...
    @overload
    def fact(
        self, kind: Literal["RecipientNotified"], /, *, subject: str, **said: Unpack[facts.RecipientNotified]
    ) -> str: ...
    def fact(self, kind: str, /, *, subject: str, **said: Any) -> str:
        """Say a fact of this kind; returns its fact_id. Raises `ContractError` naming a field."""
        return self._say_fact(kind, {"subject": subject, **said})

    @overload
    def reference(
        self, kind: Literal["AdequacyDecisionEnded"], /, **said: Unpack[references.AdequacyDecisionEnded]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["AdequacyDecisionRegistered"], /, **said: Unpack[references.AdequacyDecisionRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["AgreementEnded"], /, **said: Unpack[references.AgreementEnded]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["AgreementSigned"], /, **said: Unpack[references.AgreementSigned]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["AnonymisationApproved"], /, **said: Unpack[references.AnonymisationApproved]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["AuthorityNotified"], /, **said: Unpack[references.AuthorityNotified]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["BreachRecorded"], /, **said: Unpack[references.BreachRecorded]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["BreakGlassReviewed"], /, **said: Unpack[references.BreakGlassReviewed]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["ChannelPolicySet"], /, **said: Unpack[references.ChannelPolicySet]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["ConsentRuleSet"], /, **said: Unpack[references.ConsentRuleSet]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["DataItemClassified"], /, **said: Unpack[references.DataItemClassified]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["DpfCertification"], /, **said: Unpack[references.DpfCertification]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["DpfCertificationEnded"], /, **said: Unpack[references.DpfCertificationEnded]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["EngagementRegistered"], /, **said: Unpack[references.EngagementRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["EntitlementRegistered"], /, **said: Unpack[references.EntitlementRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["InformationWallSet"], /, **said: Unpack[references.InformationWallSet]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["InstrumentEnded"], /, **said: Unpack[references.InstrumentEnded]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["InstrumentSigned"], /, **said: Unpack[references.InstrumentSigned]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["InternationalAgreementRegistered"], /, **said: Unpack[references.InternationalAgreementRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["LegalProvisionRegistered"], /, **said: Unpack[references.LegalProvisionRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["LegitimateInterestAssessmentRecorded"], /, **said: Unpack[references.LegitimateInterestAssessmentRecorded]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["MajorityAgeSet"], /, **said: Unpack[references.MajorityAgeSet]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["OrganisationRegistered"], /, **said: Unpack[references.OrganisationRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["PartnerRegistered"], /, **said: Unpack[references.PartnerRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["PolicyPackInForce"], /, **said: Unpack[references.PolicyPackInForce]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["PrivacyShieldCertification"], /, **said: Unpack[references.PrivacyShieldCertification]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["RetentionOverrideSet"], /, **said: Unpack[references.RetentionOverrideSet]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["RetentionRuleSet"], /, **said: Unpack[references.RetentionRuleSet]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["RoleMatrixEntry"], /, **said: Unpack[references.RoleMatrixEntry]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["StaffRegistered"], /, **said: Unpack[references.StaffRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["TemplateRegistered"], /, **said: Unpack[references.TemplateRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["TenantSetting"], /, **said: Unpack[references.TenantSetting]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["TransactionOpened"], /, **said: Unpack[references.TransactionOpened]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["SystemRegistered"], /, **said: Unpack[references.SystemRegistered]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["AccessCategoryDesignated"], /, **said: Unpack[references.AccessCategoryDesignated]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["NoticePublished"], /, **said: Unpack[references.NoticePublished]
    ) -> str: ...
    @overload
    def reference(
        self, kind: Literal["ProcessingRegistered"], /, **said: Unpack[references.ProcessingRegistered]
    ) -> str: ...
    def reference(self, kind: str, /, **said: Any) -> str:
        """Say a reference of this kind; returns its fact_id. Raises `ContractError` naming a field."""
        return self._say_fact(kind, said)

    def _say_fact(self, kind: str, said: dict[str, Any]) -> str:
        raise NotImplementedError
