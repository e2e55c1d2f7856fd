"""Windows of time: which steps a question covers. Pure.

Windows of a duty token slide by the minute and end with the watermark. Without one there are whole local days only: counts
of windows that overlap could be taken from one another (docs/decisions/0030-small-cells.md).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


class Window(StrEnum):
    """Length of a window. `day` is a whole day of the deployment's time zone."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    TWENTY_FOUR_HOURS = "24h"
    WEEK = "7d"
    DAY = "day"


LENGTHS: Final = {
    Window.HOUR: timedelta(hours=1), Window.SIX_HOURS: timedelta(hours=6), Window.TWENTY_FOUR_HOURS: DAY,
    Window.WEEK: timedelta(days=7),
}  # fmt: skip


class Span(NamedTuple):
    """[start, end) of event time, aware UTC, on whole minutes. `day` where it is a local day."""

    start: datetime
    end: datetime
    day: date | None = None

    def before(self, shift: timedelta) -> Span:
        """The same window earlier."""
        return Span(self.start - shift, self.end - shift)


def sliding(window: Window, end: datetime) -> Span:
    """The window that ends with the minute of `end`."""
    last = end.astimezone(UTC).replace(second=0, microsecond=0)
    last += MINUTE if last < end else timedelta()
    return Span(last - LENGTHS[window], last)


def day_span(day: date, zone: ZoneInfo) -> Span:
    """A local day, 23 to 25 hours where clocks change."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    return Span(start, datetime.combine(day + DAY, time(), zone).astimezone(UTC), day)


def last_closed_day(now: datetime, watermark: datetime, zone: ZoneInfo) -> date:
    """The newest day that is over by the clock and that the stream has come to."""
    return min(now.astimezone(zone).date() - DAY, watermark.astimezone(zone).date())


def text(at: datetime) -> str:
    """A moment as ClickHouse reads it in a parameter: UTC, milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def whole(at: datetime) -> str:
    """The same without a fraction, for DateTime."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
