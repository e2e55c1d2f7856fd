"""Three years by backfill, then every question of the view and the dashboards over them, alone and with ingest beside.

    python -m bench.history --events 102000000 --days 1095
    python -m bench.history --events 200000 --days 20 --keep history        # keep the store, ask again: --no-backfill

`citybrain backfill --city` runs as a process of its own and is killed once with -9 on the way; its time is of all runs
together. Afterwards every published view is asked for each level, for a category, and for 24 hours, 30 days and all of the
time; cases, raw events of one area; and, with ingest beside, again while the topics are played at half of what one worker
and one loader make.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.filled import BenchFailed, records_in
from bench.machine import machine
from bench.questions import ask_all, summed
from bench.traffic import SEED
from citybrain.children import tied_to_parent
from citybrain.deployment import Deployment
from citybrain.settings import Settings
from ingest.city import build_city
from schemas.kafka_options import Broker
from sinks.store import Store

ROUNDS: Final = 20
KILL_AFTER_BLOCKS: Final = 3
BESIDE_SECONDS: Final = 1_800
"""At most: the flood is ended when all is asked."""
BEGIN_SECONDS: Final = 120.0


def load(folder: Path, events: int, days: int, end: datetime) -> dict[str, Any]:
    """Backfill with one kill on the way. `seconds` is of both runs, the time between them not counted."""
    started = time.monotonic()
    process = _backfill(folder, events, days, end)
    _kill_on_the_way(process, folder / "backfill")
    last = json.loads(_backfill(folder, events, days, end).communicate()[0])[0]
    seconds = time.monotonic() - started
    records = last["before"] + last["records"]
    if records < events:
        message = f"backfill stored {records:,} records, wanted at least {events:,}"
        raise BenchFailed(message)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return {"records": records, "seconds": round(seconds, 1), "disk_bytes": size, "kills": 1, "before_the_kill": last["before"]}


def _backfill(folder: Path, events: int, days: int, end: datetime) -> subprocess.Popen[bytes]:
    arguments = ["--city", "--end", f"{end:%Y-%m-%d}", "--days", str(days), "--events", str(events), "--data-dir", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", "citybrain", "backfill", *arguments, "--json"],
        stdout=subprocess.PIPE,
        preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
    )


def _kill_on_the_way(process: subprocess.Popen[bytes], spool: Path) -> None:
    """Kill -9 while a block is being stored, when some were."""
    seen: set[int] = set()
    while process.poll() is None and len(seen) < KILL_AFTER_BLOCKS:
        seen.update(file.stat().st_mtime_ns for file in spool.glob("*.block") if file.exists())
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def verdict(folder: Path) -> bool:
    """Whether every aggregate equals a recount, and as many rows are stored as the ledger says and as there are events."""
    program = (
        "import sys, pyarrow.compute as pc; from citybrain.audit.aggregates import recounts; from citybrain.audit.run import LEDGER; "
        "from sinks.store import Store; store = Store.connect(sys.argv[1]); "
        "wrong = [name for name, sql in (*recounts('Asia/Shanghai').items(), ('ledger', LEDGER)) "
        "if pc.sum(store.query_arrow(sql).column(0)).as_py()]; print(wrong, file=sys.stderr); sys.exit(bool(wrong))"
    )
    return subprocess.run([sys.executable, "-c", program, str(folder / "clickhouse")], check=False).returncode == 0


def questions(folder: Path, end: datetime, days: int, *, beside: int) -> dict[str, Any]:
    """p95 of each question, milliseconds, alone; with `beside` events a second going through worker and loader too."""
    store = Store.connect(str(folder / "clickhouse"), readonly=True)
    try:
        alone = ask_all(lambda sql: store.raw(sql, "TSV"), end, days, ROUNDS)
    finally:
        store.close()
    found = summed(alone)
    if beside:
        found["beside_ingest"] = summed(_asked_beside(folder, end, days, beside)) | {"events_per_second": beside}
    return found


def _asked_beside(folder: Path, end: datetime, days: int, rate: int) -> dict[str, dict[str, list[float]]]:
    with Deployment(Settings(), folder, build_city(SEED).places, watched=False) as deployment:
        sender = subprocess.Popen(
            [
                sys.executable, "-m", "bench.flood", "--broker", deployment.broker.bootstrap,
                "--rate", str(rate), "--seconds", str(BESIDE_SECONDS),
            ],
            stdout=subprocess.DEVNULL,
            preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
        )  # fmt: skip
        try:
            _wait_for_records(deployment.broker, sender)
            asked = ask_all(_counting(deployment), end, days, ROUNDS // 4)
            if sender.poll() is not None:
                message = f"the flood ended with code {sender.returncode} while questions were asked"
                raise BenchFailed(message)
            return asked
        finally:
            sender.terminate()
            sender.wait()


def _wait_for_records(broker: Broker, sender: subprocess.Popen[bytes]) -> None:
    """The flood makes its records ahead; questions before the first one would be asked without ingest."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while not records_in(broker):
        if sender.poll() is not None or time.monotonic() > deadline:
            message = f"the flood sent nothing within {BEGIN_SECONDS:.0f} s (exit code {sender.poll()})"
            raise BenchFailed(message)
        time.sleep(0.2)


def _counting(deployment: Deployment) -> Callable[[str], bytes]:
    return lambda sql: deployment.query(sql, "TSV")


def main() -> None:
    """Load, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=102_000_000)
    parser.add_argument("--days", type=int, default=1_095)
    parser.add_argument(
        "--beside", type=int, default=12_000, help="events a second while it is asked again; 0: not asked again"
    )
    parser.add_argument("--keep", type=Path, help="folder of the store, kept; default: a temporary one")
    parser.add_argument("--no-backfill", action="store_true", help="with --keep: the store is there already; only ask")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    parser.add_argument(
        "--end",
        type=lambda day: datetime.fromisoformat(day).replace(tzinfo=UTC),
        default=today,
        help="day after the last; default: today",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = (asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))).absolute()
        found: dict[str, Any] = {"machine": machine()}
        if not asked.no_backfill:
            print(f"backfill of {asked.events:,} records into {folder}", file=sys.stderr, flush=True)
            found["backfill"] = load(folder, asked.events, asked.days, asked.end)
            print(f"{found['backfill']}; comparing aggregates with a recount", file=sys.stderr, flush=True)
            found["backfill"]["audit_clean"] = verdict(folder)
        print("questions", file=sys.stderr, flush=True)
        found["questions"] = questions(folder, asked.end, asked.days, beside=asked.beside)
    print(json.dumps(found) if asked.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
