"""What each fact about organisations, agreements and law states.

Made by `python -m inzage.schemas.emitter.declare`; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypedDict

from inzage.schemas.emitter.typed.terms import (
    AgreementType,
    AssessmentOutcome,
    CertificationStatus,
    ConsentRuleResult,
    DataCategory,
    MatrixDecision,
    Purpose,
    RecipientCategory,
    RecipientRole,
    TransactionStage,
    TransferInstrument,
)

# fmt: off

class Statement(TypedDict, total=False):
    """What every statement may carry."""
    fact_id: str | None
    recorded_at: datetime | str | None
    controller_id: str | None
    corrects: str | None | None

class AdequacyDecisionEnded(Statement, total=False):
    """Adequacy decision ended."""
    country: str | None
    decision_ref: str | None
    valid_to: datetime | str | None

class AdequacyDecisionRegistered(Statement, total=False):
    """Adequacy decision registered."""
    country: str | None
    decision_ref: str | None
    scope_predicate: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class AgreementEnded(Statement, total=False):
    """Agreement ended."""
    agreement_ref: str | None
    ended_at: datetime | str | None

class AgreementScope(TypedDict, total=False):
    """What an agreement covers."""
    data_categories: Sequence[DataCategory] | None
    data_items: Sequence[str] | None

class AgreementSigned(Statement, total=False):
    """Agreement signed."""
    agreement_ref: str | None
    agreement_type: AgreementType | None
    party_org_id: str | None
    signed_by_both: bool | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    scope: AgreementScope | None
    purposes: Sequence[Purpose] | None
    subprocessor_org_ids: Sequence[str]
    data_residency_countries: Sequence[str]

class AnonymisationApproved(Statement, total=False):
    """Anonymisation approved."""
    anonymisation_ref: str | None
    dataset_id: str | None
    method: str | None
    k: int | None
    approved_by: str | None

class AuthorityNotified(Statement, total=False):
    """Authority notified."""
    breach_ref: str | None
    notified_at: datetime | str | None
    authority: str | None
    delay_reasons: str | None

class BreachRecorded(Statement, total=False):
    """Breach recorded."""
    violation_ref: str | None
    breach_ref: str | None
    decided_at: datetime | str | None
    notifiable: bool | None
    high_risk: bool | None

class BreakGlassReviewed(Statement, total=False):
    """Break glass reviewed."""
    event_id: str | None
    reviewed_by: str | None
    reviewed_at: datetime | str | None

class ChannelPolicySet(Statement, total=False):
    """Channel policy set."""
    approved_secure_channels: Sequence[str]
    valid_from: datetime | str | None

class ConsentRuleSet(Statement, total=False):
    """Consent rule set."""
    country_of_work: str | None
    data_category: DataCategory | None
    recipient_category: RecipientCategory | None
    product: str | None
    result: ConsentRuleResult | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class DataItemClassified(Statement, total=False):
    """Data item classified."""
    data_item: str
    data_category: DataCategory | None
    health_revealing: bool | None

class DpfCertification(Statement, total=False):
    """Dpf certification."""
    org_id: str | None
    status: CertificationStatus | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class DpfCertificationEnded(Statement, total=False):
    """Dpf certification ended."""
    org_id: str | None
    valid_to: datetime | str | None

class EngagementRegistered(Statement, total=False):
    """Engagement registered."""
    engagement_ref: str | None
    party_org_id: str | None
    matter: str | None
    confidentiality: bool | None
    scope_data_categories: Sequence[DataCategory] | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class EntitlementRegistered(Statement, total=False):
    """Entitlement registered."""
    entitlement_ref: str | None
    source_id: str | None
    ground: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class InformationWallSet(Statement, total=False):
    """Information wall set."""
    from_unit: str | None
    to_unit: str | None
    data_category: DataCategory | None
    decision: MatrixDecision | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class InstrumentEnded(Statement, total=False):
    """Instrument ended."""
    instrument_ref: str | None
    ended_at: datetime | str | None

class InstrumentSigned(Statement, total=False):
    """Instrument signed."""
    instrument_ref: str | None
    instrument: TransferInstrument | None
    module: int | None
    exporter_org_id: str | None
    exporter_role: RecipientRole | None
    importer_org_id: str | None
    importer_role: RecipientRole | None
    signed_by_exporter_at: datetime | str | None
    signed_by_importer_at: datetime | str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    tia_ref: str | None
    tia_date: date | str | None
    approved_by: str | None
    bcr_members: Sequence[str]
    supplementary_measures: str | None

class InternationalAgreementRegistered(Statement, total=False):
    """International agreement registered."""
    international_agreement_ref: str | None
    parties: Sequence[str]
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class LegalProvisionRegistered(Statement, total=False):
    """Legal provision registered."""
    legal_provision_ref: str | None
    jurisdiction: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    entitles_national_id_recipients: bool | None
    national_id_recipients: Sequence[str]

class LegitimateInterestAssessmentRecorded(Statement, total=False):
    """Legitimate interest assessment recorded."""
    lia_ref: str | None
    purpose: Purpose | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    outcome: AssessmentOutcome | None

class MajorityAgeSet(Statement, total=False):
    """Majority age set."""
    country: str | None
    age_years: int | None

class OrganisationRegistered(Statement, total=False):
    """Organisation registered."""
    org_id: str | None
    own_organisation: bool | None
    group_of: str | None
    category: RecipientCategory | None
    establishment_country: str | None
    acts_for_employer_id: str | None
    pipeda: bool | None
    public_body: bool | None
    international_organisation: bool | None
    appi: bool | None
    pipa: bool | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class PartnerRegistered(Statement, total=False):
    """Partner registered."""
    partner_org_id: str | None
    product: str | None
    published: bool | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class PolicyPackInForce(Statement, total=False):
    """Policy pack in force."""
    pack: str | None
    version: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class PrivacyShieldCertification(Statement, total=False):
    """Privacy shield certification."""
    org_id: str | None
    status: CertificationStatus | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class RetentionOverrideSet(Statement, total=False):
    """Retention override set."""
    record_id: str | None
    governing_law: str | None
    source: str | None
    approver: str | None
    reason: str | None

class RetentionRuleSet(Statement, total=False):
    """Retention rule set."""
    data_category: DataCategory | None
    period: str | None
    retention_rule_id: str | None
    start_event: str | None
    purpose: Purpose | None
    product: str | None
    set_by: str | None
    approved_at: datetime | str | None

class RoleMatrixEntry(Statement, total=False):
    """Role matrix entry."""
    org_id: str | None
    role: str | None
    data_categories: Sequence[DataCategory]
    purpose: Purpose | None
    decision: MatrixDecision | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class StaffRegistered(Statement, total=False):
    """Staff registered."""
    actor_id: str | None
    org_id: str | None
    unit: str | None
    role: str | None
    employment_from: datetime | str | None
    employment_to: datetime | str | None
    confidentiality_signed_at: datetime | str | None

class TemplateRegistered(Statement, total=False):
    """Template registered."""
    template: str | None
    plan: str | None
    purpose: Purpose | None
    data_items: Sequence[str]
    partner_org_id: str | None
    product: str | None

class TenantSetting(Statement, total=False):
    """Tenant setting."""
    key: str | None
    value: str | None

class TransactionOpened(Statement, total=False):
    """Transaction opened."""
    deal_id: str | None
    stage: TransactionStage | None
    selected_party_org_ids: Sequence[str]
    nda: bool | None
    opened_at: datetime | str | None
    closed_at: datetime | str | None
    approved_by: str | None

class SystemRegistered(Statement, total=False):
    """A system in which personal data may be kept or looked up."""
    system: str | None
    role: str | None
    approved: bool | None
    max_silence: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class AccessCategoryDesignated(Statement, total=False):
    """A category of persons designated as having access to health data, under Belgian law."""
    role: str | None
    description: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class NoticePublished(Statement, total=False):
    """A version of a privacy notice, of the controller or for one country."""
    notice_version: str | None
    country: str | None
    material: bool | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class ProcessingRegistered(Statement, total=False):
    """A line of the record of processing activities, GDPR 30(1)."""
    processing_ref: str | None
    purpose: Purpose | None
    data_categories: Sequence[DataCategory]
    recipient_categories: Sequence[RecipientCategory]
    countries: Sequence[str]
    valid_from: datetime | str | None
    valid_to: datetime | str | None
