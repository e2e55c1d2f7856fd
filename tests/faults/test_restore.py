"""Row 56: a backup of some time ago is put back while the log goes on. In the end it has to be as if nobody had done it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.conftest import Traffic
from tests.faults.parts import TIME_ZONE, Parts

LINE: Final = "formatRowNoNewline('JSONCompactEachRow', * EXCEPT (stored_at))"
ROWS: Final = [f"SELECT count(), sum(cityHash64({LINE})) FROM {t}" for t in ("events", "rejected", "blocks")]
SUMS: Final = [
    f"SELECT count(), sum(cityHash64(formatRowNoNewline('JSONCompactEachRow', *))) FROM ({inner})"
    for inner in (
        "SELECT minute, grid, incident_class, kind, sum(events), sum(incidents) FROM counts_minute GROUP BY ALL",
        "SELECT day, grid, incident_class, kind, sum(events), sum(incidents) FROM counts_day GROUP BY ALL",
        "SELECT hour, device, metric, grid, sum(n), sum(total), min(low), max(high) FROM sensor_rollup GROUP BY ALL",
        "SELECT * FROM v_cases",
    )
]


def content(parts: Parts) -> dict[str, bytes]:
    """Every row and every bucket, without the time of the insert."""
    return {sql: parts.query(sql, "TSV") for sql in ROWS + SUMS}


def citybrain(parts: Parts, *arguments: str | Path, url: str = "") -> dict[str, Any]:
    """A command against the deployment: by its folder, or by a URL."""
    where = [] if url else ["--data-dir", str(parts.folder / "store")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CITYBRAIN_")} | {
        "CITYBRAIN_BROKER__BOOTSTRAP": parts.kafka.bootstrap,
        "CITYBRAIN_CITY__TIME_ZONE": TIME_ZONE,
    }
    if url:
        environment["CITYBRAIN_CLICKHOUSE__URL"] = url
    done = subprocess.run(
        [sys.executable, "-m", "citybrain", *map(str, arguments), "--json", *where],
        capture_output=True, check=False, timeout=240, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(autouse=True)
def working(parts: Parts) -> None:
    parts.want("work-1", "load-1")


@pytest.mark.parametrize("way", ["by the owner's socket", "by its URL", "with all parts ended"])
def test_a_backup_of_an_hour_ago_is_put_back(parts: Parts, traffic: Traffic, tmp_path: Path, way: str) -> None:
    """Saved while records come; afterwards much more comes; put back, and the loader goes on. Equal to no restore."""
    url = f"http://127.0.0.1:{parts.proxy.port}/" if way == "by its URL" else ""
    traffic.send()
    if way == "with all parts ended":
        parts.settle()
        for name in ("load-1", "store"):
            parts.end(name)
    else:
        traffic.send()
    saved = citybrain(parts, "backup", tmp_path / "saved", url=url)
    parts.want("store")
    parts.wait_for_store()
    parts.want("load-1")
    for _ in range(3):
        traffic.send()
    parts.check(traffic.sent)
    before = content(parts)
    assert saved["rows"]["blocks"] < parts.number("SELECT count() FROM blocks")
    if way == "with all parts ended":
        for name in ("load-1", "store"):
            parts.end(name)

    restored = citybrain(parts, "restore", tmp_path / "saved", "--replace", url=url)

    assert restored["rows"] == sum(saved["rows"].values())
    parts.want("store")
    parts.wait_for_store()
    parts.want("load-1")
    parts.disturb()
    parts.check(traffic.sent)
    assert content(parts) == before
    traffic.send()
    parts.check(traffic.sent)
