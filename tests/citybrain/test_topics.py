"""Topics as schemas.topics says, on a real broker; what is wrong comes with its fix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from citybrain import topics
from citybrain.local_kafka import LocalKafka
from citybrain.topics import TopicState
from schemas.errors import BrokerUnavailable
from schemas.kafka_options import Broker, common
from schemas.topics import ALL, RAW, RISK


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker without a topic."""
    with LocalKafka(tmp_path_factory.mktemp("bare")) as kafka:
        yield Broker(bootstrap=kafka.bootstrap)


class TestEnsure:
    """In this order: missing, made, made again, incomplete."""

    def test_missing_topics_are_told_with_their_fix(self, bare: Broker) -> None:
        found = topics.problems(bare)

        assert [problem.split()[1] for problem in found] == [topic.name for topic in ALL]
        assert all("run `citybrain topics`" in problem for problem in found)
        assert all(state.partitions == 0 for state in topics.describe(bare).values())

    def test_they_are_made_as_the_contract_says_risk_first(self, bare: Broker) -> None:
        created = topics.ensure_topics(bare)

        assert created[0] == RISK.name
        assert set(created) == {topic.name for topic in ALL}
        states = topics.describe(bare)
        for topic in ALL:
            assert states[topic.name].partitions == topic.partitions
            told = config(bare, topic.name)
            assert told["retention.ms"] == str(topic.retention_ms)
            assert told["max.message.bytes"] == str(topic.max_message_bytes)
            assert told["message.timestamp.type"] == ("CreateTime" if topic is RISK else "LogAppendTime")
        assert topics.problems(bare) == []

    def test_a_second_time_changes_nothing(self, bare: Broker) -> None:
        before = topics.describe(bare)

        assert topics.ensure_topics(bare) == []
        assert topics.describe(bare) == before
        assert len({state.topic_id for state in before.values()}) == len(ALL), "each has an id of its own"

    def test_what_is_missing_is_made_and_the_rest_left_alone(self, bare: Broker) -> None:
        before = topics.describe(bare)
        admin = KafkaAdminClient(**common(bare))
        admin.delete_topics([RAW["grid"].name])
        admin.close()

        assert topics.ensure_topics(bare) == [RAW["grid"].name]
        after = topics.describe(bare)
        assert after[RAW["grid"].name].topic_id != before[RAW["grid"].name].topic_id
        assert after[RISK.name] == before[RISK.name]


class TestProblems:
    def test_a_raw_topic_wider_than_risk_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its last partitions' blocks would have nowhere to go."""
        states = {topic.name: TopicState(topic.name, "id", topic.partitions) for topic in ALL}
        states[RAW["sensor"].name] = TopicState(RAW["sensor"].name, "id", 5)
        monkeypatch.setattr(topics, "describe", lambda _: states)

        (problem,) = topics.problems(Broker())

        assert f"{RISK.name} has {RISK.partitions} partitions, a raw topic has 5" in problem
        assert "kafka-topics --alter" in problem

    def test_no_broker_is_told_with_the_setting_to_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(topics, "common", lambda broker: common(broker) | {"bootstrap_timeout_ms": 300})
        with pytest.raises(BrokerUnavailable, match="set CITYBRAIN_BROKER__BOOTSTRAP"):
            topics.describe(Broker(bootstrap="127.0.0.1:1"))


def config(broker: Broker, name: str) -> dict[str, Any]:
    """Configuration of a topic as the broker tells it."""
    admin = KafkaAdminClient(**common(broker))
    told = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    admin.close()
    return {key: entry["value"] for key, entry in told["topic"][name].items()}
