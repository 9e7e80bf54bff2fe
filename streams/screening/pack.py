"""Reads policy packs: per controller, what its notice promises, as one SQL predicate an entry.

A pack is YAML: an entry has its id, the heading of the notice it stands under, a paraphrase of the promise, GDPR
articles, severity, theme, kind, the predicate, an explanation, and examples that violate and that comply. A promise
that no single event can break has no predicate: it names what keeps it instead, a scheduled check (BATCH), a command
or page (SERVICE) or reference data (REFERENCE). Packs compose: a controller's policies are those of the packs it
names in `extends`, then its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from inzage.schemas.errors import ConfigError
from inzage.schemas.topics import Theme
from inzage.streams.screening.plain_yaml import load

LOOK = "AuditTrailQueried"
"""The kind of event that says somebody looked at the trail."""

Kind = Literal["STREAM", "JOIN", "STATEFUL", "BATCH", "SERVICE", "REFERENCE"]
Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]
Result = Literal["VIOLATION", "WARNING", "OK", "NOT_EVALUABLE"]
State = Literal["built", "planned"]


Article = Annotated[str, BeforeValidator(str)]
"""An article of the GDPR, for example 9(2)(a); YAML reads a bare 22 as a number."""

Instants = Annotated[list[str], BeforeValidator(lambda one: [one] if isinstance(one, str) else one)]
"""Expressions, each an instant or NULL."""


class Example(BaseModel):
    """One event with the facts it needs, and what the entry says of it. `event` is merged into the pack's base."""

    model_config = ConfigDict(extra="forbid")

    title: str
    event: dict[str, Any] = Field(default_factory=dict)
    facts: list[dict[str, Any]] = Field(default_factory=list)
    earlier: list[dict[str, Any]] = Field(default_factory=list, description="events said before")
    result: Result = "VIOLATION"


class Examples(BaseModel):
    """At least one that violates and one nearly identical that complies."""

    model_config = ConfigDict(extra="forbid")

    violates: list[Example] = Field(min_length=1)
    complies: list[Example] = Field(min_length=1)


class LowerSeverity(BaseModel):
    """A lesser severity where `when` holds."""

    model_config = ConfigDict(extra="forbid")

    when: str
    severity: Severity


class FactRule(BaseModel):
    """What an entry that judges activities says of a kind of fact as well; the fact itself is in its dossier then."""

    model_config = ConfigDict(extra="forbid")

    judges: str = Field(min_length=3, description="kind of fact")
    violated_when: str
    due: Instants = Field(default_factory=list)


class Service(BaseModel):
    """What serves a promise: a command, page or report, and the test that proves it."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(min_length=3)
    proved_by: str = ""


class ReferenceData(BaseModel):
    """The kinds of reference facts that fill an entry, and the command that loads them."""

    model_config = ConfigDict(extra="forbid")

    kinds: list[str] = Field(min_length=1)
    loaded_by: str = "inzage reference load"


class Entry(BaseModel):
    """One promise, made checkable. `violated_when`: 1 violation, 0 complies, NULL not evaluable; empty: no predicate.

    `deadline` says in words what must follow, and within which time. A predicate that reads `now` judges that by the
    clock; `due` are the instants from which on it may judge otherwise though nothing arrives. Every event that the
    clock may ever concern has one, whatever is learnt later; with each fact they are looked at again.
    `state` is about what stands beside a predicate: the scheduled check, the service, the reference data.
    """

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[A-Z]+-\d{2,3}$")
    heading: str = Field(min_length=3)
    promise: str = Field(min_length=10)
    articles: list[Article] = Field(min_length=1)
    severity: Severity
    theme: Theme
    kind: Kind
    judges: str = Field(default="", description="kind of fact it judges; empty: activities")
    violated_when: str = ""
    warned_when: str | None = None
    fact_rules: list[FactRule] = Field(default_factory=list)
    reason: str = Field(default="", pattern=r"^[A-Z0-9_]*$")
    warning: str | None = None
    lower_severity: LowerSeverity | None = None
    explanation: str = Field(min_length=10)
    assumed: str = Field(
        default="", description="the paragraph the notice refers to and lacks: the entry is a reading"
    )
    remedy: str = Field(default="", description="what would have made it lawful; empty: told from complying examples")
    facts: list[str] = Field(default_factory=list, description="families of facts a verdict names")
    examples: Examples | None = None
    deadline: str | None = None
    due: Instants = Field(default_factory=list, description="instants at which time alone may change the result")
    check: str | None = Field(default=None, description="BATCH: name of the scheduled check")
    served_by: Service | None = None
    reference: ReferenceData | None = None
    state: State = "built"

    @property
    def every_example(self) -> list[Example]:
        """Its examples, those that violate first."""
        return [*self.examples.violates, *self.examples.complies] if self.examples else []

    @model_validator(mode="after")
    def _is_kept_by_something(self) -> Self:
        if self.violated_when and not (self.reason and self.examples):
            raise ValueError("a predicate needs a reason and examples")
        if self.due and not self.violated_when:
            raise ValueError("due is of a predicate; what keeps this entry has a clock of its own")
        if not (self.violated_when or self.check or self.served_by or self.reference):
            raise ValueError("needs violated_when, check, served_by or reference")
        return self


class Pack(BaseModel):
    """A pack as read: `settings` are defaults that tenants change, `base_event` and `base_facts` serve examples."""

    model_config = ConfigDict(extra="forbid")

    pack: str
    version: Annotated[str, BeforeValidator(str)]
    title: str
    source: str
    settings: dict[str, float | list[str]] = Field(default_factory=dict)
    base_event: dict[str, Any] = Field(default_factory=dict)
    base_facts: list[dict[str, Any]] = Field(default_factory=list)
    extends: list[str] = Field(default_factory=list)
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Rule:
    """One predicate of an entry, on activities (`judges` is empty) or on a kind of fact."""

    entry: Entry
    judges: str
    violated_when: str
    warned_when: str | None
    due: tuple[str, ...] = ()

    @property
    def of_looks(self) -> bool:
        """Whether it judges looks at the trail (LAW-01).

        A look is the controller's own bookkeeping, and no use of clients' data by the systems that hold them: the
        other rules would hold the trail's own reader against promises about claims desks and client databases.
        """
        return LOOK in self.violated_when


@dataclass(frozen=True, slots=True)
class Policies:
    """The composed policies of one controller. `version` changes with any pack's text.

    `entries` have a predicate, `unjudged` are kept by something else. `rules` are the predicates by position: those
    of the entries, then what entries say of facts besides.
    """

    controller_id: str
    version: str
    entries: tuple[Entry, ...]
    pack_of: Mapping[str, Pack]
    settings: Mapping[str, float | list[str]]
    rules: tuple[Rule, ...]
    judged_facts: frozenset[str]
    unjudged: tuple[Entry, ...] = ()

    @property
    def pack(self) -> str:
        """Name of the controller's own pack."""
        return self.controller_id

    def only(self, entries: Container[str]) -> Policies:
        """The same policies with no other entries than those named."""
        chosen = tuple(entry for entry in self.entries if entry.id in entries)
        rules = _rules(chosen)
        return replace(
            self, entries=chosen, rules=rules, judged_facts=frozenset(rule.judges for rule in rules) - {""}
        )

    @property
    def own(self) -> Pack:
        """The controller's own pack, not one it extends."""
        return self.pack_of[""]


