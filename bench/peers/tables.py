"""The tables of the peers: events, and counts per minute, category and grid that a view fills."""

from __future__ import annotations

from typing import Any


def make_tables(client: Any) -> None:
    """The table, the counts and the view that fills them."""
    client.command(
        "CREATE TABLE events (id String, at DateTime64(3, 'UTC'), category LowCardinality(String), grid LowCardinality(String), "
        "lon Float64, lat Float64, severity UInt8, text String) ENGINE = MergeTree ORDER BY (category, grid, at)"
    )
    client.command(
        "CREATE TABLE counts (minute DateTime('UTC'), category LowCardinality(String), grid LowCardinality(String), "
        "n SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY (category, grid, minute)"
    )
    client.command(
        "CREATE MATERIALIZED VIEW counts_mv TO counts AS SELECT toStartOfMinute(toDateTime(at, 'UTC')) AS minute, category, grid, "
        "count() AS n FROM events GROUP BY minute, category, grid"
    )


def counted(client: Any) -> int:
    """Events in the counts."""
    return int(client.query("SELECT sum(n) FROM counts").result_rows[0][0])
