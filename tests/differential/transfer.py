"""Whether an instrument carries a transfer, GDPR 46 to 49: `instrument_ok` of the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from tests.differential.three import Truth, both
from tests.differential.view import Seen
from tests.differential.world import FOREVER

CLAUSES = ("SCC_COMMISSION", "SCC_DPA", "AD_HOC_CLAUSES")
PROCESSORS = ("PROCESSOR", "SUB_PROCESSOR")


def instrument_ok(seen: Seen) -> Truth:
    kind = seen["transfer.instrument"]
    if kind in CLAUSES:
        return any(_clauses(seen, signed) for signed in _signed(seen))
    if kind == "BCR":
        return bcr_ok(seen)
    if kind in ("CODE_OF_CONDUCT", "CERTIFICATION"):
        return any(_by_both(signed) <= seen.t for signed in _signed(seen))
    if kind == "ART48_INTERNATIONAL_AGREEMENT":
        return _agreement_between_states(seen)
    if kind in ("PUBLIC_BODY_INSTRUMENT", "ADMINISTRATIVE_ARRANGEMENT"):
        return bool(seen.registered.get("public_body") and seen.world.org(seen["actor.org_id"]).get("public_body"))
    return derogation_ok(seen) if (kind or "").startswith("DEROGATION_") else False


def safeguard_real(seen: Seen) -> Truth:
    """CIGNA-70: clauses signed, fitting, valid and recently assessed."""
    signed = _signed(seen)
    fresh = any(
        s.get("tia_ref") is not None
        and (s.get("tia_date") is None or seen.t < datetime.combine(s["tia_date"], time(), UTC) + timedelta(days=365))
        for s in signed
    )
    return both(any(_clauses(seen, s) for s in signed), fresh)


def bcr_ok(seen: Seen) -> bool:
    return any(seen.org in (s.get("bcr_members") or ()) and _exporter_bound(seen, s) for s in _signed(seen))


def derogation_ok(seen: Seen) -> Truth:
    kind = seen["transfer.instrument"].removeprefix("DEROGATION_")
    if kind == "EXPLICIT_CONSENT":
        return seen.risk_informed_consent
    if kind == "VITAL_INTERESTS":
        return incapable(seen) is True
    if kind in ("CONTRACT", "CONTRACT_IN_INTEREST", "LEGAL_CLAIMS"):
        return seen.earlier_transfers() < 3
    if kind == "COMPELLING_INTEREST":
        return seen.earlier_transfers() == 0 and seen["notified_subject_at"] is not None
    return kind in ("PUBLIC_INTEREST", "PUBLIC_REGISTER")


def incapable(seen: Seen) -> Truth:
    """Whether the person could not consent, as the transfer or the emergency says."""
    stated: Truth = seen["transfer.subject_incapable"]
    emergency = seen.world.emergency(seen["emergency_ref"])
    said: Truth = emergency[0].get("subject_incapable") if emergency else None
    return said if stated is None else stated


def _signed(seen: Seen) -> list[dict[str, Any]]:
    kind = seen["transfer.instrument"] or ""
    return seen.world.instruments(kind, seen["transfer.instrument_ref"], seen.org, seen.t)


def _by_both(signed: dict[str, Any]) -> datetime:
    return max(signed.get("signed_by_exporter_at") or FOREVER, signed.get("signed_by_importer_at") or FOREVER)


def _exporter_bound(seen: Seen, signed: dict[str, Any]) -> bool:
    members = signed.get("bcr_members") or ()
    if signed.get("exporter_org_id") is not None:
        return signed["exporter_org_id"] in members
    return any(seen.world.own(member) for member in members)


def _ours(seen: Seen, signed: dict[str, Any]) -> bool:
    exporter = seen.world.org(signed.get("exporter_org_id"))
    return not exporter or bool(exporter.get("own_organisation")) or signed.get("exporter_role") == "PROCESSOR"


def _clauses(seen: Seen, signed: dict[str, Any]) -> bool:
    if _by_both(signed) > seen.t or not _ours(seen, signed) or signed.get("tia_ref") is None:
        return False
    if signed["instrument"] != "SCC_COMMISSION":
        return True
    stated, registered = _side(seen["recipient.role"]), _side(signed.get("importer_role"))
    if stated and registered and stated != registered:
        return False
    exporter, importer = _side(seen["transfer.exporter_role"]), stated or registered
    modules = {("C", "C"): 1, ("C", "P"): 2, ("P", "P"): 3, ("P", "C"): 4}
    return signed.get("module") == modules[exporter or "C", importer or "C"]


def _side(role: str | None) -> str:
    return {None: "", "UNKNOWN": ""}.get(role, "P" if role in PROCESSORS else "C")


def _agreement_between_states(seen: Seen) -> bool:
    ref = seen["international_agreement_ref"] or seen["transfer.instrument_ref"]
    if ref is None:
        return False
    known = seen.world.last("InternationalAgreementRegistered", international_agreement_ref=ref)
    if known is None:
        return True
    return (known.get("valid_from") or seen.t) <= seen.t < (known.get("valid_to") or FOREVER)
