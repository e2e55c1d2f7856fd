"""Devices and their readings: each device tells one reading every so many minutes, at a second of its own.

Limits are those of streams/rules/limits.yaml: about one reading in 4,000 passes its limit, one record in 2,000 says that
the device is offline instead.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.city.cases import Told, Window
from ingest.city.geography import City
from ingest.city.rhythm import HOUR_MS
from ingest.outgoing import Outgoing

INTERVALS: Final = (60, 30, 15, 10, 5, 2, 1)
"""Minutes between two readings of a device."""
MANY_DEVICES: Final = 2_000
"""More readings come from shorter intervals, not from more devices than this, until the shortest."""
FEWEST_DEVICES: Final = 70
BREACHES: Final = 1 / 4_000
OFFLINE: Final = 1 / 2_000


class Metric(NamedTuple):
    """One measured quantity: usual mean and deviation, how much it swings over the day, a value past its limit."""

    name: str
    unit: str
    mean: float
    deviation: float
    swing: float
    breach: float


METRICS: Final = (
    Metric("pm25", "ug/m3", 40.0, 12.0, 8.0, 180.0),
    Metric("ch4_lel", "%LEL", 2.0, 1.0, 0.0, 35.0),
    Metric("water_level_m", "m", 1.1, 0.2, 0.0, 2.9),
    Metric("smoke_obscuration", "%/m", 0.5, 0.3, 0.0, 18.0),
    Metric("lift_fault", "1", 0.0, 0.0, 0.0, 1.0),
    Metric("crowd_density", "1/m2", 0.8, 0.3, 0.5, 6.0),
    Metric("noise_db", "dB(A)", 56.0, 4.0, 7.0, 92.0),
)


class Device(NamedTuple):
    """One device; `offset_ms` is its moment within the interval, `place` the field that says where it stands."""

    number: int
    name: str
    metric: Metric
    offset_ms: int
    place: dict[str, Any]


class Fleet(NamedTuple):
    """All devices in the order of their moments, each telling every `minutes`."""

    devices: tuple[Device, ...]
    minutes: int

    @property
    def readings_a_day(self) -> int:
        """Records a day."""
        return len(self.devices) * 24 * 60 // self.minutes


def fleet_of(city: City, readings_a_day: int) -> Fleet:
    """The devices that give at least so many records a day, spread over the grids."""
    minutes = next((m for m in INTERVALS if readings_a_day * m <= MANY_DEVICES * 1440), INTERVALS[-1])
    count = max(FEWEST_DEVICES, -(-readings_a_day * minutes // 1440))
    rng = np.random.default_rng((city.seed, 3))
    grids, points = rng.integers(0, len(city.places.grids), count), rng.integers(0, city.inside.shape[1], count)
    offsets = rng.integers(0, minutes * 60_000, count)
    devices = [_device(city, i, int(grids[i]), int(points[i]), int(offsets[i])) for i in range(count)]
    return Fleet(tuple(sorted(devices, key=lambda device: (device.offset_ms, device.number))), minutes)


def _device(city: City, number: int, grid: int, point: int, offset_ms: int) -> Device:
    """Every other device knows its coordinates, the others the code of their grid."""
    metric = METRICS[number % len(METRICS)]
    lon, lat = city.inside[grid, point].tolist()
    place = {"position": {"lon": lon, "lat": lat}} if number % 2 else {"grid": city.places.grids[grid].code}
    return Device(number, f"{metric.name}-{number:05d}", metric, offset_ms, place)


def readings_of(city: City, fleet: Fleet, day: datetime, day_ms: int, hour: int, window: Window) -> list[Told]:
    """The records of one hour in the order of time. A device stays whole within its shard."""
    drawn, lots, swing = chances(city, fleet, day, hour)
    draws, luck = drawn.tolist(), lots.tolist()
    slots = len(draws)
    mine = [
        (place, device) for place, device in enumerate(fleet.devices) if device.number % window.shard.of == window.shard.number
    ]
    events = []
    for slot in range(slots):
        after, start = _begin(fleet, day, hour, slot)
        for place, device in mine:
            event = _told(device, start, _reading(device, draws[slot][place], luck[slot][place], swing))
            events.append((day_ms + after + device.offset_ms, event))
    return events


def reading_of(fleet: Fleet, day: datetime, hour: int, at: tuple[int, int], chance: tuple[float, float, float]) -> Outgoing:
    """One of these records: `at` is its slot and the place of its device, `chance` its draw, its luck, and the day's swing."""
    device = fleet.devices[at[1]]
    return _told(device, _begin(fleet, day, hour, at[0])[1], _reading(device, *chance))


def _begin(fleet: Fleet, day: datetime, hour: int, slot: int) -> tuple[int, datetime]:
    """When a slot begins: milliseconds after midnight, and the time."""
    after = hour * HOUR_MS + slot * fleet.minutes * 60_000
    return after, day + timedelta(milliseconds=after)


def _told(device: Device, start: datetime, data: dict[str, Any]) -> Outgoing:
    at = start + timedelta(milliseconds=device.offset_ms)
    return Outgoing("sensor", f"/device/{device.name}", f"{device.name}-{start:%Y%m%d%H%M}", at, data)


def chances(city: City, fleet: Fleet, day: datetime, hour: int) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """What an hour leaves to chance: (a normal draw and luck from 0 to 1, each slots x devices, and how far the day swings)."""
    rng = np.random.default_rng((city.seed, day.toordinal(), 4, hour))
    shape = (60 // fleet.minutes, len(fleet.devices))
    swing = -float(np.cos(2 * np.pi * (hour - 3) / 24))  # least at three in the morning
    return rng.standard_normal(shape), rng.random(shape), swing


def _reading(device: Device, draw: float, luck: float, swing: float) -> dict[str, Any]:
    if luck < OFFLINE:
        return {"device": device.name, "status": "offline", **device.place}
    metric = device.metric
    value = metric.mean + metric.deviation * max(-3.0, min(3.0, draw)) + metric.swing * swing
    shown = metric.breach if luck > 1 - BREACHES else round(max(0.0, value), 2)
    return {"device": device.name, "readings": [{"metric": metric.name, "value": shown, "unit": metric.unit}], **device.place}


def first_ids(fleet: Fleet, day: datetime, count: int) -> list[str]:
    """Ids of `count` records of a day, spread over it and over the devices."""
    hours = [24 * i // count for i in range(count)]
    devices = [fleet.devices[len(fleet.devices) * i // count] for i in range(count)]
    return [f"{device.name}-{day:%Y%m%d}{hour:02d}00" for device, hour in zip(devices, hours, strict=True)]
