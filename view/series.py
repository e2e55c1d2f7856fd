"""`/series` and `/movers`: what was counted beside what was expected, step by step; and where the change is largest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from view.answers import duty_only, stamp
from view.asked import LONGEST, Step
from view.baseline import (
    EARS_C2,
    SAME_HOUR,
    STANDS_OUT,
    Model,
    benjamini_hochberg,
    expect,
    p_of_change,
    score,
)
from view.city import CATEGORIES
from view.counts import by_day, by_hour, days_with_data, feeds, hours_with_data, in_window, rolled_up
from view.days import ALL, PublishedDays
from view.parts import Parts, Pulse
from view.state import Asked, span_for
from view.who import Who
from view.windows import DAY, Span, last_closed_day

HOUR = timedelta(hours=1)
MOST_PUBLISHED_DAYS = 14
WEEK = timedelta(days=7)


class Line(NamedTuple):
    """Which line: an area (empty: the city), a category or class (None: all), a step, and the first and last step."""

    area: str
    cat: str | None
    step: Step
    start: datetime
    end: datetime


def series(parts: Parts, days: PublishedDays, pulse: Pulse, who: Who, line: Line) -> dict[str, Any]:
    """The body: columns of equal length. None in `obs`: nothing is known of the step, or `masked` has its index."""
    # An end before the start is an empty answer; of a range that is too long the newest steps are answered.
    end = max(line.start, line.end)
    line = line._replace(start=max(line.start, end - LONGEST[line.step]), end=end)
    if not who.duty:
        return _published(parts, days, pulse, who, line)
    if line.step is Step.HOUR:
        return _hours(parts, pulse, who, line)
    first, last = (at.astimezone(parts.zone).date() for at in (line.start, line.end - timedelta(microseconds=1)))
    last = last if line.end > line.start else first - DAY
    early = first - EARS_C2.reach * DAY
    counts = by_day(parts.ask, who.scope, line.area, line.cat, early, last)
    known = days_with_data(parts.ask, early, last)
    steps = [early + number * DAY for number in range((last - early).days + 1)]
    complete = last_closed_day(parts.now(), pulse.watermark, parts.zone) if pulse.watermark else None
    observed = [counts.get(step, 0) if step in known else None for step in steps]
    return _body(pulse, line, EARS_C2, steps, observed, EARS_C2.reach, complete)


def _hours(parts: Parts, pulse: Pulse, who: Who, line: Line) -> dict[str, Any]:
    first = line.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    number = -((first - line.end.astimezone(UTC)) // HOUR)
    early = first - SAME_HOUR.reach * HOUR
    counts = by_hour(parts.ask, who.scope, line.area, line.cat, early, first + number * HOUR)
    known = hours_with_data(parts.ask, early, first + number * HOUR)
    steps = [early + at * HOUR for at in range(SAME_HOUR.reach + number)]
    complete = pulse.watermark.replace(minute=0) - HOUR if pulse.watermark else None
    observed = [counts.get(step, 0) if step in known else None for step in steps]
    return _body(pulse, line, SAME_HOUR, steps, observed, SAME_HOUR.reach, complete)


def _published(parts: Parts, days: PublishedDays, pulse: Pulse, who: Who, line: Line) -> dict[str, Any]:
    """From published cells alone, the expectation too: it is no second way to what is hidden."""
    if line.step is not Step.DAY:
        duty_only(who, f"step={line.step}", "without one there is step=day")
    if line.cat is not None and line.cat not in CATEGORIES:
        duty_only(who, f"cat={line.cat}", "without one there are categories")
    closed = last_closed_day(parts.now(), pulse.watermark, parts.zone) if pulse.watermark else None
    last = line.end.astimezone(parts.zone).date() - (
        DAY if line.end.astimezone(parts.zone).time() == datetime.min.time() else timedelta()
    )
    last = min(last, closed) if closed else last
    first = max(line.start.astimezone(parts.zone).date(), last - (MOST_PUBLISHED_DAYS - 1) * DAY)
    steps = [first + number * DAY for number in range((last - first).days + 1)]
    known = days_with_data(parts.ask, first, last) if steps else set()
    column = CATEGORIES.index(line.cat) if line.cat else ALL
    cells = {step: days.of(step, pulse.seq).cell(line.area, column) for step in steps if step in known}
    observed = [cells[step].n if step in cells else None for step in steps]
    body = _body(pulse, line, EARS_C2, steps, observed, 0, closed)
    return body | {"masked": [at for at, step in enumerate(steps) if step in cells and cells[step].hidden]}


def _body(
    pulse: Pulse, line: Line, model: Model, steps: Sequence[date], observed: list[int | None], lead: int, complete: date | None
) -> dict[str, Any]:
    expected = expect(model, observed)[lead:]
    shown = observed[lead:]
    return {
        **stamp(pulse),
        "area": line.area,
        "cat": line.cat,
        "step": line.step,
        "model": model.told(),
        "complete_until": complete,
        "t": list(steps[lead:]),
        "obs": shown,
        "expected": [None if one.mean is None else round(one.mean, 3) for one in expected],
        "upper": [None if one.upper is None else round(one.upper, 3) for one in expected],
        "flag": [None if n is None or one.upper is None else n > one.upper for n, one in zip(shown, expected, strict=True)],
        "masked": [],
    }


class Change(NamedTuple):
    """One area and category now and before."""

    area: str
    column: int
    now: int
    base: int


def movers(parts: Parts, days: PublishedDays, pulse: Pulse, who: Who, asked: Asked, limit: int) -> dict[str, Any]:
    """The body: the largest changes against the same window a week before, by `score`; q over all pairs that were compared."""
    span = span_for(parts, pulse, asked)
    codes = [code for code in parts.city.levels[asked.level.value] if who.scope.covers(code)]
    before = span_for(parts, pulse, asked._replace(at=span.start - WEEK)) if span.day else span.before(WEEK)
    changes = _exact(parts, who, asked, codes, (span, before)) if who.duty else _shown(days, pulse, codes, (span, before))
    unknown = _unknown(parts, pulse, (span, before))
    changes = [one for one in changes if not unknown[one.column]]
    q_values = benjamini_hochberg([p_of_change(one.now, one.base) for one in changes])
    found: list[dict[str, Any]] = [
        {
            "area": one.area, "cat": CATEGORIES[one.column], "obs": one.now, "base": one.base,
            "score": round(score(one.now, one.base), 3), "q": q, "flag": abs(score(one.now, one.base)) > STANDS_OUT,
        }
        for one, q in zip(changes, q_values, strict=True)
    ]  # fmt: skip
    found.sort(key=lambda one: (-abs(one["score"]), one["area"], one["cat"]))
    return {
        **stamp(pulse),
        "window": {"name": asked.window, "start": span.start, "end": span.end, "day": span.day},
        "base": "the same window seven days before",
        "compared": len(changes),
        "items": [one for one in found[:limit] if one["score"]],
    }


def _exact(parts: Parts, who: Who, asked: Asked, codes: list[str], spans: tuple[Span, Span]) -> list[Change]:
    now, base = (rolled_up(in_window(parts.ask, who.scope, one), asked.level.value, codes) for one in spans)
    return [
        Change(code, column, now[at][column], base[at][column])
        for at, code in enumerate(codes)
        for column in range(len(CATEGORIES))
        if now[at][column] or base[at][column]
    ]


def _shown(days: PublishedDays, pulse: Pulse, codes: list[str], spans: tuple[Span, Span]) -> list[Change]:
    now, base = (days.of(span.day, pulse.seq) for span in spans if span.day)
    pairs = [(code, column, now.cell(code, column).n, base.cell(code, column).n) for code in codes for column in range(ALL)]
    return [Change(code, column, n, b) for code, column, n, b in pairs if n is not None and b is not None and (n or b)]


def _unknown(parts: Parts, pulse: Pulse, spans: tuple[Span, Span]) -> list[bool]:
    """Categories of which nothing is known in one of the windows: from nothing known to something is no change."""
    now, base = (feeds(parts, pulse, span).dead for span in spans)
    return [one or other for one, other in zip(now, base, strict=True)]
