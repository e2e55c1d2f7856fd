"""Every measurement, one after the other, each in a process of its own: writes bench/RESULTS.md and bench/results.json.

    python -m bench.all
    python -m bench.all --only throughput --only latency
    python -m bench.all --quick            # small sizes: whether it works, no figures

A part that was not asked for keeps the figures of before, with the commit and the load they were measured at. `make bench`
keeps scratch files in memory where there is room (docs/decisions/0061).
`history` (backfill and questions) is not among the parts of `make bench`; `make bench-history` runs it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.machine import commit, machine
from bench.results import JSON, MARKDOWN, markdown

ROOT: Final = Path(__file__).parents[1]
SHARE_OF_MOST: Final = 0.8
"""Of the most events a second that the machine can make, send and store at once."""

MOST_OF_RATES: Final = 10
"""The highest rate is at most so many times the highest fixed one."""


class Sizes(NamedTuple):
    """How much is measured."""

    events: int
    runs: int
    seconds: int
    rates: tuple[int, ...]
    scale: int
    memory: int
    history: int
    history_days: int


FULL: Final = Sizes(800_000, 3, 60, (1_000, 10_000), 1_200_000, 10_000_000, 102_000_000, 1_095)
QUICK: Final = Sizes(20_000, 1, 8, (500,), 48_000, 30_000, 60_000, 4)


def throughput(sizes: Sizes, _: dict[str, Any]) -> dict[str, Any]:
    """City brain and its peers on mixed traffic; City brain alone on texts and on traffic with bad records."""
    beside = _run("bench.compare", "--events", sizes.events, "--runs", sizes.runs)
    own = beside["citybrain"]
    text, bad = (
        _run("bench.throughput", "--traffic", traffic, "--events", sizes.events, "--runs", sizes.runs)
        for traffic in ("text", "bad")
    )
    ratios = beside["ratio_to"]
    return {
        "events_per_second": own["events_per_second"],
        "spread": own["spread"],
        "audit_clean": own["audit_clean"],
        "cpu_us": own["runs"][-1]["cpu_us"],
        "ratio_to": {name: ratio for name, ratio in ratios.items() if not name.endswith("_ours")},
        "ratio_to_with_our_tables": {
            name.removesuffix("_ours"): ratio for name, ratio in ratios.items() if name.endswith("_ours")
        },
        "peers": {name: peer["events_per_second"] for name, peer in beside["peers"].items()},
        "failed": beside["failed"],
        "text_only": _short(text),
        "one_percent_bad": _short(bad) | {"share_of_clean": round(bad["events_per_second"] / own["events_per_second"], 3)},
        "audits": [run["audit"] for run in own["runs"]],
    }


def latency(sizes: Sizes, known: dict[str, Any]) -> dict[str, Any]:
    """At fixed rates, and at most of what the machine bears with the generator beside: cores over processor time an event."""
    rates = {str(rate): _run("bench.latency", "--rate", rate, "--seconds", sizes.seconds) for rate in sizes.rates}
    last = rates[str(sizes.rates[-1])]
    pipeline = sum(known.get("throughput", {}).get("cpu_us", {}).values()) or _spent(last)
    most = int(machine()["cores"]) * 1e6 / (pipeline + last["generator_us"])
    rate = round(SHARE_OF_MOST * most / 100) * 100
    top = _run("bench.latency", "--rate", min(rate, MOST_OF_RATES * sizes.rates[-1]), "--seconds", sizes.seconds)
    return {"rates": rates, "most_with_generator": round(most), "at_80_percent": top}


def scale(sizes: Sizes, _: dict[str, Any]) -> dict[str, Any]:
    """Partitions, workers, lengths."""
    return _run("bench.scale", "--events", sizes.scale)


def memory(sizes: Sizes, _: dict[str, Any]) -> dict[str, Any]:
    """Resident memory over many events."""
    return _run("bench.memory", "--events", sizes.memory)


def history(sizes: Sizes, _: dict[str, Any]) -> dict[str, Any]:
    """Backfill of three years, and the questions of view and dashboards over them."""
    return _run("bench.history", "--events", sizes.history, "--days", sizes.history_days)


PARTS: Final[dict[str, Callable[[Sizes, dict[str, Any]], dict[str, Any]]]] = {
    "throughput": throughput,
    "latency": latency,
    "scale": scale,
    "memory": memory,
    "history": history,
}
ORDINARY: Final = tuple(name for name in PARTS if name != "history")


def _short(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("events_per_second", "spread", "audit_clean")}


def _spent(found: dict[str, Any]) -> float:
    """Processor time an event of the pipeline at a rate, microseconds."""
    parts = sum(seconds for name, seconds in found["cpu_seconds"].items() if name != "generator")
    return float(parts / max(1, found["seconds_late"]["events"]) * 1e6)


def _run(module: str, *arguments: str | int) -> dict[str, Any]:
    """One measurement in a process of its own; its progress goes to our standard error."""
    command = [sys.executable, "-m", module, *map(str, arguments), "--json"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    found.pop("machine", None)
    return found


def merged(known: dict[str, Any], name: str, found: dict[str, Any]) -> dict[str, Any]:
    """The results with one more part; history is two of their keys."""
    known_machine = machine()
    measured = {
        "commit": commit(), "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "load": known_machine["load"], "scratch": known_machine.pop("scratch"),
    }  # fmt: skip
    if name == "history":
        parts = {part: found[part] | {"measured": measured} for part in ("backfill", "questions")}
    else:
        parts = {name: found | {"measured": measured}}
    new = known | parts | {"machine": known_machine}
    return new | {"audit": verdicts(new)}


def verdicts(results: dict[str, Any]) -> dict[str, bool | None]:
    """What the audit said beside the figures of each part; None where a part was too long to be audited."""
    found: dict[str, bool | None] = {}
    for name in ("throughput", "latency", "scale", "memory", "backfill"):
        if name in results:
            said = list(_said(results[name]))
            found[name] = all(said) if said else None
    return found


def _said(value: Any) -> list[bool]:
    """Every `audit_clean` within."""
    if isinstance(value, list):
        return [said for item in value for said in _said(item)]
    if not isinstance(value, dict):
        return []
    own = value.get("audit_clean")
    return ([own] if isinstance(own, bool) else []) + [said for item in value.values() for said in _said(item)]


def main() -> None:
    """Run the parts and write the results after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="these parts; several times for several")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; give --out too")
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="folder of RESULTS.md and results.json")
    asked = parser.parse_args()
    file = asked.out / JSON
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    started = time.monotonic()
    for name in asked.only or ORDINARY:
        print(f"[{time.monotonic() - started:5.0f} s] {name}", file=sys.stderr, flush=True)
        results = merged(results, name, PARTS[name](QUICK if asked.quick else FULL, results))
        asked.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (asked.out / MARKDOWN).write_text(markdown(results), encoding="utf-8")
    print(f"[{time.monotonic() - started:5.0f} s] {asked.out / MARKDOWN}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
