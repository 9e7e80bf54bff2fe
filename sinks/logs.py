"""Decides which log a partition is: its origin, what is kept of it, and whether its offsets must be dense.

The origin names Kafka's own ids of cluster and topic, so a topic deleted and made again is a new log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import CHECKPOINTS, LAW_REFERENCES, SCHEMAS, ControllerTopics

ANSWER_WITHIN_MS = 10_000


class Said(StrEnum):
    """What a topic is for; it decides which tables its records may go to."""

    EVENTS = "events"
    REFERENCES = "references"
    VERDICTS = "verdicts"
    DEAD_LETTERS = "dead-letters"
    INCOMPLETENESS = "incompleteness"
    SCHEMAS = "schemas"
    CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic the trail keeps. `controller` is the one whose dead letters its unreadable records go to."""

    name: str
    said: Said
    controller: str | None

    @property
    def sealed(self) -> bool:
        """Whether its partitions are logs of the ledger: all but the topic of the checkpoints themselves."""
        return self.said is not Said.CHECKPOINTS


@dataclass(frozen=True, slots=True)
class Log:
    """One partition of one topic, as Kafka identifies it."""

    topic: Topic
    partition: int
    cluster_id: str
    topic_id: str

    @property
    def id(self) -> str:
        """The origin: `inzage/<controller>/<cluster id>/<topic id>/<partition>`; `all` where it is everybody's."""
        controller = (self.topic.controller or "all").lower()
        return f"inzage/{controller}/{self.cluster_id}/{self.topic_id}/{self.partition}"

    @property
    def dense(self) -> bool:
        """Whether a gap in the offsets means that a record was lost.

        No topic of the trail is compacted; but the sealer writes its own in transactions, whose ends take offsets.
        """
        return self.topic.sealed


def topics_of(controllers: Iterable[str]) -> dict[str, Topic]:
    """Every topic the trail keeps, by name. Violations of policies are not kept twice: their verdicts are."""
    kept = [
        Topic(SCHEMAS, Said.SCHEMAS, None),
        Topic(LAW_REFERENCES, Said.REFERENCES, None),
        Topic(CHECKPOINTS, Said.CHECKPOINTS, None),
    ]
    for controller in controllers:
        names = ControllerTopics(controller)
        kept += [
            Topic(names.events, Said.EVENTS, controller),
            Topic(names.references, Said.REFERENCES, controller),
            Topic(names.verdicts, Said.VERDICTS, controller),
            Topic(names.dead_letters, Said.DEAD_LETTERS, controller),
            Topic(names.incompleteness, Said.INCOMPLETENESS, controller),
        ]
    return {topic.name: topic for topic in kept}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Kafka's ids, read once: of the cluster, and of each topic with the number of its partitions."""

    id: str
    topics: Mapping[str, tuple[str, int]]

    @property
    def meta_origin(self) -> str:
        """The origin of the meta log, whose records are the checkpoints of all others: `inzage/meta/<cluster id>`."""
        return f"inzage/meta/{self.id}"

    def log(self, topic: Topic, partition: int) -> Log:
        return Log(topic, partition, self.id, self.topics[topic.name][0])

    def logs(self, topics: Iterable[Topic]) -> list[Log]:
        """All logs of `topics`, in order of name and partition."""
        names = sorted(topics, key=lambda topic: topic.name)
        return [self.log(topic, number) for topic in names for number in range(self.topics[topic.name][1])]


def read_cluster(kafka: KafkaSettings, topics: Mapping[str, Topic]) -> Cluster:
    """Ask Kafka for its ids; raises `ConfigError` when a topic is missing, `TransientError` when none answers."""
    try:
        admin = KafkaAdminClient(**for_kafka_python(kafka), bootstrap_timeout_ms=ANSWER_WITHIN_MS)
        try:
            cluster_id = str(admin.describe_cluster()["cluster_id"])
            standing: list[dict[str, Any]] = admin.describe_topics()
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        servers = kafka.bootstrap_servers
        raise TransientError(f"no Kafka broker answers on {servers}", code="transient.kafka") from error
    found = {
        entry["name"]: (str(UUID(str(entry["topic_id"]))), len(entry["partitions"]))
        for entry in standing
        if entry["name"] in topics
    }
    if missing := sorted(set(topics) - set(found)):
        raise ConfigError(
            f"no such topics: {', '.join(missing)}", code="config.topics", hint="`inzage topics` creates them"
        )
    return Cluster(cluster_id, found)
