"""How far the watch is, what it raised, and whether that tells of a planted burst."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from citybrain.audit.raw_log import log_ends
from citybrain.reading import Query
from ingest.city.bursts import Burst
from schemas.errors import CitybrainError
from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, common
from schemas.topics import ALERTS
from streams.clock import HOUR_MS
from streams.watch_log import read_position

CLOCKS: Final = "SELECT kind, toUnixTimestamp64Milli(max(at)) AS newest FROM events GROUP BY kind"
STORED: Final = f"SELECT max(last_offset) + 1 AS next FROM blocks WHERE source_topic = '{ALERTS.name}'"
FOUND: Final = (
    "SELECT alert_id, level, area_level, area, category, incident_class, detector, observed, expected, upper, p, q, "
    "toUnixTimestamp64Milli(window_start) AS started, toUnixTimestamp64Milli(window_end) AS ended FROM v_alerts ORDER BY at, alert_id"
)
PAUSE_SECONDS: Final = 0.3


class WatchBehind(CitybrainError):
    """The watch did not judge what is stored."""


def judged_lag(broker: Broker, query: Query, lateness_minutes: int) -> int:
    """Windows (kind x hour) that are complete by what is stored and not judged yet, and alerts that are not stored yet."""
    admin = open_admin(common(broker))
    try:
        position = read_position(admin)
    finally:
        admin.close()
    behind = 0
    for row in _rows(query, CLOCKS):
        complete = (int(row["newest"]) - lateness_minutes * 60_000) // HOUR_MS
        # A kind without a position has to begin first; where nothing is complete yet that is one look.
        behind += max(0, complete - position[row["kind"]] // HOUR_MS) if row["kind"] in position else 1
    stored = int(_rows(query, STORED)[0]["next"] or 0)
    sent = sum(log_ends(broker, [ALERTS.name]).values())
    return behind + max(0, sent - (stored if sent else 0))


def until_judged(broker: Broker, query: Query, lateness_minutes: int, look: Callable[[], None], seconds: float = 60.0) -> None:
    """Wait until the watch has judged all that is stored and its alerts are stored too. WatchBehind after `seconds`."""
    deadline = time.monotonic() + seconds
    while behind := judged_lag(broker, query, lateness_minutes):
        look()
        if time.monotonic() > deadline:
            raise WatchBehind(
                f"{behind:,} windows or alerts behind after {seconds:.0f} s; see watch.log in the logs of the data folder"
            )
        time.sleep(PAUSE_SECONDS)


def alerts_found(query: Query) -> list[dict[str, Any]]:
    """Every alert, in the order of event time."""
    return [row | {"started": _at(row["started"]), "ended": _at(row["ended"])} for row in _rows(query, FOUND)]


def tells_of(alert: dict[str, Any], burst: Burst) -> bool:
    """Whether an alert is about a burst: its class, its area or one within or around it, and a window that meets it."""
    nested = alert["area"].startswith(burst.area) or burst.area.startswith(alert["area"])
    meets = alert["started"] < burst.end and alert["ended"] > burst.start
    return bool(alert["incident_class"] == burst.incident_class and nested and meets)


def bursts_found(alerts: list[dict[str, Any]], bursts: Iterable[Burst]) -> list[str]:
    """Names of the bursts that an alert tells of."""
    return [burst.name for burst in bursts if any(tells_of(alert, burst) for alert in alerts)]


def _rows(query: Query, sql: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in query(sql, "JSONEachRow").splitlines()]


def _at(ms: object) -> datetime:
    return datetime.fromtimestamp(int(str(ms)) / 1000, UTC)
