"""Latency from produce to queryable at a steady rate, through the real parts.

python -m bench.latency --rate 5000 --seconds 40
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import orjson
import psutil

from bench.machine import machine
from citybrain.deployment import Deployment
from citybrain.progress import measure
from citybrain.settings import Settings
from ingest.city import build_city, make_plan
from ingest.city.plan import merged
from ingest.producer import EventProducer

WARM_SECONDS = 5.0
"""Left out of the figures: imports, first fetches, first parts."""


def main() -> None:
    """Send at a rate, then ask the store how late each event became queryable."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rate", type=int, default=5_000, help="events per second")
    arguments.add_argument("--seconds", type=int, default=40)
    asked = arguments.parse_args()
    city = build_city(1)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    plan = make_plan(city, midnight, 1_000_000)
    wires = list(islice(merged(plan, played=False), asked.rate * asked.seconds))
    with tempfile.TemporaryDirectory() as folder, Deployment(Settings(), Path(folder), city.places) as deployment:
        before = {
            part.name: sum(psutil.Process(part.process.pid).cpu_times()[:2])
            for part in deployment.supervisor.parts
            if part.process
        }
        before["send"] = sum(psutil.Process().cpu_times()[:2])
        with EventProducer(deployment.broker) as producer:
            started = time.time()
            for number, wire in enumerate(wires):
                if (wait := started + number / asked.rate - time.time()) > 0.002:
                    time.sleep(wait)
                producer.send_wire(wire)
            sent_in = time.time() - started
        while measure(deployment.broker, deployment.query).behind:
            time.sleep(0.2)
        processes = {part.name: psutil.Process(part.process.pid) for part in deployment.supervisor.parts if part.process}
        processes["send"] = psutil.Process()
        memory = {name: process.memory_info().rss >> 20 for name, process in processes.items()}
        cpu = {name: round(sum(process.cpu_times()[:2]) - before.get(name, 0.0), 1) for name, process in processes.items()}
        warm = f"received_at > fromUnixTimestamp64Milli({int((started + WARM_SECONDS) * 1000)})"
        late = json.loads(deployment.query(
            "SELECT count() AS events, round(quantileExact(0.5)(s), 3) AS p50, round(quantileExact(0.95)(s), 3) AS p95, "
            "round(quantileExact(0.99)(s), 3) AS p99, round(max(s), 3) AS most "
            f"FROM (SELECT (toUnixTimestamp64Milli(stored_at) - toUnixTimestamp64Milli(received_at)) / 1000 AS s FROM events WHERE {warm})",
            "JSONEachRow",
        ))  # fmt: skip
        blocks = json.loads(deployment.query("SELECT count() AS blocks FROM blocks", "JSONEachRow"))
    print(orjson.dumps(
        {"machine": machine(), "rate_asked": asked.rate, "rate_sent": round(len(wires) / sent_in), "seconds_late": late,
         **blocks, "memory_mib": memory, "cpu_seconds": cpu},
        option=orjson.OPT_INDENT_2,
    ).decode())  # fmt: skip


if __name__ == "__main__":
    main()
