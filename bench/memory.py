"""Resident memory of worker and loader while ten million events go through: it has to be flat after the first million.

python -m bench.memory --events 10000000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.filled import Filling, filled
from bench.machine import machine
from bench.throughput import measure

FIRST: Final = 1_000_000
"""Events after which memory has to be flat."""


def curve(events: int, *, audit: bool) -> dict[str, Any]:
    """(stored, MiB of each part) over time, and how much each grew from the first million to its most afterwards."""
    samples: list[dict[str, int]] = []

    def look(stored: int, memory: Callable[[], dict[str, int]]) -> None:
        samples.append({"stored": stored, **memory()})

    with tempfile.TemporaryDirectory(prefix="bench-") as folder, filled(Path(folder), Filling("mixed", events)) as kafka:
        with tempfile.TemporaryDirectory(prefix="bench-run-") as scratch:
            run = measure(kafka, Path(scratch) / "run", audit=audit, look=look)
    samples.append({"stored": events, **run.memory_mib})
    return {
        "events": events,
        "growth": growth(samples, min(FIRST, events // 2)),
        "most_mib": {name: max(sample.get(name, 0) for sample in samples) for name in run.memory_mib},
        "audit_clean": run.audit["clean"] if run.audit else None,
        "curve": thinned(samples),
    }


def growth(samples: list[dict[str, int]], first: int) -> dict[str, float]:
    """Share by which the most of the last quarter of the samples is above the most between `first` and twice `first` events."""
    after = [sample for sample in samples if sample["stored"] >= first] or samples[-1:]
    early = [sample for sample in after if sample["stored"] <= 2 * first] or after[:1]
    late = after[-max(1, len(after) // 4) :]
    names = [name for name in samples[-1] if name != "stored"]
    return {
        name: round(max(sample[name] for sample in late) / max(sample.get(name, 1) for sample in early) - 1, 3)
        for name in names
    }


def thinned(samples: list[dict[str, int]], most: int = 40) -> list[dict[str, int]]:
    """Evenly chosen samples, the last one among them."""
    return samples[:: max(1, len(samples) // most)] + samples[-1:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--audit", action="store_true", help="half a minute a million events longer")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    found = {"machine": machine(), **curve(asked.events, audit=asked.audit)}
    if asked.json:
        print(json.dumps(found))
        return
    for sample in found["curve"]:
        print(", ".join(f"{name} {value:,}" for name, value in sample.items()), file=sys.stdout)
    print("growth after the first million: " + ", ".join(f"{name} {share:+.1%}" for name, share in found["growth"].items()))


if __name__ == "__main__":
    main()
