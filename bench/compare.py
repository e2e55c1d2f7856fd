"""City brain beside others on the same topics: events a second of each, one after the other, interleaved over the runs.

    python -m bench.compare --events 600000 --runs 3
    python -m bench.compare --only sketch --only clickhouse_file --events 200000 --runs 1

Every peer is a process in an environment of its own (`bench/peers`), made from its lock when it is first needed.
All do less than City brain: see `bench/peers/__init__.py`. `sketch` and `clickhouse_file` are also run into the tables and
views of City brain (`sketch_ours`, `clickhouse_file_ours`). `faust` is Faust as its documentation shows it, and reads a
part of the topics only, for it takes long: its rate does not depend on the number.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.filled import BenchFailed, Filling, filled, records_in
from bench.machine import machine
from bench.peers.environments import ROOT, python_of
from bench.throughput import measure, summary
from bench.traffic import wires
from citybrain.children import tied_to_parent
from citybrain.local_kafka import LocalKafka
from ingest.city.cases import Shard
from schemas.kafka_options import Broker
from schemas.topics import RAW

PEERS: Final = (
    "sketch", "sketch_ours", "bytewax", "quixstreams", "pathway", "arroyo", "faust", "clickhouse_file", "clickhouse_file_ours",
)  # fmt: skip
SLOW: Final = {"faust": 5, "pathway": 3, "arroyo": 3}
"""Of how many events a slow peer reads one."""
LONGEST_SECONDS: Final = 300


def compared(
    filling: Filling, peers: Iterable[str], runs: int, keep: Path | None, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Rates of City brain and of each peer, and the ratios of its median to theirs."""
    peers = list(peers)
    rates: dict[str, list[dict[str, Any]]] = {name: [] for name in peers}
    failed: dict[str, str] = {}
    ours = []
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-run-")))
        for name in peers:
            tell(f"environment of {name}: {python_of(lock_of(name))}")
        kafka = stack.enter_context(filled(folder, filling))
        file = scratch / "events.ndjson"
        if any(name.startswith("clickhouse_file") for name in peers):
            write_file(file, filling)
        for number in range(runs):
            ours.append(measure(kafka, scratch / f"ours-{number}", partitions=filling.partitions))
            tell(f"run {number + 1} of {runs}: city brain {ours[-1].events_per_second:,.0f} events/s")
            for name in peers:
                try:
                    rates[name].append(run_peer(name, kafka, scratch / f"{name}-{number}", file))
                except BenchFailed as error:  # the others can still be compared
                    failed[name] = str(error)
                tell(f"run {number + 1} of {runs}: {failed.get(name) or _told(rates[name][-1])}")
    own = summary(ours)
    middle = {
        name: round(statistics.median(one["events_per_second"] for one in found)) for name, found in rates.items() if found
    }
    return {
        "citybrain": own,
        "peers": {name: {"events_per_second": middle[name], "runs": rates[name]} for name in middle},
        "failed": failed,
        "ratio_to": {name: round(own["events_per_second"] / rate, 3) for name, rate in middle.items()},
    }


def _told(found: dict[str, Any]) -> str:
    return f"{found['peer']} {found['events_per_second']:,} events/s, processor {found['cpu_us']:.1f} us an event"


def lock_of(peer: str) -> str:
    """The environment a peer runs in."""
    return peer.removesuffix("_ours")


def run_peer(name: str, kafka: LocalKafka, folder: Path, file: Path, python: Path | None = None) -> dict[str, Any]:
    """One run of one peer into a new store in `folder`; `python`: not that of its own environment.

    BenchFailed when it fails or stores less than it took.
    """
    events = records_in(Broker(bootstrap=kafka.bootstrap))
    folder.mkdir()
    store, ours = folder / "store", name.endswith("_ours")
    if ours:
        prepare(store)
    module = lock_of(name) if name.startswith(("sketch", "clickhouse_file")) else f"by_{name}"
    arguments = ["--store", str(store), "--events", str(events // SLOW.get(name, 1))]
    if name.startswith("clickhouse_file"):
        arguments += ["--file", str(file)]
    else:
        arguments += ["--broker", kafka.bootstrap, "--topics", ",".join(topic.name for topic in RAW.values())]
    arguments += ["--ours"] if ours else []
    log = folder / "peer.log"
    with log.open("wb") as errors:
        peer = subprocess.Popen(
            [str(python or python_of(lock_of(name))), "-m", f"bench.peers.{module}", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
        )
        try:
            output, _ = peer.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired as error:
            os.killpg(peer.pid, signal.SIGKILL)  # a peer may have processes of its own
            message = f"{name} did not end within {LONGEST_SECONDS} s: {_tail(log)}"
            raise BenchFailed(message) from error
    return _figures(name, output, log)


def _figures(name: str, output: bytes, log: Path) -> dict[str, Any]:
    """What a peer printed last; what it counted has to be all that it took."""
    lines = output.decode(errors="replace").strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        message = f"{name} gave no figures: {_tail(log)}"
        raise BenchFailed(message)
    found: dict[str, Any] = json.loads(lines[-1])
    if found["counted"] < found["events"]:
        message = f"{name} took {found['events']:,} events, and its counts add up to {found['counted']:,}"
        raise BenchFailed(message)
    return found


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-6_000:]


def write_file(file: Path, filling: Filling) -> None:
    """The same events as the topics hold, one a line."""
    with file.open("wb") as out:
        for wire in wires(filling.traffic, filling.events, Shard(0, 1)):
            out.write(wire.value + b"\n")


def prepare(store: Path) -> None:
    """The tables of City brain in a new store; one process owns a chDB folder, so one makes them that ends."""
    program = (
        "import sys; from sinks.migrate import migrate; from sinks.store import Store; "
        "migrate(Store.connect(sys.argv[1]), 'Asia/Shanghai')"
    )
    subprocess.run([sys.executable, "-c", program, str(store)], check=True, cwd=ROOT)


def main() -> None:
    """Measure and print the machine, the versions and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", action="append", choices=PEERS, help="these peers; several times for several")
    parser.add_argument("--keep", type=Path, help="folder of the filled broker, used again when it holds the same traffic")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    found = compared(Filling("mixed", asked.events), asked.only or PEERS, asked.runs, asked.keep, tell)
    if asked.json:
        print(json.dumps({"machine": machine(), **found}))
        return
    print(" ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"city brain: {found['citybrain']['events_per_second']:,} events/s")
    for name, ratio in found["ratio_to"].items():
        print(f"{name}: {found['peers'][name]['events_per_second']:,} events/s; city brain is {ratio:.2f} x")
    for name, reason in found["failed"].items():
        print(f"{name} failed: {reason.splitlines()[0]}")


if __name__ == "__main__":
    main()
