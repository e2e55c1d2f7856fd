"""The watch: aggregates in, alerts out. Reads by a `query` that wiring hands in, writes only to `citybrain.alerts`.

Every look asks how far the stream is (by event time, never by the wall clock), judges the windows that became complete, and
sends what stands out. What it judges depends on the stored events alone, so history played back raises the same alerts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from schemas import metrics
from schemas.alerts import AlertRaised
from schemas.errors import CitybrainError
from schemas.events import Kind
from schemas.places import Level
from schemas.taxonomy import taxonomy
from schemas.topics import ALERTS, RAW
from streams import watch_queries as ask
from streams.clock import HOUR_MS, clocks, day_of, day_start, days, hours, moment
from streams.detectors import DETECTORS
from streams.findings import find
from streams.raising import CoolDown, Window, alert_of, past_of, silence_alert
from streams.silence import NAME, SILENT_HOURS, grouped
from streams.tally import Tally
from streams.watch_log import WatchLog

log = logging.getLogger(__name__)

DAY_MS: Final = 24 * HOUR_MS
STEP_MS: Final = 14 * DAY_MS
"""Longest stretch of event time that is judged in one piece: bounds memory."""
DAYS_BEFORE: Final = 10
"""Days of counts read before the first judged window: the longest baseline and a day."""
KINDS: Final[dict[str, Kind]] = {topic.name: kind for kind, topic in RAW.items()}
MOST_FAILURES: Final = 10
NEWEST_RECORDS: Final = 200_000
"""Of a partition that is new to a watch, so many records at its end tell its clock."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a watch works. `q`: largest expected share of false alarms among all of one window."""

    time_zone: str = "Asia/Shanghai"
    lateness: timedelta = timedelta(minutes=10)
    cool_down: timedelta = timedelta(hours=12)
    look_back: timedelta = timedelta(days=60)
    q: float = 0.01
    look_seconds: float = 2.0


