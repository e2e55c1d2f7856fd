"""The watch's side of Kafka: alerts out, ends of the raw log, and how far the watch has come.

Its position is event time, kept as the text of a committed offset of the group GROUP: nothing is lost with it (the watch
then looks again, and the same alerts have the same ids), but a restart need not look again and others see progress.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Final, Self

from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from schemas.alerts import AlertRaised, encode_alert
from schemas.errors import BrokerUnavailable
from schemas.events import Kind
from schemas.kafka_clients import open_admin, open_consumer
from schemas.kafka_options import Broker, common, producer, reader
from schemas.topics import ALERTS, RAW

GROUP: Final = "citybrain-watch"
PLACE: Final = TopicPartition(ALERTS.name, 0)
SEND_SECONDS: Final = 30.0


class WatchLog:
    """One watch's connection to Kafka. BrokerUnavailable from any call: try again."""

    def __init__(self, broker: Broker) -> None:
        with ExitStack() as opened:  # closed again unless all three are there
            try:
                self._producer = KafkaProducer(**producer(broker))
                opened.callback(self._producer.close, timeout=2)
                self._consumer = opened.enter_context(closing(open_consumer(reader(broker))))
                self._admin = opened.enter_context(closing(open_admin(common(broker))))
            except KafkaError as error:
                raise BrokerUnavailable(f"{broker.bootstrap}: {error!r}") from error
            self._opened = opened.pop_all()

    def send(self, alerts: Sequence[AlertRaised]) -> None:
        """Send alerts; returns when the broker has them all."""
        try:
            sent = []
            for alert in alerts:
                wire = encode_alert(alert)
                sent.append(self._producer.send(ALERTS.name, wire.value, key=wire.key, headers=wire.headers))
            self._producer.flush(timeout=SEND_SECONDS)
            for future in sent:
                future.get(timeout=SEND_SECONDS)
        except KafkaError as error:
            raise BrokerUnavailable(f"{len(alerts)} alerts not confirmed: {error!r}") from error

    def ends(self) -> dict[tuple[str, int], int]:
        """Next offset of every partition of the raw topics and of the alerts."""
        names = [*(topic.name for topic in RAW.values()), ALERTS.name]
        try:
            partitions = [TopicPartition(name, n) for name in names for n in self._consumer.partitions_for_topic(name) or ()]
            return {(p.topic, p.partition): end for p, end in self._consumer.end_offsets(partitions).items()}
        except KafkaError as error:
            raise BrokerUnavailable(f"ends of the log: {error!r}") from error

    def position(self) -> dict[Kind, int]:
        """Event time up to which every window of a kind is judged, milliseconds since 1970; empty when never kept."""
        return read_position(self._admin)

    def keep(self, position: Mapping[Kind, int]) -> None:
        """Remember it."""
        try:
            self._admin.alter_group_offsets(GROUP, {PLACE: OffsetAndMetadata(0, json.dumps(position), -1)})
        except KafkaError as error:
            raise BrokerUnavailable(f"position not kept: {error!r}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def read_position(admin: KafkaAdminClient) -> dict[Kind, int]:
    """Position of the watch; empty when none was kept, or none that can be read."""
    try:
        committed = admin.list_group_offsets(GROUP).get(GROUP, {}).get(PLACE)
    except KafkaError:
        return {}  # the group was never there, or its coordinator is starting: looking again raises the same ids
    try:
        found: dict[Kind, int] = json.loads(committed.metadata) if committed and committed.metadata else {}
    except ValueError:
        return {}
    return found
