"""Devices give the records a plan asks for, mostly within limits."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ingest.city.cases import Shard, Window
from ingest.city.geography import build_city
from ingest.city.rhythm import DAY_MS
from ingest.city.sensors import METRICS, Fleet, first_ids, fleet_of, readings_of
from ingest.outgoing import Outgoing
from streams.rules import shipped_rules

DAY = datetime(2026, 11, 22, tzinfo=timezone(timedelta(hours=8)))


def day_of(fleet: Fleet, shard: Shard = Shard()) -> list[Outgoing]:  # noqa: B008 - immutable
    window = Window(0, DAY_MS, shard)
    return [event for hour in range(24) for _, event in readings_of(build_city(1), fleet, DAY, 0, hour, window)]


@pytest.mark.parametrize("wanted", [0, 1, 10_000, 60_000, 300_000, 5_000_000])
def test_a_fleet_gives_at_least_what_is_asked(wanted: int) -> None:
    fleet = fleet_of(build_city(1), wanted)

    assert wanted <= fleet.readings_a_day <= max(wanted * 1.01, 70 * 24) + 1_440
    assert 60 % fleet.minutes == 0


def test_a_day_has_one_record_a_device_and_interval_in_order() -> None:
    fleet = fleet_of(build_city(1), 60_000)
    events = day_of(fleet)

    assert len(events) == fleet.readings_a_day
    assert len({event.id for event in events}) == len(events)
    assert events == sorted(events, key=lambda event: event.at)
    assert all(DAY <= event.at < DAY + timedelta(days=1) for event in events)
    assert set(first_ids(fleet, DAY, 4)) <= {event.id for event in events}


def test_few_readings_pass_their_limit_and_few_devices_are_offline() -> None:
    """Breach values lie past the limits of the shipped rules, usual values within."""
    limits = {row["metric"]: row for row in shipped_rules().limits.iter_rows(named=True)}
    breaches = offline = 0
    events = day_of(fleet_of(build_city(1), 60_000))
    for event in events:
        if event.data.get("status") == "offline":
            offline += 1
            continue
        (reading,) = event.data["readings"]
        breaches += past(reading, limits)

    assert 3 <= breaches <= 40
    assert 12 <= offline <= 60
    assert all(metric.name in limits or metric.name == "pm25" for metric in METRICS)


def past(reading: dict[str, Any], limits: dict[str, dict[str, Any]]) -> bool:
    limit = limits.get(reading["metric"])
    return limit is not None and bool(reading["value"] > limit["above"])


def test_shards_share_the_devices() -> None:
    """Together they tell the same records, and a device is in one shard only."""
    fleet = fleet_of(build_city(1), 10_000)
    parts = [day_of(fleet, Shard(number, 3)) for number in range(3)]
    devices = [{event.source for event in part} for part in parts]

    assert sorted(event.id for part in parts for event in part) == sorted(event.id for event in day_of(fleet))
    assert not devices[0] & devices[1] | devices[1] & devices[2] | devices[0] & devices[2]
