"""From a question's parameters to its body: shared by the JSON routes and the exports, so that both say the same."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from view.answers import in_scope, stamp
from view.asked import AreaLevel, Category, Step
from view.parts import Pulse
from view.series import Line, series
from view.served import Served
from view.state import Asked, span_for, state, window_for
from view.who import Who
from view.windows import Window


class StateQuestion(NamedTuple):
    """A question for a state, and what its answer depends on."""

    pulse: Pulse
    asked: Asked
    key: Hashable


def state_question(api: Served, who: Who, window: Window | None, at: datetime | None, level: AreaLevel) -> StateQuestion:
    """The key holds the store, the asker, and the window, which by itself moves on at midnight."""
    asked = Asked(window_for(who, window), level, at)
    pulse = api.parts.pulse()
    span = span_for(api.parts, pulse, asked)
    return StateQuestion(pulse, asked, ("state", pulse.seq, pulse.watermark, who.scope, who.duty, asked, span))


def state_body(api: Served, who: Who, question: StateQuestion) -> dict[str, Any]:
    """The answer, computed once for each key."""
    body = api.bodies.get(question.key, lambda: state(api.parts, api.days, question.pulse, who, question.asked))
    return body | stamp(question.pulse)


class SeriesQuestion(NamedTuple):
    """Parameters of a series as they were given."""

    area: str | None
    cat: Category | None
    step: Step
    start: datetime | None
    end: datetime | None


def series_body(api: Served, who: Who, asked: SeriesQuestion) -> dict[str, Any]:
    """The answer; without a range the last 28 days (14 without duty) or 72 hours."""
    pulse = api.parts.pulse()
    place = in_scope(who.scope, asked.area, api.parts.city.names)
    last = asked.end or pulse.watermark or api.parts.now()
    first = asked.start or last - (timedelta(days=28) if asked.step is Step.DAY else timedelta(hours=72))
    line = Line(place, asked.cat.value if asked.cat else None, asked.step, first, last)
    key = ("series", pulse.seq, who.scope, who.duty, line)
    return api.bodies.get(key, lambda: series(api.parts, api.days, pulse, who, line)) | stamp(pulse)
