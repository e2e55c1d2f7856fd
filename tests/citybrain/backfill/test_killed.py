"""`citybrain backfill` killed with -9 while it stores, three times, then run to its end: every record once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.compute as pc
import pytest

from citybrain.audit.aggregates import recounts
from sinks.store import Store

KILLS = 3
EVENTS = 24_000
LONGEST_SECONDS = 400.0


def start(folder: Path) -> subprocess.Popen[bytes]:
    arguments = ["--city", "--end", "2026-11-01", "--days", "2", "--events", str(EVENTS), "--rows", "1000", "--check", "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "citybrain", "backfill", *arguments, "--data-dir", str(folder)],
        env={**os.environ, "CITYBRAIN_LOG__LEVEL": "error"},
        stdout=subprocess.PIPE,
    )


def wait_for_blocks(process: subprocess.Popen[bytes], spool: Path, blocks: int) -> None:
    """Until so many blocks were begun: each is another file of the spool."""
    seen: set[int] = set()
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(seen) < blocks and process.poll() is None:
        assert time.monotonic() < deadline, "no block was begun"
        seen.update(file.stat().st_mtime_ns for file in spool.glob("*.block") if file.exists())
        time.sleep(0.002)


@pytest.mark.timeout(900)
def test_every_record_is_stored_once(tmp_path: Path) -> None:
    dice = random.Random(20261125)
    for _ in range(KILLS):
        process = start(tmp_path)
        wait_for_blocks(process, tmp_path / "backfill", dice.randint(2, 4))
        time.sleep(dice.random() * 0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    output, _ = start(tmp_path).communicate(timeout=LONGEST_SECONDS)

    (report,) = json.loads(output)
    assert report["before"] > 0, "the kills came before anything was stored"
    assert report["audit"]["clean"]
    assert report["audit"]["checked"] == report["before"] + report["records"] >= EVENTS
    store = Store.connect(str(tmp_path / "clickhouse"))
    ((rows, distinct),) = store.query("SELECT count(), uniqExact(source, id) FROM events")
    assert rows == distinct == report["audit"]["checked"]
    differing = {
        table: pc.sum(store.query_arrow(sql).column(0)).as_py() or 0 for table, sql in recounts("Asia/Shanghai").items()
    }
    assert not any(differing.values()), differing
    store.close()
