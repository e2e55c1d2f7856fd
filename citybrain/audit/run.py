"""Run the audit (docs/decisions/0009): every raw partition and the alerts, every aggregate, the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citybrain.audit.aggregates import recounts
from citybrain.audit.facts import Stored, compare
from citybrain.audit.raw_log import LogPart, log_ends, read_log
from citybrain.audit.report import AuditReport
from schemas import metrics
from schemas.kafka_options import Broker
from schemas.topics import ALERTS, RAW

QueryArrow = Callable[[str], pa.Table]
Progress = Callable[[str, int, int], None]
"""(what, done, of) in records or tables."""
AUDITED: Final = (*(topic.name for topic in RAW.values()), ALERTS.name)
TABLES: Final = {ALERTS.name: ("alerts", "alert_actions")}
"""Where the good records of a topic stand, when not in events."""

TRIES: Final = 3
PAUSE_SECONDS: Final = 0.3

LEDGER = """
SELECT count() AS differing FROM (
    SELECT topic, sum(events_n) AS e, sum(rejected_n) AS r FROM (
        SELECT source_topic_id AS topic, toInt64(stored) AS events_n, toInt64(rejected) AS rejected_n FROM blocks
        UNION ALL SELECT source_topic_id, -toInt64(count()), toInt64(0) FROM events GROUP BY source_topic_id
        UNION ALL SELECT source_topic_id, -toInt64(count()), toInt64(0) FROM alerts GROUP BY source_topic_id
        UNION ALL SELECT source_topic_id, -toInt64(count()), toInt64(0) FROM alert_actions GROUP BY source_topic_id
        UNION ALL SELECT source_topic_id, toInt64(0), -toInt64(count()) FROM rejected GROUP BY source_topic_id
    ) GROUP BY topic HAVING e != 0 OR r != 0)
"""


def run_audit(
    broker: Broker,
    query: QueryArrow,
    time_zone: str,
    *,
    topics: Sequence[str] = AUDITED,
    progress: Progress = lambda *_: None,
) -> AuditReport:
    """Compare log and store. Records newer than the ledger are `pending`, not holes: they are on their way."""
    started = time.monotonic()
    report = AuditReport()
    ends = log_ends(broker, topics)
    covered = ledger_ends(query)
    total = sum(ends.values())
    done = 0

    def read(records: int) -> None:
        nonlocal done
        done += records
        progress("records", done, total)

    known: set[str] = set()
    for part in read_log(broker, topics, lambda topic_id, number: covered.get((topic_id, number), 0), read):
        report.pending += max(0, ends[part.topic, part.partition] - part.end)
        compare(part, stored_of(query, part), report)
        known.add(part.topic_id)
    report.not_checkable += _of_other_lives(query, known)
    for done_tables, (table, sql) in enumerate(recounts(time_zone).items(), 1):
        report.aggregate_differences[table] = _lasting(query, sql)
        progress("aggregates", done_tables, 4)
    report.ledger_differences = _lasting(query, LEDGER)
    metrics.DOUBLES.set(report.twice)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def ledger_ends(query: QueryArrow) -> dict[tuple[str, int], int]:
    """(source topic id, partition) to the offset after the last one that the ledger covers."""
    rows = query("SELECT source_topic_id, source_partition, max(last_offset) + 1 AS next FROM blocks GROUP BY 1, 2").to_pylist()
    return {(row["source_topic_id"], row["source_partition"]): row["next"] for row in rows}


def stored_of(query: QueryArrow, part: LogPart) -> Stored:
    """What is stored of one partition, before the end of the part."""
    where = f"source_topic_id = '{part.topic_id}' AND source_partition = {part.partition} AND source_offset < {part.end}"
    tables = TABLES.get(part.topic, ("events",))
    events = query(" UNION ALL ".join(f"SELECT source_offset, event_key FROM {table} WHERE {where}" for table in tables))
    rejected = query(f"SELECT source_offset FROM rejected WHERE {where}")
    return Stored(
        events["source_offset"].to_numpy().astype(np.int64),
        events["event_key"].to_numpy().astype(np.uint64),
        rejected["source_offset"].to_numpy().astype(np.int64),
    )


def _of_other_lives(query: QueryArrow, known: set[str]) -> int:
    rows = query(
        "SELECT source_topic_id, sum(n) AS n FROM (SELECT source_topic_id, count() AS n FROM events GROUP BY source_topic_id "
        "UNION ALL SELECT source_topic_id, count() FROM rejected GROUP BY source_topic_id "
        "UNION ALL SELECT source_topic_id, count() FROM alerts GROUP BY source_topic_id "
        "UNION ALL SELECT source_topic_id, count() FROM alert_actions GROUP BY source_topic_id) GROUP BY source_topic_id"
    ).to_pylist()
    return sum(row["n"] for row in rows if row["source_topic_id"] not in known)


def _lasting(query: QueryArrow, sql: str) -> int:
    """Differences that last: rows stand in events a moment before they stand in the views and the ledger."""
    for _ in range(TRIES - 1):
        if not (differing := _number(query(sql))):
            return differing
        time.sleep(PAUSE_SECONDS)
    return _number(query(sql))


def _number(table: pa.Table) -> int:
    return int(pc.sum(table.column(0)).as_py() or 0)
