"""What each fact about one data subject states.

Made by `python -m inzage.schemas.emitter.declare`; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypedDict

from inzage.schemas.emitter.typed.terms import (
    CaseType,
    DataCategory,
    EmergencyCloseReason,
    EmergencyType,
    HoldGround,
    MandateType,
    ObjectionOutcome,
    Purpose,
    RecordState,
    RefusalGround,
    RequestType,
    StaffLink,
    SubjectRelation,
)

# fmt: off

class Statement(TypedDict, total=False):
    """What every statement may carry."""
    fact_id: str | None
    recorded_at: datetime | str | None
    controller_id: str | None
    corrects: str | None | None

class ApplicationClosed(Statement, total=False):
    """Application closed."""
    application_ref: str | None
    closed_at: datetime | str | None
    outcome: str | None

class ApplicationOpened(Statement, total=False):
    """Application opened."""
    application_ref: str | None
    product: str | None
    opened_at: datetime | str | None
    partner_org_id: str | None
    initiated_by: str | None

class AuthorityRequestReceived(Statement, total=False):
    """Authority request received."""
    request_ref: str | None
    requester_org_id: str | None
    scope_data_items: Sequence[str]
    received_at: datetime | str | None

class CaseAssigned(Statement, total=False):
    """Case assigned."""
    case_ref: str | None
    actor_id: str | None
    assigned_at: datetime | str | None

class CaseOpened(Statement, total=False):
    """Case opened."""
    case_ref: str | None
    case_type: CaseType | None
    opened_at: datetime | str | None
    closed_at: datetime | str | None
    assigned_actor_ids: Sequence[str]
    provider_org_ids: Sequence[str]

class ConsentScope(TypedDict, total=False):
    """What a consent covers; null is no limit of that kind, an empty list covers nothing."""
    recipient_org_ids: Sequence[str] | None
    data_categories: Sequence[DataCategory] | None
    purposes: Sequence[Purpose] | None
    countries: Sequence[str] | None
    risk_informed: bool | None

class ConsentGiven(Statement, total=False):
    """Consent given."""
    consent_ref: str | None
    given_by: str | None
    explicit: bool | None
    given_at: datetime | str | None
    expires_at: datetime | str | None
    scope: ConsentScope | None
    evidence_ref: str | None

class ConsentWithdrawn(Statement, total=False):
    """Consent withdrawn."""
    consent_ref: str | None
    withdrawn_at: datetime | str | None

class CoverTerminated(Statement, total=False):
    """Cover terminated."""
    instructed_by: str | None
    terminated_at: datetime | str | None
    run_off: str | None
    service_ref: str | None

class DataErased(Statement, total=False):
    """Data erased."""
    record_id: str | None
    erased_at: datetime | str | None

class EmergencyClosed(Statement, total=False):
    """Emergency closed."""
    emergency_ref: str | None
    closed_at: datetime | str | None
    reason: EmergencyCloseReason | None

class ClinicalCertification(TypedDict, total=False):
    """The three criteria of an emergency, as certified."""
    immediate_effect: bool | None
    serious_deterioration_if_untreated: bool | None
    life_threat: bool | None
    certifier_id: str | None
    certifier_role: str | None
    certified_at: datetime | str | None

class EmergencyOpened(Statement, total=False):
    """Emergency opened."""
    emergency_ref: str | None
    emergency_type: EmergencyType | None
    opened_at: datetime | str | None
    subject_incapable: bool | None
    location_country: str | None
    clinical_certification: ClinicalCertification | None

class EnrolmentRecorded(Statement, total=False):
    """Enrolment recorded."""
    employer_id: str | None
    plan: str | None
    relation: SubjectRelation | None
    policyholder: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    country_of_work: str | None
    role_linked_eligibility: bool | None
    service_ref: str | None

class FraudCaseClosed(Statement, total=False):
    """Fraud case closed."""
    case_ref: str | None
    closed_at: datetime | str | None

class FraudCaseOpened(Statement, total=False):
    """Fraud case opened."""
    case_ref: str | None
    claim_refs: Sequence[str]
    suspicion_documented: bool | None
    opened_at: datetime | str | None
    closed_at: datetime | str | None
    approved_by: str | None

class LegalHoldPlaced(Statement, total=False):
    """Legal hold placed."""
    hold_ref: str | None
    record_id: str | None
    matter_ref: str | None
    ground: HoldGround | None
    placed_at: datetime | str | None
    review_at: datetime | str | None
    matter_type: str | None
    status: str | None

class LegalHoldReleased(Statement, total=False):
    """Legal hold released."""
    hold_ref: str | None
    released_at: datetime | str | None

class MandateGranted(Statement, total=False):
    """Mandate granted."""
    mandate_ref: str | None
    mandate_type: MandateType | None
    representative: str | None
    formal: bool | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    scope_data_categories: Sequence[DataCategory] | None
    evidence_ref: str | None

class MandateRevoked(Statement, total=False):
    """Mandate revoked."""
    mandate_ref: str | None
    revoked_at: datetime | str | None

class ObjectionRaised(Statement, total=False):
    """Objection raised."""
    objection_ref: str | None
    purposes: Sequence[Purpose] | None
    raised_at: datetime | str | None
    effective_at: datetime | str | None

class ObjectionResolved(Statement, total=False):
    """Objection resolved."""
    objection_ref: str | None
    outcome: ObjectionOutcome | None
    resolved_at: datetime | str | None

class ProductContracted(Statement, total=False):
    """Product contracted."""
    product_ref: str | None
    product: str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None

class RecordRegistered(Statement, total=False):
    """Record registered."""
    record_id: str | None
    data_category: DataCategory | None
    retention_rule_id: str | None
    retention_until: str | None
    state: RecordState | None

class RegisterEntryRecorded(Statement, total=False):
    """Register entry recorded."""
    entry_ref: str | None
    register: str | None
    entered_at: datetime | str | None
    expires_at: datetime | str | None

class RestrictionLifted(Statement, total=False):
    """Restriction lifted."""
    restriction_ref: str | None
    lifted_at: datetime | str | None

class RestrictionSet(Statement, total=False):
    """Restriction set."""
    restriction_ref: str | None
    scope: str | None
    set_at: datetime | str | None

class RightsRequestExtended(Statement, total=False):
    """Rights request extended."""
    request_ref: str | None
    extended_at: datetime | str | None
    reason: str | None
    notified: bool | None

class RightsRequestFulfilled(Statement, total=False):
    """Rights request fulfilled."""
    request_ref: str | None
    fulfilled_at: datetime | str | None

class StaffSubjectLink(Statement, total=False):
    """Staff subject link."""
    actor_id: str | None
    link: StaffLink | None

class SubjectInformed(Statement, total=False):
    """Subject informed."""
    request_ref: str | None
    informed_at: datetime | str | None

class SubjectRegistered(Statement, total=False):
    """Subject registered."""
    home_country: str | None
    residence_country: str | None
    birth_date: date | str | None
    vip: bool | None

class NoticeDelivered(Statement, total=False):
    """Notice delivered."""
    notice_version: str | None
    delivered_at: datetime | str | None
    sources: Sequence[str]

class CoverStarted(Statement, total=False):
    """Cover started."""
    started_at: datetime | str | None
    service_ref: str | None

class RightsRequestReceived(Statement, total=False):
    """Rights request received."""
    request_ref: str | None
    request_type: RequestType | None
    received_at: datetime | str | None
    channel: str | None
    identity_verified: bool | None
    destination_org_id: str | None

class RightsRequestRefused(Statement, total=False):
    """Rights request refused."""
    request_ref: str | None
    refused_at: datetime | str | None
    ground: RefusalGround | None

class CaseClosed(Statement, total=False):
    """Case closed."""
    case_ref: str | None
    closed_at: datetime | str | None
    outcome: str | None

class DataAnonymised(Statement, total=False):
    """Data anonymised."""
    record_id: str | None
    anonymised_at: datetime | str | None

class EnrolmentEnded(Statement, total=False):
    """Enrolment ended."""
    service_ref: str | None
    valid_to: datetime | str | None

class LegalHoldReviewed(Statement, total=False):
    """Legal hold reviewed."""
    hold_ref: str | None
    reviewed_at: datetime | str | None

class RecordingMade(Statement, total=False):
    """Recording made."""
    recording_ref: str | None
    made_at: datetime | str | None

class RecipientToBeTold(Statement, total=False):
    """A recipient that had data which were rectified, erased or restricted, GDPR 19."""
    request_ref: str | None
    org_id: str | None
    change: RequestType | None
    owed_from: datetime | str | None
    disproportionate: bool | None

class RecipientNotified(Statement, total=False):
    """A recipient was told of a rectification, erasure or restriction, GDPR 19."""
    request_ref: str | None
    org_id: str | None
    notified_at: datetime | str | None
