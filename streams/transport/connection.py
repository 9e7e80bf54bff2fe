"""Decides how a client reaches the brokers: our Kafka settings in the words of Faust and of aiokafka."""

from __future__ import annotations

import ssl
from typing import Any

import faust

from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import KafkaSettings


def aiokafka_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments for an aiokafka producer or consumer; raises `ConfigError` for a missing secret or file."""
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "security_protocol": kafka.security_protocol,
        "ssl_context": _ssl_context(kafka),
    }
    if kafka.security_protocol.startswith("SASL"):
        username, password = _secret(kafka)
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }
    return options


def faust_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Arguments for a Faust app; raises `ConfigError` for a missing secret or file."""
    servers = [server.strip() for server in kafka.bootstrap_servers.split(",")]
    options: dict[str, Any] = {"broker": [f"kafka://{server}" for server in servers if server]}
    context = _ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        username, password = _secret(kafka)
        options["broker_credentials"] = faust.SASLCredentials(
            username=username, password=password, ssl_context=context, mechanism=kafka.sasl_mechanism
        )
    elif context is not None:
        options["broker_credentials"] = faust.SSLCredentials(context)
    return options


def _secret(kafka: KafkaSettings) -> tuple[str, str]:
    if kafka.sasl_mechanism is None or kafka.sasl_username is None or kafka.sasl_password is None:
        raise ConfigError(
            f"{kafka.security_protocol} needs sasl_mechanism, sasl_username and sasl_password",
            code="config.kafka",
        )
    return kafka.sasl_username, kafka.sasl_password.get_secret_value()


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
        if kafka.ssl_certfile is not None:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile)
    except OSError as error:
        raise ConfigError(f"a TLS file cannot be read: {type(error).__name__}", code="config.kafka") from error
    return context
