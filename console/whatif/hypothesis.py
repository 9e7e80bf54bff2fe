"""Decides what a hypothesis changes: the references it adds, and by which words the events it may concern are found.

A date that lies after everything said asks about what goes on as it does now: the events of the period are then
judged as if the change had come before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.schemas.json_face import read
from inzage.schemas.splice import bytes_bytes

_EXAMPLE = {"source_system": "whatif", "recorded_at": "2000-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What would be otherwise from `since` on, UTC. Countries as ISO 3166-1, the rest by reference or org_id."""

    since: datetime
    annulled_adequacy: tuple[str, ...] = ()
    ended_agreements: tuple[str, ...] = ()
    ended_instruments: tuple[str, ...] = ()
    withdrawn_certifications: tuple[str, ...] = ()
    asked_since: datetime | None = field(default=None)
    """The date as asked, when `since` was put back to the beginning of the period."""

    def facts(self, controller_id: str, known: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The references it adds, decoded; raises `ConfigError` for one that names nothing known."""
        bodies = [(fact["body"][0].rpartition(".")[2], fact["body"][1]) for fact in known]
        self._require(
            self.ended_agreements,
            "agreement",
            {body["agreement_ref"] for kind, body in bodies if kind == "AgreementSigned"},
        )
        self._require(
            self.ended_instruments,
            "instrument",
            {body["instrument_ref"] for kind, body in bodies if kind == "InstrumentSigned"},
        )
        certified = {body["org_id"] for kind, body in bodies if kind == "DpfCertification"}
        self._require(self.withdrawn_certifications, "certified organisation", certified)
        at = self.since.isoformat()
        said = [
            *(
                ("LAW", {"type": "AdequacyDecisionEnded", "country": one, "valid_to": at})
                for one in self.annulled_adequacy
            ),
            *(
                (controller_id, {"type": "AgreementEnded", "agreement_ref": one, "ended_at": at})
                for one in self.ended_agreements
            ),
            *(
                (controller_id, {"type": "InstrumentEnded", "instrument_ref": one, "ended_at": at})
                for one in self.ended_instruments
            ),
            *(
                (controller_id, {"type": "DpfCertificationEnded", "org_id": one, "valid_to": at})
                for one in self.withdrawn_certifications
            ),
        ]
        return [
            read({"fact": {**_EXAMPLE, **fact, "fact_id": f"whatif-{number}"}}, controller_id=controller).record
            for number, (controller, fact) in enumerate(said)
        ]

    def words(self, known: Iterable[Mapping[str, Any]]) -> list[bytes]:
        """What an event it concerns has among its bytes, as Avro writes it; none: it may concern any.

        An organisation established in a country may stand for it.
        """
        words = set(self.annulled_adequacy)
        for fact in known:
            kind, body = fact["body"][0].rpartition(".")[2], fact["body"][1]
            if kind == "OrganisationRegistered" and body["establishment_country"] in self.annulled_adequacy:
                words.add(body["org_id"])
            if kind == "AgreementSigned" and body["agreement_ref"] in self.ended_agreements:
                words |= {name for name in (body["party_org_id"], *body["subprocessor_org_ids"]) if name}
            if kind == "InstrumentSigned" and body["instrument_ref"] in self.ended_instruments:
                words |= {name for name in (body["importer_org_id"], body["instrument_ref"]) if name}
        words |= set(self.withdrawn_certifications)
        return sorted(bytes_bytes(word.encode()) for word in words)

    def _require(self, named: Iterable[str], what: str, known: Iterable[str | None]) -> None:
        for one in named:
            if one not in set(known):
                raise ConfigError(f"no {what} {one} is known to the trail", code="config.whatif")
