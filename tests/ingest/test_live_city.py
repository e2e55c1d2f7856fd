"""The living city: nothing is sent before its time, and days follow each other without a gap."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.city import build_city, make_plan
from ingest.city.live import live
from ingest.city.plan import Plan

MIDNIGHT = datetime(2026, 11, 20, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_what_is_past_comes_at_once_and_the_rest_in_its_time() -> None:
    city, clock, waits = build_city(1), MIDNIGHT + timedelta(hours=20), 0
    days: list[datetime] = []

    def plan_of(day: datetime) -> Plan:
        days.append(day)
        return make_plan(city, day, 20_000)

    def wait(seconds: float) -> None:
        nonlocal clock, waits
        clock, waits = clock + timedelta(seconds=seconds), waits + 1

    at_once = 0
    for event in live(plan_of, MIDNIGHT, lambda: clock, wait):
        assert event.at <= clock
        at_once += waits == 0
        if event.at >= MIDNIGHT + timedelta(hours=25):
            break

    assert days == [MIDNIGHT, MIDNIGHT + timedelta(days=1)]
    assert at_once > 100
    assert waits > 100
