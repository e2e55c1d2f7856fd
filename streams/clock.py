"""The clock of a source: the event time up to which everything it sent is stored. Never the wall clock. Pure.

Each kind has a clock of its own, so that one that lags or stops neither holds up nor falsifies the alarms of another
(docs/decisions/0029).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.events import EPOCH, Kind

HOUR_MS: Final = 3_600_000


class Partition(NamedTuple):
    """One raw partition. `newest_ms`: latest event time among its stored events, None for none; `end`: of the log."""

    kind: Kind
    newest_ms: int | None
    covered: int
    end: int


def clocks(partitions: Iterable[Partition], before: Mapping[Kind, int]) -> dict[Kind, int]:
    """Event time of each kind, milliseconds since 1970; never earlier than `before`.

    A partition with records that are not stored yet holds its kind at its own newest event. One that is stored to its end
    holds nothing up: what comes there later is late, and lateness is allowed for elsewhere.
    """
    found = dict(before)
    by_kind: dict[Kind, list[Partition]] = {}
    for partition in partitions:
        by_kind.setdefault(partition.kind, []).append(partition)
    for kind, parts in by_kind.items():
        behind = [part.newest_ms for part in parts if part.covered < part.end]
        newest = [part.newest_ms for part in parts if part.newest_ms is not None]
        if not newest or None in behind:
            continue
        now = min((ms for ms in behind if ms is not None), default=max(newest))
        found[kind] = max(now, found.get(kind, now))
    return found


def hours(after_ms: int, upto_ms: int) -> tuple[int, int]:
    """Hours since 1970, [first, end), that end after `after_ms` and not after `upto_ms`."""
    return after_ms // HOUR_MS, upto_ms // HOUR_MS


def days(after_ms: int, upto_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """The same for local days, counted since 1970-01-01."""
    return day_of(after_ms, zone), day_of(upto_ms, zone)


def day_start(day: int, zone: ZoneInfo) -> datetime:
    """Midnight of a local day, counted since 1970-01-01; aware."""
    return datetime.combine(date(1970, 1, 1) + timedelta(days=day), time(), zone)


def day_of(ms: int, zone: ZoneInfo) -> int:
    """The local day a moment lies in, counted since 1970-01-01."""
    return (moment(ms).astimezone(zone).date() - date(1970, 1, 1)).days


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware time."""
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(UTC)
