"""When a city's clock changed, and will: with it a page tells local time without the browser's own tables of zones. Pure.

The first `Intl.DateTimeFormat` of a page costs a phone a quarter of a second (docs/decisions/0058).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2040, 1, 1, tzinfo=UTC)
"""Between these two; before and after, the first and the last count."""
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)


def clock_changes(zone: ZoneInfo) -> list[tuple[int, int]]:
    """From which instant (Unix, seconds) the clock is how far ahead of UTC (seconds), in order; the first stands for all before."""
    found = [(int(FIRST.timestamp()), _ahead(FIRST, zone))]
    at = FIRST
    while at < LAST:
        if _ahead(at + DAY, zone) != found[-1][1]:
            change = _first_minute(at, at + DAY, zone)
            found.append((int(change.timestamp()), _ahead(change, zone)))
        at += DAY
    return found


def _ahead(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _first_minute(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first whole minute that has the offset of `after`."""
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        before, after = (before, middle) if _ahead(middle, zone) == _ahead(after, zone) else (middle, after)
    return after
