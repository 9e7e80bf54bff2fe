"""The helpers of the catalogue's section 0 for one event, with the corrections: third party, medical, adequate."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from tests.differential.three import Truth, among, both, either, no
from tests.differential.world import EEA, EU, GB_GDPR_CEASED, GB_LEFT_EU, World, covers

MEDICAL = {"HEALTH_PHYSICAL", "HEALTH_MENTAL", "HEALTH_HISTORY", "MEDICAL_REPORT", "INJURY"}
ARTICLE_9 = MEDICAL | {"GENETIC", "BIOMETRIC", "ETHNIC_ORIGIN", "POLITICAL_OPINION", "RELIGION", "TRADE_UNION"}
ARTICLE_9 |= {"SEX_LIFE", "OTHER"}
LOOKS = {"READ", "SEARCH", "REMOTE_ACCESS", "DOWNLOAD", "EXPORT", "COPY", "PLAY", "PRINT"}
AUTHORITIES = {"POLICE", "LAW_ENFORCEMENT", "COURT", "SUPERVISOR", "GOVERNMENT_BODY", "DATA_PROTECTION_AUTHORITY"}


class Seen:
    """One event with the world it was said in. A dotted name reads a field; UNKNOWN is not known."""

    def __init__(self, event: dict[str, Any], world: World, derogations: list[tuple[str, str, datetime]]) -> None:
        self.event, self.world, self.derogations = event, world, derogations
        self.t: datetime = event["occurred_at"]
        self.categories = set(event["data_categories"])
        self.items = [*event["data_items"], *event["other_data_items"]]

    def __getitem__(self, name: str) -> Any:
        value: Any = self.event
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return None if value == "UNKNOWN" else value

    # --- data ---

    @property
    def categories_known(self) -> bool:
        return bool(self.categories) and "UNKNOWN" not in self.categories

    @property
    def health(self) -> Truth:
        """Medical, as far as the categories stated tell."""
        return True if self.medical else (False if self.categories_known else None)

    @property
    def medical(self) -> bool:
        return bool(self.categories & MEDICAL) or any(map(self.world.health_revealing, self.items))

    @property
    def special(self) -> bool:
        return bool(
            self["special_category"] or self.medical or not self.categories_known or self.categories & ARTICLE_9
        )

    # --- who ---

    @property
    def actor_own(self) -> Truth:
        return None if self["actor.org_id"] is None else self.world.own(self["actor.org_id"])

    @property
    def outsider(self) -> Truth:
        lender = self["actor.supplier_org_id"]
        return True if lender is not None and not self.world.own(lender) else no(self.actor_own)

    @property
    def actor_group(self) -> Truth:
        if self["actor.org_id"] is None:
            return None
        return bool(self.actor_own) or self.world.org(self["actor.org_id"]).get("group_of") == self.world.controller

    @property
    def role_allowed(self) -> Truth:
        key = {"org_id": self["actor.org_id"], "role": self["actor.role"], "purpose": self["purpose"]}
        if None in key.values() or not self.categories_known:
            return None
        found: dict[str, set[str]] = {"ALLOW": set(), "DENY": set()}
        latest = {
            (entry["decision"], tuple(entry["data_categories"])): entry
            for entry in self.world.said("RoleMatrixEntry", **key)
        }
        for entry in latest.values():
            if (entry.get("valid_from") or self.t) <= self.t and (
                entry.get("valid_to") is None or self.t < entry["valid_to"]
            ):
                found[entry["decision"]] |= set(entry["data_categories"])
        return self.categories <= found["ALLOW"] and not self.categories & found["DENY"]

    # --- to whom ---

    @cached_property
    def has_recipient(self) -> bool:
        recipient = self.event.get("recipient") or {}
        return any(value not in (None, "UNKNOWN", []) for value in recipient.values())

    @property
    def outsider_look(self) -> bool:
        looked = self["event_type"] == "AccessEvent" or self["action"] in LOOKS
        return not self.has_recipient and self.actor_own is False and looked

    @property
    def org(self) -> str | None:
        found: str | None = self["actor.org_id"] if self.outsider_look else self["recipient.org_id"]
        return found

    @property
    def registered(self) -> Any:
        return self.world.org(self.org)

    @property
    def category(self) -> str | None:
        found: str | None = self["recipient.category"] or self.registered.get("category")
        return None if found == "UNKNOWN" else found

    @property
    def is_subject(self) -> bool:
        return self["recipient.category"] == "DATA_SUBJECT" or (
            self["recipient.person"] is not None and self["recipient.person"] == self["subject.pseudonym"]
        )

    @property
    def disclosed(self) -> bool:
        refused = self["outcome"] in ("DENIED", "FAILED")
        return (self.has_recipient or self.outsider_look) and not refused

    @property
    def group_report(self) -> bool:
        aggregated = self["aggregation_level"] is not None or bool(self["cell_sizes"])
        return aggregated and self["data_state"] not in (None, "UNKNOWN", "IDENTIFIED")

    @property
    def third_party(self) -> bool:
        return self.disclosed and not self.is_subject and not self.world.own(self.org)

    @property
    def to_employer(self) -> Truth:
        if not self.disclosed or self.is_subject:
            return False
        acts_for = self["recipient.acts_for_employer_id"] or self.registered.get("acts_for_employer_id")
        if acts_for or self.registered.get("category") in ("EMPLOYER", "EMPLOYER_AGENT"):
            return True
        return among(self.category, {"EMPLOYER", "EMPLOYER_AGENT"})

    @property
    def authority(self) -> Truth:
        return among(self.category, AUTHORITIES)

    @property
    def bound_to_disclose(self) -> Truth:
        request = self.world.last("AuthorityRequestReceived", request_ref=self["request_ref"])
        scope = set((request or {}).get("scope_data_items") or ()) if self["request_ref"] else set()
        duty = either(
            self["request_ref"] is not None,
            self["disclosure_ground"] == "LEGAL_OBLIGATION",
            self["purpose"] in ("AML_CTF", "LEGAL_COMPLIANCE"),
        )
        return both(
            among(self["legal_basis"], {"LEGAL_OBLIGATION"}),
            self["legal_provision_ref"] is not None,
            duty,
            not (scope and not set(self.items) <= scope),
        )

    # --- consent ---

    @property
    def explicit(self) -> list[dict[str, Any]]:
        return [c for c in self.world.consents(self["subject.pseudonym"], self.t) if c.get("explicit")]

    @property
    def consent_to_recipient(self) -> Truth:
        named = [c for c in self.explicit if self.org in ((c.get("scope") or {}).get("recipient_org_ids") or ())]
        return both(self.to_employer, self.categories_known and any(self._covered(c, recipient=True) for c in named))

    def _covered(self, consent: dict[str, Any], *, recipient: bool) -> bool:
        scope = consent.get("scope")
        return (
            (not recipient or covers(scope, "recipient_org_ids", {self.org or ""}))
            and covers(scope, "data_categories", self.categories)
            and covers(scope, "purposes", {self["purpose"] or ""})
        )

    @property
    def on_consent(self) -> bool:
        basis = self["legal_basis"] in ("CONSENT", "EXPLICIT_CONSENT")
        return basis or self["special_basis"] == "ART9_EXPLICIT_CONSENT"

    @property
    def consent_covers(self) -> Truth:
        explicit = "EXPLICIT_CONSENT" in (self["legal_basis"], (self["special_basis"] or "")[5:])
        explicit = explicit or self["transfer.instrument"] == "DEROGATION_EXPLICIT_CONSENT"
        given = self.explicit if explicit else self.world.consents(self["subject.pseudonym"], self.t)
        named = [c for c in given if self["consent_ref"] in (None, c["consent_ref"])]
        covered = [c for c in named if self._covered(c, recipient=self.third_party)]
        unlimited = [c for c in covered if (c.get("scope") or {}).get("data_categories") is None]
        return True if unlimited or (covered and self.categories) else None if covered else False

    @property
    def consent_required(self) -> bool:
        enrolled = self.world.enrolment(self.t)
        rules = {
            (r.get("country_of_work"), r.get("data_category"), r.get("recipient_category"), r.get("product")): r
            for r in self.world.said("ConsentRuleSet")
        }
        return any(
            rule["result"] == "CONSENT_REQUIRED"
            and (rule.get("valid_from") or self.t) <= self.t
            and (rule.get("valid_to") is None or self.t < rule["valid_to"])
            and country in (None, (enrolled or {}).get("country_of_work"))
            and (category is None or category in self.categories)
            and recipient in (None, self.category)
            and product in (None, self["product"])
            for (country, category, recipient, product), rule in rules.items()
        )

    @property
    def consent_under_rule(self) -> bool:
        return any(self._covered(c, recipient=self.third_party) for c in self.explicit)

    @property
    def risk_informed_consent(self) -> bool:
        return any(
            self["consent_ref"] in (None, c["consent_ref"])
            and ((c.get("scope") or {}).get("risk_informed") or self["transfer.risk_informed"])
            and (self.destination or "") in ((c.get("scope") or {}).get("countries") or ())
            for c in self.explicit
        )

    # --- transfer ---

    def in_eea(self, country: str) -> bool:
        return country in EEA or (country == "GB" and self.t < GB_GDPR_CEASED)

    def in_eu(self, country: str | None) -> Truth:
        return None if not country else country in EU or (country == "GB" and self.t < GB_LEFT_EU)

    @property
    def international(self) -> str | None:
        stated = self["transfer.destination_organisation"] or self["recipient.international_organisation"]
        return stated or ("EPO" if self.registered.get("international_organisation") else None)

    @property
    def establishment(self) -> str | None:
        found = self.registered.get("establishment_country") if self.outsider_look else None
        return found or self["recipient.establishment_country"]

    @property
    def processing(self) -> list[str]:
        one = self["actor.access_country"] if self.outsider_look else self["recipient.processing_country"]
        return [country for country in (one, *(self["recipient.processing_countries"] or ())) if country]

    @property
    def destinations(self) -> list[str]:
        """Where the data go: every country outside the EEA that is stated, else one inside it."""
        if self.international:
            return [self.international]
        stated = [c for c in (self["transfer.destination_country"], *self.processing) if c]
        stated = stated or [c for c in (self.establishment or self.registered.get("establishment_country"),) if c]
        return [c for c in stated if not self.in_eea(c)] or stated[:1]

    @property
    def destination(self) -> str | None:
        return (self.destinations or [None])[0]

    @property
    def goes_outside(self) -> Truth:
        if not self.destinations:
            return None
        return self.international is not None or not self.in_eea(self.destinations[0])

    @property
    def adequate(self) -> Truth:
        if not self.destinations:
            return None
        return both(*(self.world.adequate(c, self.org, self["purpose"], self.t) for c in self.destinations))

    @property
    def has_transfer(self) -> bool:
        names = ("instrument", "destination_country", "instrument_ref", "destination_organisation")
        return any(self[f"transfer.{name}"] is not None for name in names)

    def earlier_transfers(self) -> int:
        return sum(
            (importer, instrument) == (self.org or "", self["transfer.instrument"])
            and self.t - timedelta(days=90) < at <= self.t
            for importer, instrument, at in self.derogations
        )
