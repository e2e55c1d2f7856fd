"""`/state`: every area by category in one window, and how unusual it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from view.answers import stamp
from view.asked import AreaLevel
from view.city import CATEGORIES
from view.counts import Feeds, feeds, in_window, rolled_up
from view.days import ALL, PublishedDays
from view.parts import Parts, Pulse
from view.problems import needs_duty
from view.who import Who
from view.windows import Span, Window, day_span, last_closed_day, sliding, text

HIGHEST: Final = 5
"""Alerts count from 1 (red, highest) to 4; levels of areas from 0 (nothing unusual) to 4: level = 5 - alert's level."""
ALERTS: Final = "SELECT alert_id, area, area_level, category, level, detector, window_start, window_end FROM v_alerts WHERE "
OPEN: Final = "is_open"
OPEN_THEN: Final = "at <= {then:DateTime64(3, 'UTC')} AND (ended_at IS NULL OR ended_at > {then:DateTime64(3, 'UTC')})"


class Asked(NamedTuple):
    """One question for a state; what its answer depends on besides who asks and how far the store is."""

    window: Window
    level: AreaLevel
    at: datetime | None = None


def window_for(who: Who, window: Window | None) -> Window:
    """The window of a question that names none. Problem 403: only days without a duty token."""
    if window is None:
        return Window.TWENTY_FOUR_HOURS if who.duty else Window.DAY
    if not who.duty and window is not Window.DAY:
        raise needs_duty(f"window={window}", "without one there is window=day, the last whole day")
    return window


def span_for(parts: Parts, pulse: Pulse, asked: Asked) -> Span:
    """Which time a question is about. Days are whole and over; other windows end with the watermark or `at`."""
    watermark = pulse.watermark or parts.now()
    if asked.window is not Window.DAY:
        return sliding(asked.window, min(asked.at or watermark, watermark))
    closed = last_closed_day(parts.now(), watermark, parts.zone)
    return day_span(min(asked.at.astimezone(parts.zone).date(), closed) if asked.at else closed, parts.zone)


def state(parts: Parts, days: PublishedDays, pulse: Pulse, who: Who, asked: Asked) -> dict[str, Any]:
    """The body. `n` and `level` are in the order of `areas` and `categories`; None where nothing is known or `masked` says so."""
    span = span_for(parts, pulse, asked)
    codes = [code for code in parts.city.levels[asked.level.value] if who.scope.covers(code)]
    fed = feeds(parts, pulse, span)
    counted = _exact(parts, who, span, asked, codes) if who.duty else _published(days, pulse, who, span, codes)
    raised = _levels(parts, pulse, who, span, asked, codes) if who.duty else []
    return {
        **stamp(pulse),
        "window": {"name": asked.window, "start": span.start, "end": span.end, "day": span.day},
        "grids": parts.city.hash,
        "area_level": asked.level,
        "areas": codes,
        "categories": CATEGORIES,
        "n": [_known(row, fed) for row in counted["n"]],
        "masked": [[row, column] for row, column in counted["masked"] if column == ALL or not fed.dead[column]],
        "sum": _known(counted["sum"], fed),
        "level": _level_table(raised, len(codes), fed) if who.duty else None,
        "why": raised,
        "sources": [{"id": one.id, "last": one.last if who.duty else None, "ok": one.ok} for one in fed.sources],
    }


def _exact(parts: Parts, who: Who, span: Span, asked: Asked, codes: list[str]) -> dict[str, Any]:
    rows = rolled_up(in_window(parts.ask, who.scope, span), asked.level.value, codes)
    sums = [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * len(CATEGORIES)
    return {"n": rows, "masked": [], "sum": [*sums, sum(sums)]}


def _published(days: PublishedDays, pulse: Pulse, who: Who, span: Span, codes: list[str]) -> dict[str, Any]:
    assert span.day is not None  # noqa: S101 - `window_for` let nothing else through
    table = days.of(span.day, pulse.seq)
    whole = who.scope.value if who.scope.kind == "community" else ""
    rows = [[table.cell(code, column) for column in range(ALL)] for code in codes]
    # The sum over all that is in scope, with the same mask as in every other answer.
    sums = [table.cell(whole, column) for column in range(ALL + 1)] if whole in table.row else []
    return {
        "n": [[cell.n for cell in row] for row in rows],
        "masked": [[at, column] for at, row in enumerate(rows) for column, cell in enumerate(row) if cell.hidden],
        "sum": [cell.n for cell in sums],
    }


def _levels(parts: Parts, pulse: Pulse, who: Who, span: Span, asked: Asked, codes: list[str]) -> list[dict[str, Any]]:
    """Alerts about the areas and the window that are open, or were at the end of a window of the past, most severe first."""
    inside = who.scope.condition("area")
    then = text(span.end) if asked.at else ""
    found = parts.kept.get(
        ("open alerts", pulse.alerts, who.scope, then),
        lambda: parts.ask(
            f"{ALERTS}{OPEN_THEN if then else OPEN} AND {inside.sql} ORDER BY level, alert_id",
            inside.parameters | ({"then": then} if then else {}),
        ),
    )
    row = {code: number for number, code in enumerate(codes)}
    return [
        {
            "area": row[one["area"]], "category": CATEGORIES.index(one["category"]), "level": HIGHEST - int(one["level"]),
            "alert": one["alert_id"], "detector": one["detector"],
        }
        for one in found
        if one["area_level"] == asked.level.value and one["area"] in row
        and one["window_end"] > span.start and one["window_start"] < span.end
    ]  # fmt: skip


def _level_table(raised: list[dict[str, Any]], rows: int, fed: Feeds) -> list[list[int | None]]:
    table: list[list[int | None]] = [[None if dead else 0 for dead in fed.dead] for _ in range(rows)]
    for one in raised:
        table[one["area"]][one["category"]] = max(one["level"], table[one["area"]][one["category"]] or 0)
    return table


def _known(row: list[int | None], fed: Feeds) -> list[int | None]:
    """Counts of categories that nobody spoke for are not known. The sum stays while anybody spoke."""
    dead = [*fed.dead, all(fed.dead)]
    return [None if dead[column] else n for column, n in enumerate(row)]
