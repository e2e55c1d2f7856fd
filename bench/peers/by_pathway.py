"""Pathway: a table a topic, a function a row, and changes handed to a sink in batches."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pathway as pw

from bench.peers.job import BATCH, Counted, asked, row_of

WANTED = asked()
SINK = Counted("pathway", "pathway", WANTED)
waiting: list[tuple[Any, ...] | None] = []


@pw.udf
def work(value: bytes) -> pw.Json:
    """One row as JSON, which has no times."""
    SINK.begin()
    row = row_of(value)
    return pw.Json([row[0], row[1].isoformat(), *row[2:]] if row else None)


def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
    """Keep a row until there are enough."""
    del key, time, is_addition
    values = row["row"].value
    waiting.append((values[0], datetime.fromisoformat(values[1]), *values[2:]) if values else None)
    if len(waiting) >= BATCH:
        flush()


def flush() -> None:
    """Insert what waits."""
    if waiting:
        SINK.insert(list(waiting))
        waiting.clear()


def main() -> None:
    """Run until the sink has seen every event."""
    options = {
        "bootstrap.servers": WANTED.broker,
        "group.id": f"peer-pathway-{time.time():.0f}",
        "auto.offset.reset": "earliest",
    }
    tables = [pw.io.kafka.read(options, topic=name, format="raw", autocommit_duration_ms=500) for name in WANTED.topics]
    records = tables[0].concat_reindex(*tables[1:])
    pw.io.subscribe(records.select(row=work(pw.this.data)), on_change=on_change, on_time_end=lambda _: flush())
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()
