"""Decides how Faust reaches the brokers: our Kafka settings in its words."""

from __future__ import annotations

from typing import Any

import faust

from inzage.schemas.kafka_clients import for_aiokafka, sasl_secret, ssl_context
from inzage.schemas.settings import KafkaSettings

aiokafka_options = for_aiokafka


def faust_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments for a Faust app; raises `ConfigError` for a missing secret or file."""
    servers = [server.strip() for server in kafka.bootstrap_servers.split(",")]
    options: dict[str, Any] = {"broker": [f"kafka://{server}" for server in servers if server]}
    secret, context = sasl_secret(kafka), ssl_context(kafka)
    if secret is not None:
        options["broker_credentials"] = faust.SASLCredentials(
            username=secret[0], password=secret[1], ssl_context=context, mechanism=kafka.sasl_mechanism
        )
    elif context is not None:
        options["broker_credentials"] = faust.SSLCredentials(context)
    return options
