"""What the watch asks the store, and how answers become arrays. Text only: whoever runs it is handed in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.events import Kind
from schemas.places import Level
from schemas.taxonomy import UNCLASSIFIED
from streams.clock import Partition
from streams.raising import Past
from streams.silence import NAME, Silent, silence_query
from streams.tally import Rows

Query = Callable[[str, str], bytes]
"""(SQL, output format of ClickHouse) -> bytes."""
Source = tuple[str, str, int]
"""Topic, topic id, partition."""

COVERED: Final = (
    "SELECT source_topic, source_topic_id, source_partition, max(last_offset) + 1 AS next, max(stored_at) AS newest FROM blocks "
    "GROUP BY source_topic, source_topic_id, source_partition ORDER BY newest"
)
AREAS: Final = "SELECT level, code FROM areas FINAL ORDER BY level, code"
FIRST_DAYS: Final = "SELECT kind, toUInt32(toUInt16(min(day))) AS first FROM counts_day GROUP BY kind"


def rows_of(query: Query, sql: str) -> list[dict[str, Any]]:
    """Rows of an answer."""
    return [json.loads(line) for line in query(sql, "JSONEachRow").splitlines()]


def covered(query: Query) -> dict[tuple[str, int], tuple[str, int]]:
    """Of each partition its topic id and the first offset the ledger does not cover; of a re-created topic the newest life."""
    return {
        (row["source_topic"], int(row["source_partition"])): (row["source_topic_id"], int(row["next"]))
        for row in rows_of(query, COVERED)
    }


def newest_events(query: Query, wanted: Mapping[Source, tuple[int, int]]) -> dict[Source, int]:
    """Latest event time (milliseconds) among stored events of partitions, each within source offsets [first, end)."""
    if not wanted:
        return {}
    chosen = " OR ".join(
        f"(source_topic_id = '{topic_id}' AND source_partition = {partition} AND source_offset >= {first} AND source_offset < {end})"
        for (_, topic_id, partition), (first, end) in wanted.items()
    )
    sql = (
        "SELECT source_topic, source_topic_id, source_partition, max(toUnixTimestamp64Milli(at)) AS newest FROM events "
        f"WHERE {chosen} GROUP BY source_topic, source_topic_id, source_partition"
    )
    return {
        (row["source_topic"], row["source_topic_id"], int(row["source_partition"])): int(row["newest"])
        for row in rows_of(query, sql)
    }


def areas(query: Query) -> list[tuple[Level, str]]:
    """Every area of the city."""
    return [(row["level"], row["code"]) for row in rows_of(query, AREAS)]


def first_days(query: Query) -> dict[Kind, int]:
    """First local day with an event, by kind, counted since 1970."""
    return {row["kind"]: int(row["first"]) for row in rows_of(query, FIRST_DAYS)}


def hour_counts(query: Query, kind: Kind, first: int, end: int) -> Rows:
    """Incidents per hour since 1970, grid and class, in hours [first, end)."""
    return _counts(
        query,
        "SELECT toInt64(intDiv(toUnixTimestamp(minute), 3600)) AS period, grid, incident_class, toFloat64(sum(incidents)) AS n "
        f"FROM counts_minute WHERE kind = '{kind}' AND minute >= toDateTime({first * 3600}, 'UTC') "
        f"AND minute < toDateTime({end * 3600}, 'UTC')",
    )


def day_counts(query: Query, kind: Kind, first: int, end: int) -> Rows:
    """The same per local day."""
    return _counts(
        query,
        "SELECT toInt64(toUInt16(day)) AS period, grid, incident_class, toFloat64(sum(incidents)) AS n "
        f"FROM counts_day WHERE kind = '{kind}' AND day >= toDate({first}) AND day < toDate({end})",
    )


def days_heard(query: Query, kind: Kind, first: int, end: int) -> set[int]:
    """Local days in [first, end) on which anything at all came from a kind of source."""
    sql = (
        f"SELECT DISTINCT toUInt32(toUInt16(day)) AS d FROM counts_day WHERE kind = '{kind}' "
        f"AND day >= toDate({max(first, 0)}) AND day < toDate({end})"
    )
    return {int(row["d"]) for row in rows_of(query, sql)}


def silent_devices(query: Query, first: int, end: int) -> list[Silent]:
    """Devices that fell silent in hours [first, end)."""
    return [Silent(int(row["hour"]), row["device"], row["grid"]) for row in rows_of(query, silence_query(first, end))]


def past_alerts(query: Query, since_ms: int) -> tuple[set[str], list[Past]]:
    """Ids of alerts whose window ended since then, and what the cool-down remembers of them."""
    sql = (
        "SELECT alert_id, JSONExtractString(parameters, 'source') AS kind, area, category, incident_class, detector, "
        "toUnixTimestamp64Milli(window_end) AS ended FROM alerts "
        f"WHERE window_end >= fromUnixTimestamp64Milli({since_ms}) ORDER BY window_end, alert_id"
    )
    rows = rows_of(query, sql)
    ids = {row["alert_id"] for row in rows}
    return ids, [
        Past(
            row["kind"],
            row["area"],
            row["category"],
            row["incident_class"],
            datetime.fromtimestamp(int(row["ended"]) / 1000, UTC),
        )
        for row in rows
        if row["detector"] != NAME
    ]


def partitions(
    kinds: Mapping[str, Kind],
    newest: Mapping[Source, int],
    known: Mapping[tuple[str, int], tuple[str, int]],
    ends: Mapping[tuple[str, int], int],
) -> Iterable[Partition]:
    """Every raw partition that holds a record."""
    for (topic, partition), end in ends.items():
        if topic in kinds and end:
            topic_id, following = known.get((topic, partition), ("", 0))
            yield Partition(kinds[topic], newest.get((topic, topic_id, partition)), following, end)


def _counts(query: Query, sql: str) -> Rows:
    whole = f"{sql} AND incident_class != '{UNCLASSIFIED}' AND grid != '' GROUP BY period, grid, incident_class HAVING n > 0"
    table = pa.ipc.open_stream(io.BytesIO(query(whole, "ArrowStream"))).read_all()
    return Rows(
        table["period"].to_numpy().astype(np.int64), table["grid"].cast(pa.string()).to_pylist(),
        table["incident_class"].cast(pa.string()).to_pylist(), table["n"].to_numpy().astype(np.float64),
    )  # fmt: skip
