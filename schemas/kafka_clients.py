"""Says how the Kafka clients are told where the brokers are: our settings in the words of kafka-python and aiokafka.

Secrets are taken out of their wrapping here and nowhere else.
"""

from __future__ import annotations

import ssl
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import KafkaSettings


def for_kafka_python(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments of a kafka-python client; raises `ConfigError` for SASL without its secret."""
    files = {"ssl_cafile": kafka.ssl_cafile, "ssl_certfile": kafka.ssl_certfile, "ssl_keyfile": kafka.ssl_keyfile}
    return {
        "bootstrap_servers": [server.strip() for server in kafka.bootstrap_servers.split(",")],
        "security_protocol": kafka.security_protocol,
        **_sasl(kafka),
        **{name: str(path) for name, path in files.items() if path is not None},
    }


def for_aiokafka(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments of an aiokafka client; raises `ConfigError` for a missing secret or a file that cannot be read."""
    return {
        "bootstrap_servers": kafka.bootstrap_servers,
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
        **_sasl(kafka),
    }


def sasl_secret(kafka: KafkaSettings) -> tuple[str, str] | None:
    """User name and password, None without SASL; raises `ConfigError` when one is missing."""
    if not kafka.security_protocol.startswith("SASL"):
        return None
    if kafka.sasl_mechanism is None or kafka.sasl_username is None or kafka.sasl_password is None:
        raise ConfigError(
            f"{kafka.security_protocol} needs sasl_mechanism, sasl_username and sasl_password", code="config.kafka"
        )
    return kafka.sasl_username, kafka.sasl_password.get_secret_value()


def ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """The TLS context, None without TLS; raises `ConfigError` for a file that cannot be read."""
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
        if kafka.ssl_certfile is not None:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile)
    except OSError as error:
        raise ConfigError(f"a TLS file cannot be read: {type(error).__name__}", code="config.kafka") from error
    return context


def _sasl(kafka: KafkaSettings) -> dict[str, Any]:
    secret = sasl_secret(kafka)
    if secret is None:
        return {}
    username, password = secret
    return {
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": username,
        "sasl_plain_password": password,
    }
