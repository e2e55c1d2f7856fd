"""Whether City brain became slow: pairs of our run and a reference in the same minute, so that the machine does not matter.

    python -m bench.guard
    python -m bench.guard --record     # on a quiet machine: what is measured now is what counts from now on

The reference is ClickHouse alone, which reads the same events from a file into our tables (`clickhouse_file_ours`). The
median of the pairs' ratios is held against the one recorded in bench/guard.json: below three quarters of it a warning,
below a half exit code 1. One run of a pair follows the other at once, ours and the reference first in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench.compare import run_peer, write_file
from bench.filled import Filling, filled
from bench.machine import commit, machine
from bench.throughput import measure
from citybrain.local_kafka import LocalKafka

RECORD: Final = Path(__file__).with_name("guard.json")
PAIRS: Final = 5
EVENTS: Final = 150_000
FAIL, WARN = 0.5, 0.75


def ratios(events: int, pairs: int) -> list[float]:
    """Our events a second over the reference's, a pair at a time."""
    filling = Filling("mixed", events)
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, filled(Path(folder) / "broker", filling) as kafka:
        file = Path(folder) / "events.ndjson"
        write_file(file, filling)
        for number in range(pairs):
            found.append(_pair(kafka, Path(folder) / str(number), file, ours_first=number % 2 == 0))
            print(f"pair {number + 1} of {pairs}: {found[-1]:.3f}", file=sys.stderr, flush=True)
    return found


def _pair(kafka: LocalKafka, folder: Path, file: Path, *, ours_first: bool) -> float:
    rates: dict[str, float] = {}
    folder.mkdir()
    for name in ("ours", "reference") if ours_first else ("reference", "ours"):
        if name == "ours":
            rates[name] = measure(kafka, folder / name, audit=False).events_per_second
        else:
            rates[name] = run_peer("clickhouse_file_ours", kafka, folder / name, file, Path(sys.executable))[
                "events_per_second"
            ]
    return rates["ours"] / rates["reference"]


def judged(median: float, recorded: float) -> str:
    """`slow` (fail), `slower` (warn) or `fine`."""
    if median < FAIL * recorded:
        return "slow"
    return "slower" if median < WARN * recorded else "fine"


def main() -> None:
    """Measure, compare, say so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--record", action="store_true", help="write bench/guard.json instead of comparing with it")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    found = ratios(asked.events, asked.pairs)
    median = statistics.median(found)
    if asked.record:
        note = {
            "ratio": round(median, 3),
            "events": asked.events,
            "pairs": asked.pairs,
            "commit": commit(),
            "machine": machine(),
        }
        RECORD.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
        print(f"{RECORD.name}: ratio {median:.3f}")
        return
    recorded: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    verdict = judged(median, recorded["ratio"])
    if asked.json:
        print(json.dumps({"ratio": median, "ratios": found, "recorded": recorded["ratio"], "verdict": verdict}))
    else:
        print(
            f"{verdict}: {median:.3f} of ClickHouse alone (median of {asked.pairs}); recorded {recorded['ratio']:.3f} at "
            f"{recorded['commit']}; warns below {WARN * recorded['ratio']:.3f}, fails below {FAIL * recorded['ratio']:.3f}"
        )
    if verdict == "slow":
        raise SystemExit(1)


if __name__ == "__main__":
    main()
