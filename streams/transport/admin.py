"""Says how kafka-python's clients reach the brokers: our Kafka settings in its words."""

from __future__ import annotations

from typing import Any

from inzage.schemas.settings import KafkaSettings


def connection(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments for a kafka-python client; secrets are taken out of their wrapping here and nowhere else."""
    named = {
        "bootstrap_servers": kafka.bootstrap_servers.split(","),
        "security_protocol": kafka.security_protocol,
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_username,
        "sasl_plain_password": kafka.sasl_password.get_secret_value() if kafka.sasl_password else None,
        "ssl_cafile": str(kafka.ssl_cafile) if kafka.ssl_cafile else None,
        "ssl_certfile": str(kafka.ssl_certfile) if kafka.ssl_certfile else None,
        "ssl_keyfile": str(kafka.ssl_keyfile) if kafka.ssl_keyfile else None,
    }
    return {name: value for name, value in named.items() if value is not None}
