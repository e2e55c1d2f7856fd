"""Events a second of one producer process, against bare kafka-python in the same run.

python -m bench.producer --events 200000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson
from kafka import KafkaProducer

from bench.machine import machine
from citybrain.local_kafka import LocalKafka
from citybrain.topics import ensure_topics
from ingest.outgoing import Outgoing, encode
from ingest.producer import EventProducer
from schemas.kafka_options import Broker, producer
from schemas.topics import RAW


def main() -> None:
    """Send the same events three ways and print the rates."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=200_000)
    asked = arguments.parse_args()
    now = datetime.now(UTC)
    events = [
        Outgoing(
            "sensor", f"/gateway/{i % 40}", str(i), now,
            {"device": f"air-{i % 900}", "grid": "150627001001001", "readings": [{"metric": "pm2_5", "value": i % 90 / 2}]},
        )
        for i in range(asked.events)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, LocalKafka(Path(folder)) as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        ensure_topics(broker)
        rates = {
            "kafka-python, bare bytes": _rate(events, lambda: _bare(broker, events)),
            "EventProducer": _rate(events, lambda: _ours(broker, events)),
        }
    print(
        orjson.dumps(
            {"machine": machine(), "events": len(events), "events_per_second": rates}, option=orjson.OPT_INDENT_2
        ).decode()
    )


def _rate(events: list[Outgoing], send: Callable[[], None]) -> int:
    started = time.perf_counter()
    send()
    return round(len(events) / (time.perf_counter() - started))


def _bare(broker: Broker, events: list[Outgoing]) -> None:
    wires = [encode(event) for event in events[:1]] * len(events)
    sender = KafkaProducer(**producer(broker))
    topic = RAW["sensor"].name
    for wire in wires:
        sender.send(topic, wire.value, wire.key)
    sender.flush()
    sender.close()


def _ours(broker: Broker, events: list[Outgoing]) -> None:
    with EventProducer(broker) as sender:
        for event in events:
            sender.send(event)


if __name__ == "__main__":
    main()
