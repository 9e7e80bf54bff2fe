"""What the entries of the HMBS notice, of the law and of intake say of an event, read without the SQL."""

from __future__ import annotations

from datetime import timedelta

from tests.differential.lists import HMBS_PURPOSES, HMBS_RECIPIENTS, SECONDARY
from tests.differential.oracle_cigna import MARKETING, POLICE
from tests.differential.three import Truth, among, both, either, no
from tests.differential.transfer import instrument_ok
from tests.differential.view import Seen

# --- HMBS ---


def hmbs_02(e: Seen) -> Truth:
    return hmbs_37(e)


def hmbs_03(e: Seen) -> Truth:
    return e["purpose"] not in HMBS_PURPOSES


def hmbs_04(e: Seen) -> Truth:
    secondary = {"MARKETING", "DIRECT_MARKETING", "STATISTICS", "RISK_MANAGEMENT", "FRAUD_PREVENTION"}
    bases = {"LEGITIMATE_INTERESTS", "CONSENT", "EXPLICIT_CONSENT", "LEGAL_OBLIGATION"}
    assessed = any(
        a["purpose"] == e["purpose"]
        and a["outcome"] == "PASSED"
        and (a.get("valid_from") or e.t) <= e.t
        and (a.get("valid_to") is None or e.t < a["valid_to"])
        and e["lia_ref"] in (None, a["lia_ref"])
        for a in e.world.latest_of_each("LegitimateInterestAssessmentRecorded", "lia_ref")
    )
    return both(
        among(e["purpose"], secondary | {"FRAUD_REGISTER_ENTRY"}),
        either(
            no(among(e["legal_basis"], bases)),
            both(among(e["legal_basis"], {"LEGITIMATE_INTERESTS"}), not assessed),
            e.world.objected(e["purpose"], e.t),
        ),
    )


def hmbs_05(e: Seen) -> Truth:
    marketing = either((e["actor.department"] or "").upper() == "MARKETING", among(e["purpose"], MARKETING))
    sensitive = e.medical or bool(e.categories & {"CRIMINAL", "NATIONAL_ID"})
    return both(marketing, True if sensitive else False if e.categories_known else None)


def hmbs_06(e: Seen) -> Truth:
    return both(e.third_party, any(e[name] is None for name in ("purpose", "legal_basis", "reason_ref")))


def hmbs_11(e: Seen) -> Truth:
    purpose = either(
        among(e["purpose"], {"HISTORICAL", "PREVENTION", "RESEARCH"}),
        both(among(e["purpose"], {"STATISTICS"}), e.medical),
    )
    return both(purpose, no(among(e["data_state"], {"ANONYMISED"})))


def hmbs_21(e: Seen) -> Truth:
    criminal = "CRIMINAL" in e.categories
    no_basis = (e.medical and e["special_basis"] is None) or (criminal and e["art10_basis"] is None)
    return both(
        criminal or e.medical,
        among(e["action"], {"COLLECT", "REQUEST"}),
        either(
            no(among(e["purpose"], {"UNDERWRITING", "APPLICATION_ASSESSMENT"})),
            not e.world.application_open(e["application_ref"], e.t),
            no_basis,
        ),
    )


def hmbs_23(e: Seen) -> Truth:
    return both(e.medical, no(e["special_category"]))


def hmbs_35(e: Seen) -> Truth:
    outbound = among(e["direction"], {"OUTBOUND"})
    if outbound is None and not (e.has_recipient or e.outsider_look):
        outbound = False  # nobody received anything
    harmless = bool(e.items) and set(e.items) <= {"CASE_NUMBER", "FIRST_NAME"}
    return both(
        outbound,
        among(e["channel"], {"SOCIAL_MEDIA_PUBLIC", "SOCIAL_MEDIA_DM_UNSECURED"}),
        bool(e.categories) and not harmless,
    )


def hmbs_37(e: Seen) -> Truth:
    group = e.registered.get("group_of") == "HMBS" or e.world.listed_as_subprocessor(e.org, e.t)
    bound = e.category in POLICE and e.bound_to_disclose is True
    return both(e.third_party, no(among(e.category, HMBS_RECIPIENTS)), not bound, not group)


def hmbs_42(e: Seen) -> Truth:
    return both(e.third_party, e.authority, no(e.bound_to_disclose))


def hmbs_47(e: Seen) -> Truth:
    supplier = among(e.category, {"SUPPLIER", "SUB_PROCESSOR"})
    agreed = bool(e.world.processor_agreements(e.org, e.t)) or e.world.listed_as_subprocessor(e.org, e.t)
    return both(e.third_party, supplier, not agreed)


def hmbs_50(e: Seen) -> Truth:
    actor = e.world.org(e["actor.org_id"])
    established = e.establishment or e.registered.get("establishment_country")
    return either(
        both(e.third_party, among(e.category, {"SUPPLIER"}), no(e.in_eu(established))),
        both(actor.get("category") == "SUPPLIER", no(e.in_eu(actor.get("establishment_country")))),
    )


def hmbs_66(e: Seen) -> Truth:
    return both(
        among(e["purpose"], SECONDARY),
        e.world.objected(e["purpose"], e.t),
        no(among(e["data_state"], {"ANONYMISED"})),
    )


def hmbs_72(e: Seen) -> Truth:
    return both(e.on_consent, no(e.consent_covers))


def hmbs_73(e: Seen) -> Truth:
    return both(e.third_party, e.goes_outside, no(e.adequate), no(instrument_ok(e)))


def hmbs_73_warned(e: Seen) -> Truth:
    return both(e.third_party, e.goes_outside)


# --- the law, and the event itself ---


def law_07(e: Seen) -> Truth:
    return both(
        e.third_party,
        e.authority,
        e.goes_outside,
        e["international_agreement_ref"] is None,
        no(e.adequate),
        no(instrument_ok(e)),
    )


def intake_01_warned(e: Seen) -> Truth:
    return bool(e.t > e.event["known_at"] + timedelta(hours=1))


def intake_02_warned(e: Seen) -> Truth:
    return bool(e["unrecognised"])


def intake_03_warned(e: Seen) -> Truth:
    country = e["actor.access_country"]
    return both(no(e.outsider), None if country is None else not e.in_eea(country))
