"""Events a second of one producer process, against bare kafka-python in the same run; and of several processes at once.

python -m bench.producer --events 200000 --processes 3

One process: the same sensor readings three times, encoded while they are sent, with and without encoding, and as bare bytes.
Several: records of the simulated city (`bench/traffic.py`), made before the clock runs, each process a part.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from kafka import KafkaProducer

from bench.filled import BenchFailed
from bench.machine import machine
from citybrain.children import tied_to_parent
from citybrain.local_kafka import LocalKafka
from citybrain.topics import ensure_topics
from ingest.outgoing import Outgoing, encode
from ingest.producer import HEADERS, EventProducer
from schemas.kafka_options import Broker, producer
from schemas.topics import RAW

AT_ONCE: Final = 1_000_000_000
"""Events a second that no producer reaches: nothing waits, and everything is made before the clock runs."""


def main() -> None:
    """Send the same events several ways and print the rates."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=200_000)
    arguments.add_argument("--processes", type=int, default=3)
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
            "kafka-python, bare bytes": _rate(events, lambda: _bare(broker, events, [])),
            "kafka-python, CloudEvents": _rate(events, lambda: _bare(broker, events, HEADERS)),
            "EventProducer, one process": _rate(events, lambda: _ours(broker, events)),
            f"EventProducer, {asked.processes} processes": _several(broker, asked.events, asked.processes),
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


def _bare(broker: Broker, events: list[Outgoing], headers: list[tuple[str, bytes]]) -> None:
    """Without headers one record again and again; with them every event as a CloudEvent, by kafka-python's own means."""
    sender = KafkaProducer(**producer(broker))
    topic = RAW["sensor"].name
    wires = map(encode, events) if headers else [encode(event) for event in events[:1]] * len(events)
    for wire in wires:
        sender.send(topic, wire.value, wire.key, headers)
    sender.flush()
    sender.close()


def _ours(broker: Broker, events: list[Outgoing]) -> None:
    with EventProducer(broker) as sender:
        for event in events:
            sender.send(event)


def _several(broker: Broker, events: int, processes: int) -> int:
    """Events a second of all processes together, by the time of each."""
    senders = [
        subprocess.Popen(
            [
                sys.executable, "-m", "bench.traffic", "--broker", broker.bootstrap, "--events", str(events),
                "--shard", f"{number}/{processes}", "--rate", str(AT_ONCE),
            ],
            stdout=subprocess.PIPE,
            preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
        )
        for number in range(processes)
    ]  # fmt: skip
    told: list[dict[str, Any]] = []
    for sender in senders:
        output = sender.communicate()[0]
        if sender.returncode:
            message = f"a producer ended with code {sender.returncode}"
            raise BenchFailed(message)
        told.append(json.loads(output.splitlines()[-1]))
    first = min(one["started"] for one in told)
    last = max(one["started"] + one["seconds"] for one in told)
    return round(float(sum(one["delivered"] for one in told) / (last - first)))


if __name__ == "__main__":
    main()