class Watch:
    """Judges each kind of source on its own clock."""

    def __init__(self, query: ask.Query, log_: WatchLog, options: WatchOptions) -> None:
        self._query, self._log, self._options = query, log_, options
        self._zone = ZoneInfo(options.time_zone)
        words = taxonomy()
        self._categories = {
            name: words.category_of(name) for name in words.classes if words.category_of(name) != "unclassified"
        }
        self._newest: dict[ask.Source, int] = {}
        self._seen: dict[ask.Source, int] = {}
        self._clocks: dict[Kind, int] = {}
        self._position: dict[Kind, int] | None = None
        self._areas: list[tuple[Level, str]] | None = None
        self._first_days: dict[Kind, int] | None = None
        self._ids: set[str] = set()
        self._cool_down = CoolDown(options.cool_down)

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Raises when a person has to act, or when looking failed MOST_FAILURES times in a row."""
        failures = 0
        while not stop.wait(self._options.look_seconds if self._position is not None else 0.2):
            try:
                self.look()
                failures = 0
            except CitybrainError as error:
                failures += 1
                if not error.retryable or failures >= MOST_FAILURES:
                    raise
                log.warning("%s; looking again", error)

    def look(self) -> int:
        """Judge what became complete since the last look; how many alerts were sent."""
        known = ask.covered(self._query)
        ends = self._log.ends()
        if self._position is None and not self._resume(known, ends):
            return 0
        assert self._position is not None  # noqa: S101 - narrows the type
        self._advance(known, ends)
        self._areas = self._first_days = None  # asked once a look, and only when something is to be judged
        sent = 0
        for kind, clock in self._clocks.items():
            upto = (clock - self._lateness_ms) // HOUR_MS * HOUR_MS
            after = self._position.get(kind)
            after = self._start_of(kind, upto) if after is None else after
            metrics.WATCH_LAG.labels(kind).set(max(0, upto - after) / 1000)
            while after < upto:
                until = min(upto, after + STEP_MS)
                sent += self._judge(kind, after, until)
                self._position[kind] = after = until
                self._log.keep(self._position)
            metrics.WATCH_LAG.labels(kind).set(0)
        return sent

    @property
    def _lateness_ms(self) -> int:
        return int(self._options.lateness.total_seconds() * 1000)

    def _resume(self, known: dict[tuple[str, int], tuple[str, int]], ends: dict[tuple[str, int], int]) -> bool:
        """Take over where the last watch stopped, once every alert it sent is stored; False until then."""
        sent = {place: end for place, end in ends.items() if place[0] == ALERTS.name and end}
        if any(known.get(place, ("", 0))[1] < end for place, end in sent.items()):
            return False
        self._position = self._log.position()
        since = min(self._position.values(), default=0) - int(2 * self._options.cool_down.total_seconds() * 1000)
        self._ids, past = ask.past_alerts(self._query, max(0, since))
        self._cool_down = CoolDown(self._options.cool_down, past)
        return True

    def _advance(self, known: dict[tuple[str, int], tuple[str, int]], ends: dict[tuple[str, int], int]) -> None:
        """Move the clocks on by what was stored since the last look, and nothing older."""
        sources = {(topic, topic_id, n): following for (topic, n), (topic_id, following) in known.items() if topic in KINDS}
        fresh = {
            source: (self._seen.get(source, max(0, end - NEWEST_RECORDS)), end)
            for source, end in sources.items()
            if end > self._seen.get(source, 0)
        }
        for source, ms in ask.newest_events(self._query, fresh).items():
            self._newest[source] = max(ms, self._newest.get(source, ms))
        self._seen |= sources
        self._clocks = clocks(ask.partitions(KINDS, self._newest, known, ends), self._clocks)

    def _start_of(self, kind: Kind, upto: int) -> int:
        """Where a watch begins that nothing is known of: the first day of the kind, at most `look_back` before its clock."""
        first = self._first_day(kind, day_of(upto, self._zone))
        earliest = upto - int(self._options.look_back.total_seconds() * 1000)
        start = max(earliest, int(day_start(first, self._zone).timestamp() * 1000)) // HOUR_MS * HOUR_MS
        return min(start, upto)

    def _first_day(self, kind: Kind, otherwise: int) -> int:
        if self._first_days is None:
            self._first_days = ask.first_days(self._query)
        return self._first_days.get(kind, otherwise)

    def _judge(self, kind: Kind, after: int, upto: int) -> int:
        """Judge every window that ended in (after, upto]; earlier ends first, so that a cool-down does not depend on the steps."""
        raised = sorted(
            self._raised(kind, after, upto), key=lambda alert: (alert.data.window_end, alert.data.window_start, alert.id)
        )
        sending = []
        for alert in raised:
            past, silence = past_of(alert), alert.data.detector == NAME
            if alert.id in self._ids or (not silence and self._cool_down.holds(past)):
                continue
            if not silence:
                self._cool_down.add(past)
            self._ids.add(alert.id)
            sending.append(alert)
        if sending:
            self._log.send(sending)
        for alert in sending:
            metrics.ALERTS.labels(alert.data.category, alert.data.detector).inc()
            log.info("alert %s: %s %s in %s", alert.id, alert.data.detector, alert.data.incident_class, alert.data.area)
        return len(sending)

    def _raised(self, kind: Kind, after: int, upto: int) -> Iterator[AlertRaised]:
        areas = self._areas = self._areas if self._areas is not None else ask.areas(self._query)
        first_hour, end_hour = hours(after, upto)
        first_day, end_day = days(after, upto, self._zone)
        back = day_of(after, self._zone) - DAYS_BEFORE
        # The first day of a source is rarely whole: it is no baseline.
        begun = self._first_day(kind, end_day)
        heard = {day for day in ask.days_heard(self._query, kind, back, end_day + 1) if day > begun}
        hour_from = first_hour - 24 * DAYS_BEFORE
        hourly = Tally(ask.hour_counts(self._query, kind, hour_from, end_hour), areas, self._categories)
        hours_heard = np.array([day_of(hour * HOUR_MS, self._zone) in heard for hour in range(hour_from, end_hour)], bool)
        daily = (
            Tally(ask.day_counts(self._query, kind, back, end_day), areas, self._categories) if end_day > first_day else None
        )
        days_known = np.array([day in heard for day in range(back, end_day)], bool)
        for name, detector in DETECTORS.items():
            parameters = {**detector.parameters(), "q": self._options.q}
            for finding in find(hourly, detector, first_hour, end_hour, 24, hours_heard, hour_from, self._options.q):
                yield alert_of(finding, kind, self._hours(finding.period, 1), name, parameters)
            for finding in find(daily, detector, first_day, end_day, 1, days_known, back, self._options.q) if daily else ():
                yield alert_of(finding, kind, self._day(finding.period), name, parameters)
        if kind == "sensor":
            for group in grouped(ask.silent_devices(self._query, first_hour, end_hour)):
                yield silence_alert(group, self._hours(group.hour, SILENT_HOURS))

    def _hours(self, last: int, count: int) -> Window:
        """The window of `count` hours whose last is `last`."""
        end = moment((last + 1) * HOUR_MS)
        return Window(end - timedelta(hours=count), end, end + self._options.lateness)

    def _day(self, day: int) -> Window:
        start, end = day_start(day, self._zone), day_start(day + 1, self._zone)
        return Window(
            moment(int(start.timestamp() * 1000)),
            moment(int(end.timestamp() * 1000)),
            moment(int(end.timestamp() * 1000)) + self._options.lateness,
        )
