"""Decides how the trail's processes reach ClickHouse, from the settings every process shares."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.settings import ClickHouseSettings

_AUTHENTICATION_FAILED = 516


def open_clickhouse(clickhouse: ClickHouseSettings, *, answer_within: float) -> Client:
    """A connected client without a session; `answer_within` in seconds for each answer.

    Raises `TransientError` when ClickHouse does not answer and `ConfigError` for a wrong address or user.
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
            compress=not on_this_machine(address.hostname),
            connect_timeout=5,
            send_receive_timeout=answer_within,
            autogenerate_session_id=False,
        )
    except (ClickHouseError, OSError) as error:
        if getattr(error, "code", None) == _AUTHENTICATION_FAILED:
            raise ConfigError(
                "clickhouse.username: refused, or clickhouse.password is wrong", code="config.clickhouse"
            ) from error
        raise TransientError(
            f"ClickHouse does not answer on {clickhouse.url}", code="transient.clickhouse"
        ) from error


def on_this_machine(host: str) -> bool:
    """Whether nothing between the two is slower than compressing would be."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
