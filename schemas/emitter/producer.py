"""Builds the Kafka producer that loses nothing quietly: idempotent, acknowledged by all replicas, in order.

It compresses with gzip or not at all: that is what every consumer of ours reads without another package.
"""

from __future__ import annotations

from typing import Any, Literal

from kafka import KafkaProducer
from kafka.errors import KafkaError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import MAX_MESSAGE_BYTES

Compression = Literal["gzip"]

LINGER_MS = 25  # a lone event waits this long; under load batches fill by themselves
BATCH_BYTES = 1 << 17


def open_producer(
    kafka: KafkaSettings, *, compression: Compression | None, delivery_timeout: float, block: float
) -> Any:
    """A connected producer; times in seconds. A full buffer blocks for `block`, then raises.

    Raises `TransientError` when no broker answers, `ConfigError` for settings that Kafka refuses.
    """
    delivery_ms = round(delivery_timeout * 1000)
    try:
        producer = KafkaProducer(
            **for_kafka_python(kafka),
            client_id="inzage-emitter",
            enable_idempotence=True,
            acks="all",
            compression_type=compression,
            linger_ms=LINGER_MS,
            batch_size=BATCH_BYTES,
            max_request_size=MAX_MESSAGE_BYTES,
            delivery_timeout_ms=delivery_ms,
            request_timeout_ms=min(30_000, max(1, delivery_ms - LINGER_MS)),
            max_block_ms=round(block * 1000),
            bootstrap_timeout_ms=min(30_000, round(block * 1000)),
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
    except KafkaError as error:
        raise TransientError("no Kafka broker answers", code="transient.kafka") from error
    except (AssertionError, TypeError, ValueError, OSError) as error:
        raise ConfigError("settings: kafka: refused by the client", code="config.kafka") from error
    # kafka-python 3.0.12 does not hand this setting on, and a topic made in passing lacks the settings of ours
    producer._metadata.config["allow_auto_create_topics"] = False
    return producer
