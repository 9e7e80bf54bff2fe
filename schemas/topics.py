"""Names every Kafka topic and says how each is configured.

A controller is a tenant: its topics carry its name in lower case, `inzage.<controller>.<name>.v1`. What is
the same for everybody stands without one. The events topic orders everything said about a person and is never
repartitioned. What the trail keeps is never compacted nor transactional: its logs need dense offsets (RFC 6962).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LAW_REFERENCES = "inzage.law.references.v1"
SCHEMAS = "inzage.schemas.v1"
CHECKPOINTS = "inzage.checkpoints.v1"
PRUNING_REQUESTS = "inzage.pruning-requests.v1"

MAX_MESSAGE_BYTES = 1 << 20
"""Largest batch on any topic but those of dossiers: Kafka's own default, so that emitters can refuse earlier."""
MAX_STATE_BYTES = 16 << 20
"""Largest batch on a topic of dossiers: one record holds all that was said about a person, or every event counted."""


class Theme(StrEnum):
    """What a violation is about; each theme is a topic that an alert team can listen to on its own."""

    TRANSFER = "transfer"
    EMPLOYER = "employer"
    EMERGENCY = "emergency"
    HEALTH_DATA = "health-data"
    PURPOSE = "purpose"
    LEGAL_BASIS = "legal-basis"
    RECIPIENT = "recipient"
    PROCESSOR = "processor"
    CONSENT = "consent"
    MARKETING = "marketing"
    AUTOMATED_DECISION = "automated-decision"
    AUTHORITY = "authority"
    FRAUD = "fraud"
    DATA_MINIMISATION = "data-minimisation"
    SECURITY = "security"
    RETENTION = "retention"
    RIGHTS = "rights"
    ACCOUNTABILITY = "accountability"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it is to be created. `partitions` None means: as many as the installation's setting."""

    name: str
    config: dict[str, str]
    partitions: int | None = None


@dataclass(frozen=True, slots=True)
class ControllerTopics:
    """The topics of one controller."""

    controller: str

    def _name(self, name: str) -> str:
        return f"inzage.{self.controller.lower()}.{name}.v1"

    @property
    def events(self) -> str:
        return self._name("events")

    @property
    def references(self) -> str:
        return self._name("references")

    @property
    def dossiers(self) -> str:
        return self._name("dossiers")

    @property
    def verdicts(self) -> str:
        return self._name("verdicts")

    @property
    def dead_letters(self) -> str:
        return self._name("dead-letters")

    @property
    def incompleteness(self) -> str:
        """Numbers that are missing and sources that fell silent; found by the sealer, not by a policy."""
        return self._name("violations.completeness")

    def violations(self, theme: Theme) -> str:
        return self._name(f"violations.{theme.value}")


_LOG = {"message.timestamp.type": "LogAppendTime", "unclean.leader.election.enable": "false"}
_KEEP = {**_LOG, "cleanup.policy": "delete", "retention.ms": "-1"}
_COMPACT = {**_LOG, "cleanup.policy": "compact", "max.message.bytes": str(MAX_STATE_BYTES)}


def largest_batch(topic: str) -> int:
    """The bytes that a topic takes at once."""
    return MAX_STATE_BYTES if topic.endswith(".dossiers.v1") else MAX_MESSAGE_BYTES


def specs(controllers: tuple[str, ...]) -> Iterator[TopicSpec]:
    """Every topic of an installation that serves `controllers`."""
    yield TopicSpec(LAW_REFERENCES, _KEEP, partitions=1)
    yield TopicSpec(SCHEMAS, _KEEP, partitions=1)
    yield TopicSpec(CHECKPOINTS, _KEEP, partitions=1)
    yield TopicSpec(PRUNING_REQUESTS, _KEEP, partitions=1)
    for controller in controllers:
        topics = ControllerTopics(controller)
        yield TopicSpec(topics.events, _KEEP)
        yield TopicSpec(topics.references, _KEEP, partitions=1)
        yield TopicSpec(topics.dossiers, _COMPACT)
        yield TopicSpec(topics.verdicts, _KEEP)
        yield TopicSpec(topics.dead_letters, _KEEP, partitions=1)
        yield TopicSpec(topics.incompleteness, _KEEP, partitions=1)
        for theme in Theme:
            yield TopicSpec(topics.violations(theme), _KEEP, partitions=1)
