"""What an upstream system can state about an activity.

Made by `python -m inzage.schemas.emitter.declare`; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from inzage.schemas.emitter.typed.terms import (
    Action,
    ActorType,
    AuthStrength,
    AutomationLevel,
    Channel,
    CollectionContext,
    ContactRole,
    DataCategory,
    DataItem,
    DataState,
    DecisionEffect,
    DecisionOutcome,
    DecisionType,
    Direction,
    DisclosureGround,
    EmploymentType,
    FeeGround,
    ItemProvenance,
    LegalBasis,
    Outcome,
    Purpose,
    RecipientCategory,
    RecipientRole,
    RecordState,
    RefusalGround,
    RegisterResult,
    RegisterType,
    RequestType,
    ResponseFormat,
    Severity,
    SourceType,
    SpecialBasis,
    TemplateClass,
    TransferInstrument,
    TransferReason,
)

# fmt: off

class Actor(TypedDict, total=False):
    """Who acted, as a pseudonym, and from where (NEN 7513, EDPB 05/2021)."""
    id: str | None
    type: ActorType | None
    role: str | None
    function: str | None
    department: str | None
    unit: str | None
    org_id: str | None
    supplier_org_id: str | None
    employment_type: EmploymentType | None
    on_behalf_of: str | None
    access_country: str | None
    auth_strength: AuthStrength | None

class Recipient(TypedDict, total=False):
    """To whom data were disclosed or made available."""
    org_id: str | None
    person: str | None
    contact_role: ContactRole | None
    category: RecipientCategory | None
    role: RecipientRole | None
    acts_for_employer_id: str | None
    establishment_country: str | None
    processing_country: str | None
    processing_countries: Sequence[str]
    international_organisation: str | None
    agreement_ref: str | None

class Transfer(TypedDict, total=False):
    """A transfer to a third country or international organisation, GDPR chapter V."""
    destination_country: str | None
    destination_organisation: str | None
    instrument: TransferInstrument | None
    instrument_ref: str | None
    tia_ref: str | None
    reason: TransferReason | None
    risk_informed: bool | None
    subject_incapable: bool | None
    exporter_org_id: str | None
    exporter_role: RecipientRole | None

class Record(TypedDict, total=False):
    """The record in the upstream system that was touched."""
    record_id: str | None
    unit: str | None
    state: RecordState | None

class Approver(TypedDict, total=False):
    """Who approved."""
    id: str | None
    role: str | None
    unit: str | None

class Response(TypedDict, total=False):
    """The answer to a request of a data subject."""
    format: ResponseFormat | None

Template = TypedDict("Template", {"class": TemplateClass | None}, total=False)

class ActivityFields(TypedDict, total=False):
    """What an activity can state, beside whose data it is."""
    event_id: str
    schema_version: str
    occurred_at: datetime | str
    recorded_at: datetime | str
    ended_at: datetime | str | None
    trace_id: str | None
    corrects: str | None
    batch_ref: str | None
    outcome: Outcome
    action: Action
    actor: Actor
    recipient: Recipient | None
    transfer: Transfer | None
    record: Record | None
    data_categories: Sequence[DataCategory]
    data_items: Sequence[DataItem | str]
    special_category: bool | None
    data_state: DataState | None
    record_count: int | None
    purpose: Purpose | None
    legal_basis: LegalBasis | None
    special_basis: SpecialBasis | None
    art10_basis: str | None
    legal_provision_ref: str | None
    case_ref: str | None
    service_ref: str | None
    consent_ref: str | None
    emergency_ref: str | None
    channel: Channel | None
    direction: Direction | None
    break_glass: bool | None
    notice_version: str | None
    aggregation_level: str | None
    anonymisation_ref: str | None
    application_ref: str | None
    approver: Approver | None
    arrangement_ref: str | None
    attachments: Sequence[str]
    automation_level: AutomationLevel | None
    aware_at: datetime | str | None
    break_glass_reason: str | None
    campaign_id: str | None
    cell_sizes: Sequence[int]
    claim_refs: Sequence[str]
    confirmed_at: datetime | str | None
    contest_offered: bool | None
    context: CollectionContext | None
    criteria_met: bool | None
    deal_id: str | None
    decision_outcome: DecisionOutcome | None
    decision_type: DecisionType | None
    deferral_ref: str | None
    disclosure_ground: DisclosureGround | None
    effect: DecisionEffect | None
    employer_id: str | None
    engagement_ref: str | None
    entered_at: datetime | str | None
    entitlement_ref: str | None
    entry_ref: str | None
    expires_at: datetime | str | None
    explicit_consent_ref: str | None
    fee_amount: float | None
    fee_ground: FeeGround | None
    filter: str | None
    follow_up_ref: str | None
    free_text: bool | None
    human_reviewer_id: str | None
    identity_verified: bool | None
    incident_ref: str | None
    international_agreement_ref: str | None
    item_provenance: Sequence[ItemProvenance]
    lia_ref: str | None
    logic_version: str | None
    mandate_ref: str | None
    matched_data_state: DataState | None
    matter_ref: str | None
    missing_items: Sequence[str]
    necessity_note: str | None
    notified_subject_at: datetime | str | None
    product: str | None
    product_ref: str | None
    proportionality_ref: str | None
    reason_codes: Sequence[str]
    reason_ref: str | None
    receivable_ref: str | None
    redaction_attested: bool | None
    refusal_ground: RefusalGround | None
    register: str | None
    register_id: str | None
    register_ref: str | None
    register_result: RegisterResult | None
    register_type: RegisterType | None
    request_ref: str | None
    request_type: RequestType | None
    requester: str | None
    response: Response | None
    retention_until: datetime | str | None
    review_at: datetime | str | None
    review_ended: datetime | str | None
    review_started: datetime | str | None
    rows: int | None
    severity: Severity | None
    source_id: str | None
    source_type: SourceType | None
    statutory_archive_ground: str | None
    target_system: str | None
    template: Template | None
    ticket_ref: str | None
    violation_ref: str | None
