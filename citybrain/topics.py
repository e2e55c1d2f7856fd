"""Create and check Kafka topics as `schemas.topics` says."""

from __future__ import annotations

from typing import NamedTuple

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from schemas.errors import BrokerUnavailable
from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, common
from schemas.topics import ALERTS, ALL, RAW, RISK, Topic


class TopicState(NamedTuple):
    """A topic as it is. `partitions` 0: it does not exist."""

    name: str
    topic_id: str
    partitions: int


def topic_config(topic: Topic) -> dict[str, str]:
    """Broker-side configuration of a topic."""
    config = {"retention.ms": str(topic.retention_ms), "max.message.bytes": str(topic.max_message_bytes)}
    # Arrival is the broker's clock, never a producer's (docs/decisions/0007).
    config["message.timestamp.type"] = "CreateTime" if topic is RISK else "LogAppendTime"
    return config


def describe(broker: Broker) -> dict[str, TopicState]:
    """Every topic of ours as it is."""
    admin = _admin(broker)
    try:
        existing = set(admin.list_topics())
        found = (
            {topic["name"]: topic for topic in admin.describe_topics([t.name for t in ALL if t.name in existing])}
            if existing
            else {}
        )
    finally:
        admin.close()
    return {
        topic.name: TopicState(topic.name, str(found[topic.name]["topic_id"]), len(found[topic.name]["partitions"]))
        if topic.name in found
        else TopicState(topic.name, "", 0)
        for topic in ALL
    }


def ensure_topics(broker: Broker) -> list[str]:
    """Create what is missing; names of what was created. `citybrain.risk` first: partition p of any topic goes to its p."""
    states = describe(broker)
    missing = [topic for topic in (RISK, *RAW.values(), ALERTS) if not states[topic.name].partitions]
    if missing:
        admin = _admin(broker)
        try:
            admin.create_topics(
                {
                    topic.name: {"num_partitions": topic.partitions, "replication_factor": -1, "configs": topic_config(topic)}
                    for topic in missing
                }
            )
        finally:
            admin.close()
    return [topic.name for topic in missing]


def problems(broker: Broker) -> list[str]:
    """What is wrong with the topics, each with its fix."""
    states = describe(broker)
    found = [f"topic {name} is missing; run `citybrain topics`" for name, state in states.items() if not state.partitions]
    widest = max((states[topic.name].partitions for topic in RAW.values()), default=0)
    risk = states[RISK.name].partitions
    if risk and risk < widest:
        found.append(
            f"{RISK.name} has {risk} partitions, a raw topic has {widest}; raise {RISK.name} to at least {widest} "
            "before the raw topics (kafka-topics --alter), else their blocks have nowhere to go"
        )
    return found


def _admin(broker: Broker) -> KafkaAdminClient:
    try:
        return open_admin(common(broker))
    except KafkaError as error:
        message = (
            f"no Kafka at {broker.bootstrap} ({error!r}); set CITYBRAIN_BROKER__BOOTSTRAP to host:port of a running broker"
        )
        raise BrokerUnavailable(message) from error
