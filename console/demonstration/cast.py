"""Decides who plays in the month: two controllers, their members with employer and plan, and staff."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

CONTROLLERS = ("CIGNA", "HMBS")
SHARE = {"CIGNA": 0.7, "HMBS": 0.3}
"""Of the events of the month."""

EMPLOYERS = {
    "ORG-SHIPYARD": ("BE", "PLAN-SEA"),
    "ORG-DREDGING": ("NL", "PLAN-SEA"),
    "ORG-OBSERVATORY": ("DE", "PLAN-LAND"),
    "ORG-VACCINES": ("FR", "PLAN-LAND"),
}
"""Where each employer is established, and the plan of its people."""

TEAM = "TEAM-CARE"
"""The team at Cigna that every claim is assigned to."""

PROVIDERS = (
    *("ORG-HOSPITAL-LEUVEN", "ORG-CLINIC-LYON", "ORG-HOSPITAL-OSLO", "ORG-CLINIC-ZURICH"),
    *("ORG-HOSPITAL-NAIROBI", "ORG-CLINIC-NAIROBI"),
)
"""Care providers that take part in every claim."""

COUNTRIES_OF_WORK = ("BE", "NL", "KE", "CL", "SG", "NO")
STAFF_PER_ROLE = 40

_RELATIONS = {"CIGNA": ("INSURED_EMPLOYEE", "DEPENDANT"), "HMBS": ("CLIENT_MEMBER",)}


@dataclass(frozen=True, slots=True)
class Member:
    """A data subject. `pseudonym` is what the vault would have given; employer and plan are Cigna's."""

    controller_id: str
    pseudonym: str
    relation: str
    employer: str
    plan: str
    country_of_work: str

    @property
    def case(self) -> str:
        """Reference of this person's claim."""
        return f"CASE-{self.pseudonym[-8:]}"

    @property
    def policy(self) -> str:
        """Reference of what this person is insured under."""
        return f"POL-{self.pseudonym[-8:]}"

    @property
    def names(self) -> dict[str, str]:
        """What a script may call this person's."""
        country, _ = EMPLOYERS[self.employer]
        return {"person": self.pseudonym, "employer": self.employer, "employer_country": country}


def member(controller_id: str, chance: Random, *, works_in: str | None = None) -> Member:
    """A person drawn by `chance`."""
    employer = chance.choice(list(EMPLOYERS))
    return Member(
        controller_id=controller_id,
        pseudonym=f"P-{chance.getrandbits(80):020x}",
        relation=chance.choice(_RELATIONS[controller_id]),
        employer=employer,
        plan=EMPLOYERS[employer][1],
        country_of_work=works_in or chance.choice(COUNTRIES_OF_WORK),
    )


def staff(role: str, number: int) -> str:
    """The pseudonym of one of the people in `role`."""
    return f"STAFF-{role}-{number}"
