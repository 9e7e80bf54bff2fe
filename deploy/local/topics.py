"""Decides whether the topics of an installation stand as the contract names them, and creates those missing.

An existing topic is never changed: its partition count decides which partition a data subject's events lie
in, so another count than the setting's is an error to be settled by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings, Settings
from inzage.schemas.topics import TopicSpec, specs

ANSWER_WITHIN_MS = 10_000


def ensure_topics(settings: Settings, controllers: Sequence[str]) -> tuple[str, ...]:
    """Create every topic `controllers` need that is missing; returns their names, none when all stood.

    Raises `ConfigError` when an existing topic has another number of partitions or the broker refuses a
    topic, `TransientError` when no broker answers.
    """
    wanted = {spec.name: spec for spec in specs(tuple(controllers))}
    try:
        admin = KafkaAdminClient(**for_kafka_python(settings.kafka), bootstrap_timeout_ms=ANSWER_WITHIN_MS)
        try:
            standing = _partition_counts(admin)
            _refuse_other_partitions(wanted.values(), standing, settings.kafka.partitions)
            missing = [spec for name, spec in wanted.items() if name not in standing]
            if not missing:
                return ()
            _create(admin, missing, settings.kafka)
            admin.wait_for_topics([spec.name for spec in missing])
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        servers = settings.kafka.bootstrap_servers
        raise TransientError(f"topics on {servers}: {type(error).__name__}") from error
    return tuple(spec.name for spec in missing)


def _partition_counts(admin: KafkaAdminClient) -> dict[str, int]:
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}


def _refuse_other_partitions(wanted: Iterable[TopicSpec], standing: dict[str, int], default: int) -> None:
    other = [
        f"{spec.name} has {standing[spec.name]}, not {spec.partitions or default}"
        for spec in wanted
        if spec.name in standing and standing[spec.name] != (spec.partitions or default)
    ]
    if other:
        raise ConfigError(
            "partitions differ: " + "; ".join(other),
            code="config.partitions",
            hint="partitions are never changed live: set kafka.partitions to what the topics have",
        )


def _create(admin: KafkaAdminClient, missing: Sequence[TopicSpec], kafka: KafkaSettings) -> None:
    asked = {
        spec.name: {
            "num_partitions": spec.partitions or kafka.partitions,
            "replication_factor": kafka.replication_factor,
            "configs": spec.config,
        }
        for spec in missing
    }
    answer = admin.create_topics(asked, raise_errors=False)
    for topic in answer["topics"]:
        # Created by another process in the meantime is as good; its partitions are seen at the next call.
        if topic["error_code"] not in (0, TopicAlreadyExistsError.errno):
            said = topic.get("error_message") or f"error {topic['error_code']}"
            raise ConfigError(f"topic {topic['name']}: {said}", code="config.topic")
