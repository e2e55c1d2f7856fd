"""Kafka to Alertmanager: `citybrain.alerts` from its start, folded, and what is due sent again and again.

Nothing is kept between starts: the log is read anew, and Alertmanager knows an alert by its labels and start. It forgets
alerts when it restarts, so all that fire are sent every RESEND_SECONDS, as Prometheus does.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any, Final

from kafka import TopicPartition

from schemas import metrics
from schemas.alerts import read_alert
from schemas.errors import BadAlert, CitybrainError
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader
from schemas.topics import ALERTS
from sinks.alert_board import AlertBoard

log = logging.getLogger(__name__)
RESEND_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 10.0
MOST_AT_ONCE: Final = 500
"""Alerts in one request."""


class AlertmanagerUnavailable(CitybrainError):
    """Alertmanager did not take alerts. They are sent again."""

    retryable = True


def post(url: str, alerts: list[dict[str, Any]]) -> None:
    """Send alerts to Alertmanager's API v2 at `url`. AlertmanagerUnavailable: no answer, or not taken."""
    for first in range(0, len(alerts), MOST_AT_ONCE):
        part = alerts[first : first + MOST_AT_ONCE]
        request = urllib.request.Request(  # noqa: S310 - settings allow http and https only
            f"{url.rstrip('/')}/api/v2/alerts", json.dumps(part).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):  # noqa: S310 - as above
                metrics.NOTIFIED.labels("delivered").inc(len(part))
        except (urllib.error.URLError, OSError) as error:
            metrics.NOTIFIED.labels("failed").inc(len(part))
            told = error.read().decode(errors="replace")[:200] if isinstance(error, urllib.error.HTTPError) else str(error)
            message = f"Alertmanager at {url} did not take {len(part)} alerts: {told}; they will be sent again"
            raise AlertmanagerUnavailable(message) from error


class Notifier:
    """Follows the alerts topic and keeps Alertmanager informed until told to stop."""

    def __init__(self, broker: Broker, url: str, link: str = "") -> None:
        self._broker = broker
        self._url = url
        self._board = AlertBoard(link)
        self._sent_at = -RESEND_SECONDS
        self._sent: list[dict[str, Any]] = []

    def run(self, stop: threading.Event) -> None:
        """Read all there is before the first alert is sent: one that was resolved since must not ring again."""
        consumer = open_consumer(reader(self._broker))
        try:
            partitions = [
                TopicPartition(ALERTS.name, number) for number in sorted(consumer.partitions_for_topic(ALERTS.name) or ())
            ]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            while not stop.is_set():
                for records in consumer.poll(timeout_ms=500).values():
                    for record in records:
                        self._take(record)
                if all(consumer.position(partition) >= ends[partition] for partition in partitions):
                    self._tell()
        finally:
            consumer.close()

    def _take(self, record: Any) -> None:
        try:
            self._board.add(read_alert(record.value))
        except BadAlert as error:  # the loader keeps it as a reject
            log.warning("%s[%d] offset %d is no alert: %s", record.topic, record.partition, record.offset, error)

    def _tell(self) -> None:
        due, now = self._board.due(datetime.now(UTC)), time.monotonic()
        if due == self._sent and now - self._sent_at < RESEND_SECONDS:
            return
        try:
            post(self._url, due)
        except AlertmanagerUnavailable as error:
            log.warning("%s", error)
            self._sent_at = now - RESEND_SECONDS + 1  # again in a second
        else:
            self._sent_at = now
        self._sent = due
