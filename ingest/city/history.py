"""Years of the simulated city for `citybrain backfill`: the records of `Plan.events`, byte for byte, made faster.

A reading is put together from parts that are the same for a device all along; test_history.py holds it equal to
`sensors.readings_of` and `encode`. Everything else is rare enough to be told event by event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.city import sensors
from ingest.city.geography import City
from ingest.city.plan import Plan
from ingest.outgoing import encode
from schemas.events import EVENT_TYPES, Kind

REPORTS: Final[tuple[Kind, ...]] = ("police", "grid")


class Run(NamedTuple):
    """Records of one kind that follow each other; `first` is the number (from 1) of the first among all of its kind."""

    kind: Kind
    first: int
    values: pa.BinaryArray


def long_plan(city: City, end: datetime, days: int, records: int) -> Plan:
    """At least `records` events over the `days` before the midnight `end`: reports as they come, sensors for the rest."""
    start = end - timedelta(days=days)
    reports = Plan(city, start, days, sensors.Fleet((), 60), [])
    missing = records - reports.expected(REPORTS, played=False).events
    return reports._replace(fleet=sensors.fleet_of(city, max(0, -(-missing // days))))


def history(plan: Plan, after: Mapping[Kind, int]) -> Iterator[Run]:
    """All events before the played day, day by day, without the first `after[kind]` of each kind."""
    told = dict.fromkeys(after, 0)
    reports = plan.history(REPORTS)
    waiting = next(reports, None)
    parts = _Parts(plan)
    for day in range(plan.history_days):
        a_day = plan.fleet.readings_a_day
        if told["sensor"] + a_day > after["sensor"]:
            yield from _runs("sensor", parts.day(day), told["sensor"], after["sensor"])
        told["sensor"] += a_day
        values: dict[Kind, list[bytes]] = {kind: [] for kind in REPORTS}
        midnight = plan.day(day + 1)
        while waiting and waiting.at < midnight:
            told[waiting.kind] += 1
            if told[waiting.kind] > after[waiting.kind]:
                values[waiting.kind].append(encode(waiting).value)
            waiting = next(reports, None)
        for kind, found in values.items():
            if found:
                yield Run(kind, told[kind] - len(found) + 1, pa.array(found, pa.binary()))


def _runs(kind: Kind, hours: Iterator[pa.BinaryArray], told: int, after: int) -> Iterator[Run]:
    """Hours of a day as runs, without what comes before number `after`; `told` were told on earlier days."""
    for values in hours:
        left = values[max(0, after - told) :]
        told += len(values)
        if len(left):
            yield Run(kind, told - len(left) + 1, left)


class _Parts:
    """What stays the same in the records of each device."""

    def __init__(self, plan: Plan) -> None:
        self._plan, fleet = plan, plan.fleet
        self._slots = 60 // fleet.minutes
        devices = fleet.devices
        kind = EVENT_TYPES["sensor"]
        self._open = pa.array(f'{{"specversion":"1.0","id":"{device.name}-' for device in devices)
        self._source = pa.array(f'","source":"/device/{device.name}","type":"{kind}","time":"' for device in devices)
        self._close = pa.array(
            f',"unit":"{device.metric.unit}"}}],{orjson.dumps(device.place).decode()[1:-1]}}}}}' for device in devices
        )
        self._middle = [pa.array(self._rest_of(device, slot) for device in devices) for slot in range(self._slots)]
        self._mean = np.array([device.metric.mean for device in devices])
        self._deviation = np.array([device.metric.deviation for device in devices])
        self._swing = np.array([device.metric.swing for device in devices])

    def day(self, day: int) -> Iterator[pa.BinaryArray]:
        """The records of each hour."""
        return (self._hour(day, hour) for hour in range(24))

    def _rest_of(self, device: sensors.Device, slot: int) -> str:
        """From the minute of the time to before the value."""
        at = self._plan.start + timedelta(milliseconds=slot * self._plan.fleet.minutes * 60_000 + device.offset_ms)
        data = f'"data":{{"device":"{device.name}","readings":[{{"metric":"{device.metric.name}","value":'
        return f'{at.isoformat()[14:]}","datacontenttype":"application/json",{data}'

    def _hour(self, day: int, hour: int) -> pa.BinaryArray:
        midnight = self._plan.day(day)
        draws, luck, swing = sensors.chances(self._plan.city, self._plan.fleet, midnight, hour)
        values = (self._mean + self._deviation * np.clip(draws, -3.0, 3.0)) + self._swing * swing
        unusual = (luck < sensors.OFFLINE) | (luck > 1 - sensors.BREACHES)
        clock = f"{midnight:%Y-%m-%d}T{hour:02d}:"
        slots = []
        for slot in range(self._slots):
            stamp = f"{midnight:%Y%m%d}{hour:02d}{slot * self._plan.fleet.minutes:02d}"
            shown = pa.array([repr(round(value, 2)) for value in np.maximum(0.0, values[slot]).tolist()], pa.string())
            told = pc.binary_join_element_wise(
                self._open, stamp, self._source, clock, self._middle[slot], shown, self._close, ""
            ).cast(pa.binary())
            others = []  # past their limit, or no reading at all: told as events
            for place in np.flatnonzero(unusual[slot]).tolist():
                chance = (float(draws[slot, place]), float(luck[slot, place]), swing)
                others.append(encode(sensors.reading_of(self._plan.fleet, midnight, hour, (slot, place), chance)).value)
            slots.append(pc.replace_with_mask(told, pa.array(unusual[slot]), pa.array(others, pa.binary())))
        return pa.concat_arrays(slots)
