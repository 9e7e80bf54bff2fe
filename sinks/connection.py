"""Decides how the trail's processes reach Kafka and ClickHouse, from the settings every process shares."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from aiokafka.helpers import create_ssl_context
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.settings import ClickHouseSettings, KafkaSettings


def for_kafka_python(kafka: KafkaSettings) -> dict[str, Any]:
    """The settings as kafka-python names them."""
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


def for_aiokafka(kafka: KafkaSettings) -> dict[str, Any]:
    """The settings as aiokafka names them; raises `ConfigError` for certificates that cannot be read."""
    named = {name: value for name, value in for_kafka_python(kafka).items() if not name.startswith("ssl_")}
    if kafka.security_protocol in ("SSL", "SASL_SSL"):
        try:
            named["ssl_context"] = create_ssl_context(
                cafile=str(kafka.ssl_cafile) if kafka.ssl_cafile else None,
                certfile=str(kafka.ssl_certfile) if kafka.ssl_certfile else None,
                keyfile=str(kafka.ssl_keyfile) if kafka.ssl_keyfile else None,
            )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("settings: kafka: the certificates cannot be read", code="config.kafka") from error
    return named


def open_clickhouse(clickhouse: ClickHouseSettings, *, answer_within: float) -> Client:
    """A connected client without a session; `answer_within` in seconds for each answer.

    Raises `TransientError` when ClickHouse does not answer and `ConfigError` for a wrong address.
    """
    address = urlsplit(clickhouse.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigError("clickhouse.url: expected http(s)://host:port", code="config.clickhouse")
    try:
        return clickhouse_connect.get_client(
            host=address.hostname,
            port=address.port or (8443 if address.scheme == "https" else 8123),
            secure=address.scheme == "https",
            username=clickhouse.username,
            password=clickhouse.password.get_secret_value() if clickhouse.password else "",
            ca_cert=str(clickhouse.ca_cert) if clickhouse.ca_cert else None,
            connect_timeout=5,
            send_receive_timeout=answer_within,
            autogenerate_session_id=False,
        )
    except (ClickHouseError, OSError) as error:
        raise TransientError(
            f"ClickHouse does not answer on {clickhouse.url}", code="transient.clickhouse"
        ) from error
