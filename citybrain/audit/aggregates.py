"""Aggregates against a recount, by formulas of the audit's own.

Both sides of a view target go into one list of buckets, the recount counted up and the target counted down: a bucket
that does not end at zero differs. Minima and maxima are compared side by side.
"""

from __future__ import annotations

from typing import Final

COUNTS: Final = """
SELECT count() AS differing FROM (
    SELECT bucket, grid, incident_class, kind, sum(n) AS events_left, sum(opening) AS incidents_left FROM (
        SELECT {bucket} AS bucket, grid, incident_class, kind, toInt64(1) AS n, toInt64(stage = '' OR stage = 'reported') AS opening FROM events
        UNION ALL
        SELECT {column} AS bucket, grid, incident_class, kind, -toInt64(events), -toInt64(incidents) FROM {table}
    ) GROUP BY bucket, grid, incident_class, kind HAVING events_left != 0 OR incidents_left != 0)
"""
SENSORS: Final = """
SELECT count() AS differing FROM (
    SELECT hour, device, metric, grid, sum(n) AS n_left, sum(total) AS total_left,
           minIf(low, side = 0) != minIf(low, side = 1) AS low_differs, maxIf(high, side = 0) != maxIf(high, side = 1) AS high_differs
    FROM (
        SELECT 0 AS side, intDiv(toUnixTimestamp64Milli(at), 3600000) AS hour, device, metrics[i] AS metric, grid, toInt64(1) AS n,
               toDecimal128(values[i], 6) AS total, values[i] AS low, values[i] AS high
        FROM events ARRAY JOIN arrayEnumerate(metrics) AS i WHERE kind = 'sensor'
        UNION ALL
        SELECT 1, intDiv(toUnixTimestamp(hour), 3600), device, metric, grid, -toInt64(n), -total, low, high FROM sensor_rollup
    ) GROUP BY hour, device, metric, grid HAVING n_left != 0 OR total_left != 0 OR low_differs OR high_differs)
"""
STAGES: Final = ("reported", "accepted", "dispatched", "arrived", "resolved", "closed")


def _cases() -> str:
    times = ", ".join(f"minIf(t_{stage}, side = 0) AS a_{stage}, minIf(t_{stage}, side = 1) AS b_{stage}" for stage in STAGES)
    differ = " OR ".join(f"ifNull(a_{stage}, 0) != ifNull(b_{stage}, 0)" for stage in STAGES)
    recount = ", ".join(f"if(stage = '{stage}', toUnixTimestamp64Milli(toNullable(at)), NULL) AS t_{stage}" for stage in STAGES)
    target = ", ".join(f"toUnixTimestamp64Milli({stage}_at) AS t_{stage}" for stage in STAGES)
    return f"""
SELECT count() AS differing FROM (
    SELECT case_id, source_topic, sum(n) AS n_left, maxIf(rank, side = 0) != maxIf(rank, side = 1) AS rank_differs, {times}
    FROM (
        SELECT 0 AS side, case_id, source_topic, toInt64(1) AS n,
               multiIf(mediation_level = 'banner', 3, mediation_level = 'town', 2, mediation_level = 'community', 1, 0) AS rank, {recount}
        FROM events WHERE case_id != ''
        UNION ALL
        SELECT 1, case_id, source_topic, -toInt64(events), mediation_rank, {target} FROM cases
    ) GROUP BY case_id, source_topic HAVING n_left != 0 OR rank_differs OR {differ})
"""


def recounts(time_zone: str) -> dict[str, str]:
    """For each view target the query whose one number is how many of its buckets differ."""
    day = f"toString(toDate(at, '{time_zone}'))"
    minute = "intDiv(toUnixTimestamp64Milli(at), 60000)"
    return {
        "counts_minute": COUNTS.format(bucket=minute, column="intDiv(toUnixTimestamp(minute), 60)", table="counts_minute"),
        "counts_day": COUNTS.format(bucket=day, column="toString(day)", table="counts_day"),
        "cases": _cases(),
        "sensor_rollup": SENSORS,
    }
