"""Latency from produce to queryable at a steady rate, through a whole deployment on this machine, generators beside it.

python -m bench.latency --rate 5000 --seconds 40

Generators are processes of their own, which share the machine: what they cost is shown. An event counts from the broker's
append time to when its row is in the store.
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

WARM_SECONDS: Final = 5.0
"""Left out of the figures: imports, first fetches, first parts."""
FASTEST_GENERATOR: Final = 12_000
"""Events a second that one generator keeps up beside a busy pipeline; for more there are several."""
BEHIND_SECONDS: Final = 120.0
LATE: Final = (
    "SELECT count() AS events, round(quantileExact(0.5)(s), 3) AS p50, round(quantileExact(0.95)(s), 3) AS p95, "
    "round(quantileExact(0.99)(s), 3) AS p99, round(max(s), 3) AS most "
    "FROM (SELECT (toUnixTimestamp64Milli(stored_at) - toUnixTimestamp64Milli(received_at)) / 1000 AS s FROM events "
    "WHERE received_at > fromUnixTimestamp64Milli({since}))"
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
        since = int((max(one["started"] for one in sent) + WARM_SECONDS) * 1000)
        late: dict[str, Any] = json.loads(deployment.query(LATE.format(since=since), "JSONEachRow"))
        return {
            "rate_asked": rate,
            "rate_sent": round(sum(one["sent"] / one["seconds"] for one in sent)),
            "behind_at_the_end": left,
            "seconds_late": late,
            "generators": len(sent),
            "cpu_seconds": cpu | {"generators": round(sum(one["cpu_seconds"] for one in sent), 1)},
            "generator_us": round(sum(one["cpu_seconds"] for one in sent) / sum(one["sent"] for one in sent) * 1e6, 1),
            "memory_mib": {name: process.memory_info().rss >> 20 for name, process in parts.items()},
            "audit_clean": run_audit(deployment.broker, as_arrow(deployment.query), Settings().city.time_zone).clean
            if audit
            else None,
        }


def _cpu(parts: dict[str, psutil.Process]) -> dict[str, float]:
    return {name: sum(process.cpu_times()[:2]) for name, process in parts.items()}


def _send(bootstrap: str, rate: int, seconds: int) -> list[dict[str, Any]]:
    """What the generators said when all were done. BenchFailed when one failed."""
    count = -(-rate // FASTEST_GENERATOR)
    senders = [
        subprocess.Popen(
            [
                sys.executable, "-m", "bench.traffic", "--broker", bootstrap, "--events", str(rate * seconds),
                "--shard", f"{number}/{count}", "--rate", str(rate // count),
            ],
            stdout=subprocess.PIPE,
            preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
        )
        for number in range(count)
    ]  # fmt: skip
    told = [sender.communicate()[0] for sender in senders]
    if codes := [sender.returncode for sender in senders if sender.returncode]:
        message = f"generators ended with codes {codes}"
        raise BenchFailed(message)
    return [json.loads(output.splitlines()[-1]) for output in told]


def main() -> None:
    """Send at a rate, then ask the store how late each event became queryable."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5_000, help="events per second")
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="one JSON object in one line")
    asked = parser.parse_args()
    found = {"machine": machine(), **at_rate(asked.rate, asked.seconds)}
    print(json.dumps(found) if asked.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
