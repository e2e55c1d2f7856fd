"""What an event costs as things grow: partitions, workers, and the length of an event.

    python -m bench.scale --events 1200000
    python -m bench.scale --only size --events 1200000

Cost is processor time of worker, loader and broker, microseconds an event: on a machine that is full it does not depend on
what else runs there, as events a second does. Over lengths it is fitted as cost = a + b x bytes by least squares.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from itertools import islice
from typing import Any, Final

import numpy as np

from bench.filled import Filling
from bench.machine import machine
from bench.throughput import Run, measured
from bench.traffic import wires

PARTITIONS: Final = (1, 2, 4, 8)
WORKERS: Final = (1, 2)
LEAST_BYTES: Final = (0, 1_000, 4_000, 16_000)
SAMPLE: Final = 2_000
ROWS_BY_SIZE: Final = 12
"""Part of the records that is sent at each size, for 16 kB each. The others have to fill a block of each of 24 partitions: a
smaller block costs more a row, and that is no matter of partitions."""


def tell(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def cost_us(run: Run) -> float:
    """Processor time an event of all processes, microseconds."""
    return sum(run.cpu_us.values())


def by_partitions(events: int) -> list[dict[str, Any]]:
    """One row for each number of partitions of every raw topic, one worker; with the most partitions two workers too."""
    rows = []
    for partitions in PARTITIONS:
        for workers in WORKERS if partitions == PARTITIONS[-1] else (1,):
            (run,) = measured(Filling("mixed", events, partitions), 1, None, tell, workers=workers)
            rows.append(
                {
                    "partitions": partitions, "workers": workers, "events_per_second": round(run.events_per_second),
                    "cost_us": round(cost_us(run), 2), "audit_clean": bool(run.audit and run.audit["clean"]),
                }
            )  # fmt: skip
    return rows


def by_size(events: int) -> dict[str, Any]:
    """Cost at several lengths, and the line through them: microseconds an event and microseconds a byte."""
    rows = []
    for least in LEAST_BYTES:
        filling = Filling("mixed", events, 0, least)
        (run,) = measured(filling, 1, None, tell)
        length = statistics.fmean(len(wire.value) for wire in islice(wires("mixed", events, least_bytes=least), SAMPLE))
        rows.append(
            {"bytes": round(length), "cost_us": round(cost_us(run), 2), "audit_clean": bool(run.audit and run.audit["clean"])}
        )
    b, a = np.polyfit([row["bytes"] for row in rows], [row["cost_us"] for row in rows], 1)
    return {"rows": rows, "a_us": round(float(a), 2), "b_us_per_byte": round(float(b), 5)}


def within(rows: list[dict[str, Any]]) -> float:
    """Largest cost over the smallest, less one."""
    costs: list[float] = [row["cost_us"] for row in rows]
    return round(max(costs) / min(costs) - 1, 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--events", type=int, default=1_200_000, help="records of each row by partitions; rows by size take a twelfth"
    )
    parser.add_argument("--only", choices=["partitions", "size"])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    found: dict[str, Any] = {"machine": machine()}
    if asked.only != "size":
        found["partitions"] = by_partitions(asked.events)
        found["partitions_differ"] = within(found["partitions"])
    if asked.only != "partitions":
        found["size"] = by_size(asked.events // ROWS_BY_SIZE)
    if asked.json:
        print(json.dumps(found))
        return
    print(" ".join(f"{name} {value}" for name, value in found["machine"].items()))
    for row in [*found.get("partitions", []), *found.get("size", {}).get("rows", [])]:
        print(", ".join(f"{name} {value:,}" for name, value in row.items()))
    if "size" in found:
        print(f"cost = {found['size']['a_us']} us + {found['size']['b_us_per_byte'] * 1000:.2f} us x kilobytes")


if __name__ == "__main__":
    main()
