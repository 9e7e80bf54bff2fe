"""What the entries of the Cigna notice say of an event: a second reading of the catalogue, without the SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.differential.lists import (
    CIGNA_CATEGORIES,
    CIGNA_PURPOSES,
    CIGNA_RECIPIENTS,
    ISO_COUNTRIES,
)
from tests.differential.three import Truth, among, both, either, no
from tests.differential.transfer import CLAUSES, bcr_ok, derogation_ok, incapable, instrument_ok, safeguard_real
from tests.differential.view import Seen

Check = Callable[[Seen], Truth]
MARKETING = {"MARKETING", "DIRECT_MARKETING", "ADVERTISING"}
POLICE = {"POLICE", "LAW_ENFORCEMENT", "COURT"}
PROCESSOR_CATEGORIES = {"IT_PROVIDER", "HOSTING_PROVIDER", "ARCHIVE_PROVIDER", "TRANSLATOR", "OUTSOURCER"}
EMERGENCY_ITEMS = {
    "EVACUATION_OR_REPATRIATION_DATE",
    "CONDITIONS_CAUSING_EVACUATION",
    "MEDICAL_NEEDS_DURING_EMERGENCY",
    "SUBJECT_IDENTIFIER",
}


# --- Cigna: data, purpose, basis ---


def cigna_06(e: Seen) -> Truth:
    return None if not e.categories_known else not e.categories <= CIGNA_CATEGORIES


def cigna_13(e: Seen) -> Truth:
    return both(e.health, either(e["special_basis"] is None, no(e.role_allowed)))


def cigna_21(e: Seen) -> Truth:
    return e["purpose"] is None or e["purpose"] not in CIGNA_PURPOSES


def cigna_26(e: Seen) -> Truth:
    return both(
        among(e["event_type"], {"DecisionEvent"}),
        among(e["decision_type"], {"ENROLMENT", "COVERAGE", "CLAIM", "GUARANTEE"}),
        among(e["automation_level"], {"SOLELY_AUTOMATED"}),
    )


def cigna_37(e: Seen) -> Truth:
    announced = {"CONTRACT_PERFORMANCE", "PRE_CONTRACT", "LEGAL_OBLIGATION", "LEGITIMATE_INTERESTS"}
    if e["legal_basis"] in announced | {"CONSENT", "EXPLICIT_CONSENT"}:
        return False
    return not (e["legal_basis"] == "VITAL_INTERESTS" and e["purpose"] == "EMERGENCY_EVACUATION")


def cigna_38(e: Seen) -> Truth:
    return (e.special and e["special_basis"] is None) or (e.consent_required and not e.consent_under_rule)


def cigna_90(e: Seen) -> Truth:
    return either(among(e["purpose"], MARKETING), e["campaign_id"] is not None)


def cigna_91(e: Seen) -> Truth:
    alone = either(e["human_reviewer_id"] is None, among(e["automation_level"], {"SOLELY_AUTOMATED"}))
    return both(among(e["event_type"], {"DecisionEvent"}), among(e["effect"], {"LEGAL_OR_SIGNIFICANT"}), alone)


def cigna_92(e: Seen) -> Truth:
    named = e["consent_ref"] is not None
    derogation = e["transfer.instrument"] == "DEROGATION_EXPLICIT_CONSENT"
    return either(
        both(e.on_consent, either(not named, no(e.consent_covers))),
        derogation and not (named and e.risk_informed_consent),
    )


def cigna_92_warned(e: Seen) -> Truth:
    return both(e.on_consent, no(e.to_employer), not e.consent_required)


# --- Cigna: recipients ---


def cigna_40(e: Seen) -> Truth:
    noted = e.category == "OTHER" and e["necessity_note"] is not None
    return both(e.third_party, no(among(e.category, CIGNA_RECIPIENTS)), not noted)


def cigna_40_warned(e: Seen) -> Truth:
    return e.third_party and e.category == "OTHER"


def cigna_41(e: Seen) -> Truth:
    return both(e.actor_group, no(e.role_allowed))


def cigna_44(e: Seen) -> Truth:
    processor = among(e.category, PROCESSOR_CATEGORIES | {"SUB_PROCESSOR"})
    signed = e.world.processor_agreements(e.org, e.t)
    covered: Truth = any(
        ((a.get("scope") or {}).get("data_categories") is None or e.categories <= set(a["scope"]["data_categories"]))
        and (a.get("purposes") is None or e["purpose"] in a["purposes"])
        for a in signed
    )
    if not e.categories_known or e["purpose"] is None:
        covered = None if signed else False
    return both(e.third_party, processor, not e.world.listed_as_subprocessor(e.org, e.t), no(covered))


def cigna_46(e: Seen) -> Truth:
    cases = [
        case
        for case in e.world.latest_of_each("FraudCaseOpened", "case_ref")
        if case["suspicion_documented"] is True
        and case["opened_at"] is not None
        and case["opened_at"] <= e.t < e.world.fraud_case_end(case)
        and set(e["claim_refs"]) <= set(case["claim_refs"])
    ]
    agreement = bool(e.world.processor_agreements(e.org, e.t))
    return both(e.third_party, among(e.category, {"FRAUD_INVESTIGATION_AGENCY"}), not (cases and agreement))


def cigna_48(e: Seen) -> Truth:
    ground = e["disclosure_ground"]
    return both(
        e.third_party,
        among(e.category, POLICE),
        either(
            ground is None,
            e["approver.role"] not in ("LEGAL", "DPO"),
            ground == "LEGAL_OBLIGATION" and e["legal_provision_ref"] is None,
            both(e.goes_outside, e["transfer.instrument"] in (None, "NONE")),
        ),
    )


def emergency_disclosure(e: Seen) -> Truth:
    return both(e.to_employer, e["purpose"] == "EMERGENCY_EVACUATION" or e["emergency_ref"] is not None)


def cigna_54(e: Seen) -> Truth:
    plan = (e.world.enrolment(e.t) or {}).get("plan")
    templates = [
        t
        for t in e.world.said("TemplateRegistered", plan=plan, purpose=e["purpose"])
        if t["template"].startswith("EMPLOYER")
    ]
    allowed = set(templates[-1]["data_items"]) if templates and plan and e["purpose"] else set()
    beyond = None if not e.items or not allowed else not set(e.items) <= allowed
    if e.group_report or (not e.items and (e["cell_sizes"] or e["aggregation_level"] is not None)):
        beyond = False
    return either(both(e.to_employer, no(emergency_disclosure(e)), beyond), any(n < 10 for n in e["cell_sizes"]))


def cigna_55(e: Seen) -> Truth:
    exception = both(
        emergency_disclosure(e), *(no(check(e)) for check in (cigna_56, cigna_57, cigna_60)), cigna_59(e) is False
    )
    return both(e.to_employer, not e.group_report, e.health, no(e.consent_to_recipient), no(exception))


def cigna_56(e: Seen) -> Truth:
    found = e.world.emergency(e["emergency_ref"])
    kinds = ("MEDICAL_EVACUATION", "MEDICAL_REPATRIATION")
    begun = found is not None and found[0]["emergency_type"] in kinds and found[0]["opened_at"] is not None
    return both(emergency_disclosure(e), not (begun and found is not None and found[0]["opened_at"] <= e.t))


def cigna_56_warned(e: Seen) -> Truth:
    return both(emergency_disclosure(e), incapable(e) is False, no(e.consent_to_recipient))


def cigna_57(e: Seen) -> Truth:
    found = e.world.emergency(e["emergency_ref"])
    if found is None:
        return both(emergency_disclosure(e), False)
    certificate = found[0].get("clinical_certification") or {}
    met = all(
        certificate.get(name) is True
        for name in ("immediate_effect", "serious_deterioration_if_untreated", "life_threat")
    )
    at = certificate.get("certified_at")
    by_physician = certificate.get("certifier_role") in ("PHYSICIAN", "MEDICAL_ADVISER")
    return both(
        emergency_disclosure(e), not (met and by_physician and at is not None and at <= e.t + timedelta(hours=4))
    )


def cigna_59(e: Seen) -> Truth:
    found = e.world.emergency(e["emergency_ref"])
    kind = found[0]["emergency_type"] if found else None
    allowed = set(EMERGENCY_ITEMS)
    allowed |= {"EVACUATION_ORIGIN_PLACE"} if kind != "MEDICAL_REPATRIATION" else set()
    allowed |= {"REPATRIATION_DESTINATION_PLACE"} if kind != "MEDICAL_EVACUATION" else set()
    return both(emergency_disclosure(e), None if not e.items else not set(e.items) <= allowed)


def cigna_60(e: Seen) -> Truth:
    found = e.world.emergency(e["emergency_ref"])
    end = e["ended_at"] or e.t
    return both(emergency_disclosure(e), found is not None and (e.t >= found[1] or end > found[1]))


# --- Cigna: transfers ---


def cigna_65(e: Seen) -> Truth:
    countries = [e.establishment, *e.processing]
    return e.third_party and (not e.processing or any(c not in ISO_COUNTRIES for c in countries))


def cigna_66(e: Seen) -> Truth:
    country = e["actor.access_country"]
    return both(e.outsider, None if country is None else not e.in_eea(country), not e.has_transfer)


def cigna_68(e: Seen) -> Truth:
    return both(e["transfer.instrument"] == "ADEQUACY_DECISION", e.goes_outside, no(e.adequate))


def cigna_69(e: Seen) -> Truth:
    unnamed = not e.has_recipient and not e.outsider_look and e.has_transfer
    return both(e.third_party or unnamed, e.goes_outside, no(e.adequate), no(instrument_ok(e)))


def cigna_70(e: Seen) -> Truth:
    kind = e["transfer.instrument"]
    return both(kind in CLAUSES, no(safeguard_real(e))) or (kind == "BCR" and not bcr_ok(e))


def cigna_71(e: Seen) -> Truth:
    return (e["transfer.instrument"] or "").startswith("DEROGATION_") and no(derogation_ok(e))
