"""Every topic of the contract is created once, as the contract configures it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.settings import KafkaSettings, Settings
from inzage.schemas.topics import ControllerTopics, specs

pytestmark = pytest.mark.kafka


def settings_for(broker: Broker, partitions: int = 3) -> Settings:
    return Settings(kafka=KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=partitions))


def test_creates_every_topic_of_the_contract_and_nothing_the_second_time(broker: Broker) -> None:
    controller = f"ctl-{uuid4().hex[:8]}"
    created = ensure_topics(settings_for(broker), [controller])
    own = {spec.name for spec in specs((controller,)) if controller in spec.name}
    assert own <= set(created)
    assert ensure_topics(settings_for(broker), [controller]) == ()

    events = ControllerTopics(controller).events
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    try:
        assert len(admin.describe_topics([events])[0]["partitions"]) == 3
        config = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, events)])
    finally:
        admin.close()
    assert "LogAppendTime" in str(config)


def test_refuses_a_topic_with_other_partitions(broker: Broker) -> None:
    controller = f"ctl-{uuid4().hex[:8]}"
    ensure_topics(settings_for(broker, partitions=3), [controller])
    with pytest.raises(ConfigError, match="has 3, not 4") as refused:
        ensure_topics(settings_for(broker, partitions=4), [controller])
    assert refused.value.code == "config.partitions"


def test_says_when_no_broker_answers() -> None:
    with pytest.raises(TransientError):
        ensure_topics(Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1")), ["cigna"])
