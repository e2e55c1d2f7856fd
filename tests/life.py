"""A topic begins a new life: deleted and made again, with a new id and offsets from 0."""

from __future__ import annotations

import time
from contextlib import closing

from kafka.admin import KafkaAdminClient

from citybrain.topics import ensure_topics
from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, common


def recreate(broker: Broker, topic: str) -> None:
    """Delete a topic of ours, wait until it is gone, and make the topics again."""
    with admin_of(broker) as admin:
        if topic in admin.list_topics():
            admin.delete_topics([topic])
        while topic in admin.list_topics():
            time.sleep(0.05)
    ensure_topics(broker)


def admin_of(broker: Broker) -> closing[KafkaAdminClient]:
    """An admin client, closed at the end."""
    return closing(open_admin(common(broker)))
