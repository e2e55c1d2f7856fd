"""What is sent, in the order of time: weeks of history and one played day, in a known number of records."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from typing import Final, NamedTuple, get_args

from ingest.city import bursts, calls, faults, grid_reports, sensors
from ingest.city.bursts import Burst
from ingest.city.cases import LONGEST_DAYS, WHOLE, Cases, Shard, Told, Window, tell
from ingest.city.geography import City
from ingest.city.rhythm import DAY_MS, HOUR_MS
from ingest.outgoing import Outgoing, Wire, encode
from schemas.events import Kind

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
HISTORY_DAYS: Final = 42
RECORDS_A_DAY: Final = 20_000
"""About what a day needs so that sensors are a good part of it; fewer records in all mean fewer days of history."""


class Counts(NamedTuple):
    """Records of a part of a plan: events, events sent again, and records broken on purpose."""

    events: int
    repeated: int
    broken: int


class Plan(NamedTuple):
    """A seeded plan of `history_days` and the played day after them; `start` is the first midnight.

    Times have the city's offset from UTC at `start`. Cases still open at the end of the played day stay open.
    """

    city: City
    start: datetime
    history_days: int
    fleet: sensors.Fleet
    bursts: list[Burst]

    def history(self, kinds: Collection[Kind] = KINDS, shard: Shard = WHOLE) -> Iterator[Outgoing]:
        """Events before the played day, in the order of time."""
        return self.events(0, self.history_days, kinds, shard)

    def played_day(self, kinds: Collection[Kind] = KINDS, shard: Shard = WHOLE) -> Iterator[Outgoing]:
        """Events of the played day, later stages of older cases too."""
        return self.events(self.history_days, self.history_days + 1, kinds, shard)

    def events(self, first: int, end: int, kinds: Collection[Kind] = KINDS, shard: Shard = WHOLE) -> Iterator[Outgoing]:
        """Events of the days [first, end) of the plan, in the order of time, as they are sent without any fault."""
        window = Window(first * DAY_MS, end * DAY_MS, shard)
        pending: list[Told] = []
        for day in range(max(0, first - LONGEST_DAYS), end):
            midnight = self.day(day)
            for cases in self._cases(day, kinds):
                pending += tell(self.city, cases, midnight, day * DAY_MS, window)
            if day < first:
                continue
            if day == self.history_days and "sensor" in kinds:
                for burst in self.bursts:
                    pending += bursts.readings_of(self.city, burst, midnight, day * DAY_MS, window)
            pending.sort(key=itemgetter(0))
            told = 0
            for hour in range(24):
                cut = bisect_left(pending, day * DAY_MS + (hour + 1) * HOUR_MS, lo=told, key=itemgetter(0))
                chunk, told = pending[told:cut], cut
                if "sensor" in kinds:
                    chunk += sensors.readings_of(self.city, self.fleet, midnight, day * DAY_MS, hour, window)
                    chunk.sort(key=itemgetter(0))  # two ordered runs: a merge
                for _, event in chunk:
                    yield event
            pending = pending[told:]

    def records(self, kind: Kind, *, played: bool, shard: Shard = WHOLE) -> Iterator[Wire]:
        """Every record of a kind, in the order of time: of the played day, or of the weeks before it."""
        return self.wires((kind,), shard, played=played)

    def wires(self, kinds: Collection[Kind] = KINDS, shard: Shard = WHOLE, *, played: bool) -> Iterator[Wire]:
        """The events of a part as records, with broken ones between them and a few sent again a little later."""
        first, end = self._days(played=played)
        again = {name for day in range(first, end) for kind in kinds for name in self._repeated(kind, day)}
        late: list[tuple[datetime, str, Wire]] = self._broken(kinds, first, end) if shard.number == 0 else []
        heapq.heapify(late)
        pause = timedelta(milliseconds=faults.REPEATED_AFTER_MS)
        for event in self.events(first, end, kinds, shard):
            while late and late[0][0] <= event.at:
                yield heapq.heappop(late)[2]
            wire = encode(event)
            yield wire
            if event.id in again:
                heapq.heappush(late, (event.at + pause, event.id, wire))
        while late:
            yield heapq.heappop(late)[2]

    def expected(self, kinds: Collection[Kind] = KINDS, *, played: bool) -> Counts:
        """How many records there are, exactly and without making them."""
        first, end = self._days(played=played)
        days = end - first
        events = self.fleet.readings_a_day * days if "sensor" in kinds else 0
        if played and "sensor" in kinds:
            events += sum(burst.readings for burst in self.bursts)
        for day in range(max(0, first - LONGEST_DAYS), end):
            for cases in self._cases(day, kinds):
                events += cases.number_of_events((first - day) * DAY_MS, (end - day) * DAY_MS)
        return Counts(events, faults.REPEATED_A_DAY * len(kinds) * days, faults.BROKEN_A_DAY * len(kinds) * days)

    def day(self, number: int) -> datetime:
        """Midnight of a day of the plan."""
        return self.start + timedelta(days=number)

    def _cases(self, day: int, kinds: Collection[Kind]) -> Iterator[Cases]:
        """What the reports of a day are drawn as, bursts last."""
        midnight = self.day(day)
        if "police" in kinds:
            yield calls.calls_of(self.city, midnight)
        if "grid" in kinds:
            yield grid_reports.reports_of(self.city, midnight)
        if day == self.history_days:
            for number, burst in enumerate(self.bursts):
                if burst.kind in kinds:
                    yield bursts.cases_of(self.city, burst, number, midnight)

    def _days(self, *, played: bool) -> tuple[int, int]:
        return (self.history_days, self.history_days + 1) if played else (0, self.history_days)

    def _repeated(self, kind: Kind, day: int) -> list[str]:
        midnight, count = self.day(day), faults.REPEATED_A_DAY
        if kind == "sensor":
            return sensors.first_ids(self.fleet, midnight, count)
        cases = next(self._cases(day, (kind,)))  # a burst comes after the ordinary cases
        return [f"{cases.stem}-{len(cases.classes) * i // count:05d}" for i in range(count)]

    def _broken(self, kinds: Collection[Kind], first: int, end: int) -> list[tuple[datetime, str, Wire]]:
        records: list[tuple[datetime, str, Wire]] = []
        for kind in kinds:
            for number in range(first * faults.BROKEN_A_DAY, end * faults.BROKEN_A_DAY):
                at = self.start + timedelta(days=(number + 0.5) / faults.BROKEN_A_DAY)
                records.append((at, kind, faults.broken(kind, number, at)))
        return records


def make_plan(city: City, day: datetime, total: int, *, quiet: bool = False) -> Plan:
    """A plan of at least `total` records whose played day is `day`, an aware midnight; ValueError for any other time.

    Six weeks of history, or fewer days when `total` is less than what reports and a few sensors give in that time.
    `quiet`: the same city without its bursts.
    """
    offset = day.utcoffset()
    if offset is None or day != day.replace(hour=0, minute=0, second=0, microsecond=0):
        message = f"played day {day.isoformat()}: wanted a midnight with an offset, as 2026-11-22T00:00:00+08:00"
        raise ValueError(message)
    midnight = day.replace(tzinfo=timezone(offset))
    history = max(1, min(HISTORY_DAYS, total // RECORDS_A_DAY - 1))
    start = midnight - timedelta(days=history)
    bare = Plan(city, start, history, sensors.Fleet((), 60), [] if quiet else bursts.bursts_of(city, midnight))
    missing = total - sum(sum(bare.expected(played=played)) for played in (False, True))
    return bare._replace(fleet=sensors.fleet_of(city, max(0, -(-missing // (history + 1)))))


def merged(plan: Plan, *, played: bool, shard: Shard = WHOLE) -> Iterator[Wire]:
    """Records of all kinds in the order of time; for one producer, or one of several."""
    return plan.wires(shard=shard, played=played)