def packs_folder() -> Traversable:
    """Where the packs that ship stand."""
    return files("inzage.streams").joinpath("policies")


def has_pack(controller_id: str, folder: Path | None = None) -> bool:
    """Whether there is a pack for the controller, in `folder` or among those that ship."""
    name = f"{controller_id.lower()}.yaml"
    own = folder is not None and (folder / name).is_file()
    return re.fullmatch(r"[\w-]+", controller_id) is not None and (own or packs_folder().joinpath(name).is_file())


def read_pack(name: str, folder: Path | None = None) -> tuple[Pack, str]:
    """A pack and its text, from `folder` or from those that ship; raises `ConfigError` naming entry and field."""
    own = (folder / f"{name.lower()}.yaml") if folder else None
    path = own if own is not None and own.exists() else packs_folder().joinpath(f"{name.lower()}.yaml")
    try:
        text = path.read_text(encoding="utf-8")
        content = load(text)
    except FileNotFoundError as error:
        raise ConfigError(f"pack {name}: there is no {name.lower()}.yaml", code="config.pack") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"pack {name}: not YAML: {error}", code="config.pack") from error
    try:
        return Pack.model_validate(content), text
    except ValidationError as error:
        raise ConfigError(f"pack {name}: {_where(content, error)}", code="config.pack") from error


def _where(content: Any, error: ValidationError) -> str:
    wrong = []
    for detail in error.errors():
        place = list(detail["loc"])
        if len(place) > 1 and place[0] == "entries" and isinstance(place[1], int):
            entry = content["entries"][place[1]]
            place[:2] = [f"entry {entry.get('id', place[1]) if isinstance(entry, dict) else place[1]}"]
        wrong.append(f"{'.'.join(map(str, place))}: {detail['msg']}")
    return "; ".join(wrong)


@cache
def policies_of(controller_id: str, folder: Path | None = None) -> Policies:
    """The composed policies of `controller_id`; raises `ConfigError` for unreadable packs and repeated ids."""
    own, text = read_pack(controller_id, folder)
    texts, pack_of, entries = [text], {"": own}, []
    settings: dict[str, float | list[str]] = {}
    for name in own.extends:
        pack, extended = read_pack(name, folder)
        texts.append(extended)
        settings |= pack.settings
        entries += [(entry, pack) for entry in pack.entries]
    entries += [(entry, own) for entry in own.entries]
    for entry, pack in entries:
        if entry.id in pack_of:
            raise ConfigError(f"pack {pack.pack}: entry {entry.id} stands twice", code="config.pack")
        pack_of[entry.id] = pack
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
    composed = tuple(entry for entry, _ in entries if entry.violated_when)
    unjudged = tuple(entry for entry, _ in entries if not entry.violated_when)
    rules = _rules(composed)
    judged_facts = frozenset(rule.judges for rule in rules) - {""}
    version = f"{own.version}+{digest}"
    return Policies(
        controller_id.upper(), version, composed, pack_of, settings | own.settings, rules, judged_facts, unjudged
    )


def _rules(entries: tuple[Entry, ...]) -> tuple[Rule, ...]:
    of_entries = [
        Rule(entry, entry.judges, entry.violated_when, entry.warned_when, tuple(entry.due)) for entry in entries
    ]
    of_facts = [
        Rule(entry, rule.judges, rule.violated_when, None, tuple(rule.due))
        for entry in entries
        for rule in entry.fact_rules
    ]
    return (*of_entries, *of_facts)
