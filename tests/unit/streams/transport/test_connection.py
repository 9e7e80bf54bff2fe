"""Kafka settings reach Faust and aiokafka whole: what is set to be encrypted is."""

from __future__ import annotations

import ssl
from pathlib import Path

import faust
import pytest

from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.connection import aiokafka_options, faust_options
from inzage.streams.transport.settings import BatchSettings

SECRET = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "worker", "sasl_password": "s3cret"}


def test_the_default_is_loopback_in_plain_text() -> None:
    assert faust_options(KafkaSettings()) == {"broker": ["kafka://127.0.0.1:9092"]}
    assert aiokafka_options(KafkaSettings())["security_protocol"] == "PLAINTEXT"
    assert aiokafka_options(KafkaSettings())["ssl_context"] is None


def test_every_bootstrap_server_is_passed_on() -> None:
    options = faust_options(KafkaSettings(bootstrap_servers="a:9092, b:9093"))
    assert options["broker"] == ["kafka://a:9092", "kafka://b:9093"]


def test_sasl_over_tls() -> None:
    kafka = KafkaSettings(security_protocol="SASL_SSL", **SECRET)
    credentials = faust_options(kafka)["broker_credentials"]
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-512"
    assert isinstance(credentials.ssl_context, ssl.SSLContext)
    assert credentials.ssl_context.verify_mode is ssl.CERT_REQUIRED
    plain = aiokafka_options(kafka)
    assert plain["sasl_plain_password"] == "s3cret"
    assert plain["sasl_mechanism"] == "SCRAM-SHA-512"


def test_tls_alone_and_sasl_alone() -> None:
    tls = faust_options(KafkaSettings(security_protocol="SSL"))["broker_credentials"]
    assert isinstance(tls, faust.SSLCredentials)
    sasl = faust_options(KafkaSettings(security_protocol="SASL_PLAINTEXT", **SECRET))["broker_credentials"]
    assert sasl.protocol.value == "SASL_PLAINTEXT"


def test_a_missing_secret_or_file_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="needs sasl_mechanism"):
        faust_options(KafkaSettings(security_protocol="SASL_SSL"))
    with pytest.raises(ConfigError, match="TLS file"):
        aiokafka_options(KafkaSettings(security_protocol="SSL", ssl_cafile=Path("/nowhere/ca.pem")))


def test_the_app_passes_them_to_faust() -> None:
    app = BatchApp("group", kafka=KafkaSettings(security_protocol="SASL_SSL", **SECRET))
    assert app.conf.broker_credentials.protocol.value == "SASL_SSL"
    assert app.conf.broker_commit_interval == 0.5
    assert app.conf.table_standby_replicas == 0


def test_a_watchdog_shorter_than_a_rebalance_is_refused() -> None:
    with pytest.raises(ConfigError, match="watchdog_age"):
        BatchSettings(rebalance_timeout=60.0, watchdog_age=30.0)
    with pytest.raises(ConfigError, match="at least 1"):
        BatchSettings(max_records=0)
