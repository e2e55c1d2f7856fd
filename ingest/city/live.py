"""The simulated city by the clock: what has happened today at once, everything later when its time comes. Pure but for what it is handed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from ingest.city.plan import Plan
from ingest.outgoing import Outgoing


def live(
    plan_of: Callable[[datetime], Plan], day: datetime, now: Callable[[], datetime], wait: Callable[[float], None]
) -> Iterator[Outgoing]:
    """Events of a day and of all days after it, each no earlier than its own time. Does not end.

    `day` is a midnight; `wait` is told how many seconds to let pass.
    """
    while True:
        for event in plan_of(day).played_day():
            if (seconds := (event.at - now()).total_seconds()) > 0:
                wait(seconds)
            yield event
        day += timedelta(days=1)
