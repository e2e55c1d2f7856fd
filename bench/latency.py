"""Latency from produce to queryable at a steady rate, through a whole deployment on this machine, the generator beside it.

python -m bench.latency --rate 5000 --seconds 60

The generator (`bench.flood`) is a process of its own, which shares the machine: what it costs is shown. An event counts from the
broker's append time to when its row is in the store. The start is told apart: broker and parts are new, and the pace is not found yet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil

from bench.filled import BenchFailed
from bench.machine import machine
from bench.traffic import SEED
from citybrain.audit import run_audit
from citybrain.children import tied_to_parent
from citybrain.deployment import Deployment
from citybrain.progress import measure
from citybrain.reading import as_arrow
from citybrain.settings import Settings
from ingest.city import build_city

WARM_SECONDS: Final = 20.0
"""The start: a broker compiles itself for so long, and blocks become as young as its and the loader's cost allow then."""
BEHIND_SECONDS: Final = 120.0
LATE: Final = (
    "SELECT count() AS events, round(quantileExact(0.5)(s), 3) AS p50, round(quantileExact(0.95)(s), 3) AS p95, "
    "round(quantileExact(0.99)(s), 3) AS p99, round(max(s), 3) AS most "
    "FROM (SELECT (toUnixTimestamp64Milli(stored_at) - toUnixTimestamp64Milli(received_at)) / 1000 AS s FROM events "
    "WHERE received_at > fromUnixTimestamp64Milli({since}) AND received_at <= fromUnixTimestamp64Milli({until}))"
)


def at_rate(rate: int, seconds: int, *, audit: bool = True) -> dict[str, Any]:
    """One deployment, `rate` events a second for `seconds`: how late they were, and what each process cost."""
    with tempfile.TemporaryDirectory() as folder, Deployment(Settings(), Path(folder), build_city(SEED).places) as deployment:
        parts = {part.name: psutil.Process(part.process.pid) for part in deployment.supervisor.parts if part.process}
        before = _cpu(parts)
        sent = _send(deployment.broker.bootstrap, rate, seconds)
        deadline = time.monotonic() + BEHIND_SECONDS
        while (left := measure(deployment.broker, deployment.query).behind) and time.monotonic() < deadline:
            time.sleep(0.2)
        cpu = {name: round(seconds - before[name], 1) for name, seconds in _cpu(parts).items()}
        begun, warm, ended = (int(s * 1000) for s in (sent["started"], sent["started"] + _start_of(seconds), time.time()))

        def late(since: int, until: int) -> dict[str, Any]:
            found: dict[str, Any] = json.loads(deployment.query(LATE.format(since=since, until=until), "JSONEachRow"))
            return found

        return {
            "rate_asked": rate,
            "rate_sent": round(sent["sent"] / sent["seconds"]),
            "behind_at_the_end": left,
            "seconds_late": late(warm, ended),
            "seconds_late_at_the_start": late(begun, warm),
            "cpu_seconds": cpu | {"generator": round(sent["cpu_seconds"], 1)},
            "generator_us": round(sent["cpu_seconds"] / sent["sent"] * 1e6, 1),
            "memory_mib": {name: process.memory_info().rss >> 20 for name, process in parts.items()},
            "audit_clean": run_audit(deployment.broker, as_arrow(deployment.query), Settings().city.time_zone).clean
            if audit
            else None,
        }


def _start_of(seconds: float) -> float:
    """How much of a run is its start: never more than a third, so that a short run tells something too."""
    return min(WARM_SECONDS, seconds / 3)


def _cpu(parts: dict[str, psutil.Process]) -> dict[str, float]:
    return {name: sum(process.cpu_times()[:2]) for name, process in parts.items()}


def _send(bootstrap: str, rate: int, seconds: int) -> dict[str, Any]:
    """What the generator said at its end. BenchFailed when it failed."""
    asked = ["--broker", bootstrap, "--rate", str(rate), "--seconds", str(seconds)]
    sender = subprocess.run(
        [sys.executable, "-m", "bench.flood", *asked],
        stdout=subprocess.PIPE, check=False, preexec_fn=tied_to_parent,
    )  # fmt: skip
    if sender.returncode:
        message = f"the generator ended with code {sender.returncode}"
        raise BenchFailed(message)
    told: dict[str, Any] = json.loads(sender.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Send at a rate, then ask the store how late each event became queryable."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5_000, help="events per second")
    parser.add_argument("--seconds", type=int, default=60, help=f"of which the start is {WARM_SECONDS:.0f}, or a third")
    parser.add_argument("--json", action="store_true", help="one JSON object in one line")
    asked = parser.parse_args()
    found = {"machine": machine(), **at_rate(asked.rate, asked.seconds)}
    print(json.dumps(found) if asked.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
