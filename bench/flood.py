"""Records of the simulated city at an even rate, by one process that takes a small part of a core.

    python -m bench.flood --broker 127.0.0.1:9092 --rate 20000 --seconds 300

librdkafka sends, so that the machine is left to what is measured or flooded: two processes of kafka-python took a core and a
half for this rate. A quarter of a minute of traffic is made ahead, and sent again under other ids.
The last line is what was sent, JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import count
from typing import Any, Final, NamedTuple

import orjson
from confluent_kafka import Producer

from bench.traffic import wires
from ingest.partition import partition_of
from ingest.producer import HEADERS
from schemas.topics import RAW

ROUND_SECONDS: Final = 15
IDENTIFIED: Final = b'"id":"'
"""Where the id of a record begins; it stands before the data."""
TICK_SECONDS: Final = 0.01
FLUSH_SECONDS: Final = 60.0
OPTIONS: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 20,
    "compression.type": "lz4",
    "delivery.report.only.error": True,
}


class _Ready(NamedTuple):
    topic: str
    partition: int
    key: bytes
    value: bytes


def main() -> None:
    """Send at an even rate until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True, help="host:port")
    parser.add_argument("--rate", type=int, default=20_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    asked = parser.parse_args()
    failed = 0

    def lost(error: Any, _: Any) -> None:
        nonlocal failed
        failed += error is not None

    producer = Producer({**OPTIONS, "bootstrap.servers": asked.broker, "on_delivery": lost})
    made = _made(producer, round(asked.rate * min(ROUND_SECONDS, asked.seconds)))
    flood, sent, started, cpu = _rounds(made), 0, time.time(), time.process_time()
    while (passed := time.time() - started) < asked.seconds:
        for _ in range(round(asked.rate * passed) - sent):
            _send(producer, next(flood))
            sent += 1
        producer.poll(TICK_SECONDS)
    open_still = producer.flush(FLUSH_SECONDS)
    told = {"started": started, "seconds": time.time() - started, "cpu_seconds": time.process_time() - cpu, "sent": sent}
    print(orjson.dumps(told | {"delivered": sent - failed - open_still}).decode())
    if failed or open_still:
        raise SystemExit(1)


def _made(producer: Producer, events: int) -> list[_Ready]:
    known = producer.list_topics(timeout=30).topics
    partitions = {kind: len(known[topic.name].partitions) for kind, topic in RAW.items()}
    return [
        _Ready(RAW[wire.kind].name, partition_of(wire.key, partitions[wire.kind]), wire.key, wire.value)
        for wire in wires("mixed", events)
    ]


def _rounds(made: list[_Ready]) -> Iterator[_Ready]:
    """Without end. The first round is as made."""
    yield from made
    for number in count(1):
        mark = IDENTIFIED + f"{number}-".encode()
        for ready in made:
            yield ready._replace(value=ready.value.replace(IDENTIFIED, mark, 1))


def _send(producer: Producer, ready: _Ready) -> None:
    """Waits while librdkafka's queue is full: then the broker is the slower one, and the rate told at the end says so."""
    while True:
        try:
            producer.produce(ready.topic, ready.value, ready.key, ready.partition, headers=HEADERS)
        except BufferError:
            producer.poll(TICK_SECONDS)
        else:
            return


if __name__ == "__main__":
    main()
