"""Ids of topics: what the ledger and the tokens go by, since a re-created topic starts a new life."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, common


def topic_ids(broker: Broker, names: Iterable[str]) -> dict[str, str]:
    """UUID of each topic, text. KafkaError: no broker answered."""
    with closing(open_admin(common(broker))) as admin:
        return {topic["name"]: str(topic["topic_id"]) for topic in admin.describe_topics(sorted(names))}
