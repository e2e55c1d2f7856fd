"""Events a second from Kafka's bytes to the published counts: topics filled before, one worker and one loader.

    python -m bench.throughput --events 1000000 --runs 3
    python -m bench.throughput --traffic text --runs 1 --no-audit --keep /tmp/filled-text --profile /tmp/profile

Timed from the first records in the worker's hand to the last row of the ledger, which is written when the events stand in
the tables and in every count. Afterwards the published counts have to add up to what the ledger says is stored, and the
audit reads the raw log again. Each run has a new store, a new consumer group and an empty topic of blocks; worker, loader
and broker are processes of their own. `--keep` keeps the filled broker for the next call; `--profile` runs py-spy beside
worker and loader, which makes them slower: its figure is no result.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

from bench.filled import BenchFailed, Filling, filled, records_in, renew_blocks
from bench.machine import machine
from bench.pair import Look, Pair, nobody
from bench.profiled import profiled, show
from bench.traffic import Traffic
from citybrain.audit import run_audit
from citybrain.local_kafka import LocalKafka
from citybrain.reading import as_arrow
from citybrain.settings import Settings
from schemas.kafka_options import Broker

LEDGER: Final = (
    "SELECT toInt64(sum(stored)) AS stored, toInt64(sum(rejected)) AS rejected, toInt64(sum(repeated + conflict)) AS repeated, "
    "toInt64(sum(redelivered)) AS redelivered, count() AS blocks, toUnixTimestamp64Milli(max(stored_at)) / 1000 AS last FROM blocks"
)
PUBLISHED: Final = "SELECT toInt64(sum(events)) AS events FROM v_counts_day"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `cpu_us` is processor time an event of each process, microseconds; `published` the sum of the counts."""

    events: int
    seconds: float
    stored: int
    rejected: int
    repeated: int
    redelivered: int
    published: int
    blocks: int
    cpu_us: dict[str, float] = field(default_factory=dict)
    memory_mib: dict[str, int] = field(default_factory=dict)
    audit: dict[str, Any] | None = None

    @property
    def events_per_second(self) -> float:
        """Records of the raw topics a second, whatever became of them."""
        return self.events / self.seconds


def measure(
    kafka: LocalKafka, folder: Path, *, workers: int = 1, partitions: int = 0, audit: bool = True, profile: Path | None = None,
    native: bool = False, look: Look = nobody,
) -> Run:  # fmt: skip
    """One run over a filled broker; `folder` is new. BenchFailed when the published counts are not what was stored."""
    broker = Broker(bootstrap=kafka.bootstrap)
    events = records_in(broker)
    renew_blocks(broker, partitions)
    with Pair(broker, folder, workers, kafka.pid) as pair:
        pair.start_workers()
        pair.wait_for_first()
        idle = pair.cpu()
        with profiled(pair.pids, profile, native=native) if profile else nullcontext():
            pair.wait(events, look)
        used = pair.cpu()
        ledger: dict[str, Any] = pair.ask(LEDGER)
        last = ledger.pop("last")
        found = Run(
            events, last - pair.first, **ledger, published=pair.ask(PUBLISHED)["events"],
            cpu_us={name: round((seconds - idle.get(name, 0.0)) / events * 1e6, 2) for name, seconds in used.items()},
            memory_mib=pair.memory_mib(),
            audit=run_audit(broker, as_arrow(pair.query), Settings().city.time_zone).to_dict() if audit else None,
        )  # fmt: skip
    if found.published != found.stored:
        message = f"the published counts add up to {found.published:,}, the ledger says {found.stored:,} stored"
        raise BenchFailed(message)
    return found


def measured(filling: Filling, runs: int, keep: Path | None, tell: Callable[[str], None], **options: Any) -> list[Run]:
    """Fill once, run `runs` times."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        tell(f"{filling.traffic}: {filling.events:,} records in the raw topics of {folder}")
        kafka = stack.enter_context(filled(folder, filling))
        found = []
        for number in range(runs):
            with tempfile.TemporaryDirectory(prefix="bench-run-") as scratch:
                found.append(measure(kafka, Path(scratch) / "run", partitions=filling.partitions, **options))
            tell(f"{filling.traffic}, run {number + 1} of {runs}: {told(found[-1])}")
        return found


def told(run: Run) -> str:
    """One run in a line."""
    verdict = "not audited" if run.audit is None else "audit clean" if run.audit["clean"] else "AUDIT NOT CLEAN"
    cpu = ", ".join(f"{name} {micros:.1f}" for name, micros in run.cpu_us.items())
    return (
        f"{run.events_per_second:,.0f} events/s in {run.seconds:.2f} s, {run.blocks} blocks, rejected {run.rejected:,}, "
        f"repeated {run.repeated:,}; processor us an event: {cpu}; {verdict}"
    )


def summary(runs: list[Run]) -> dict[str, Any]:
    """Median, spread (largest minus smallest, as a share of the median) and every run."""
    rates = [run.events_per_second for run in runs]
    middle = statistics.median(rates)
    return {
        "events_per_second": round(middle),
        "spread": round((max(rates) - min(rates)) / middle, 3),
        "audit_clean": all(run.audit["clean"] for run in runs if run.audit) if any(run.audit for run in runs) else None,
        "runs": [{**asdict(run), "events_per_second": round(run.events_per_second)} for run in runs],
    }


def main() -> None:
    """Measure and print the machine, the versions and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traffic", choices=get_args(Traffic), default="mixed")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=0, help="of each raw topic; 0: as many as a deployment starts with")
    parser.add_argument("--least-bytes", type=int, default=0, help="make shorter records so long")
    parser.add_argument("--no-audit", action="store_true", help="half a minute a million events shorter, and half as good")
    parser.add_argument("--keep", type=Path, help="folder of the filled broker, used again when it holds the same traffic")
    parser.add_argument("--profile", type=Path, help="folder for py-spy's stacks of worker and loader")
    parser.add_argument("--native", action="store_true", help="with --profile: stacks of C, C++ and Rust too")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    runs = measured(
        Filling(asked.traffic, asked.events, asked.partitions, asked.least_bytes), asked.runs, asked.keep, tell,
        workers=asked.workers, audit=not asked.no_audit, profile=asked.profile, native=asked.native,
    )  # fmt: skip
    found = {"machine": machine(), "traffic": asked.traffic, "events": asked.events, **summary(runs)}
    if asked.json:
        print(json.dumps(found))
        return
    print(" ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"{asked.traffic}: median {found['events_per_second']:,} events/s, spread {found['spread']:.1%}")
    if asked.profile:
        print(show(asked.profile, [path.stem for path in sorted(asked.profile.glob("*.stacks"))]))


if __name__ == "__main__":
    main()
