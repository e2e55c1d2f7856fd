"""Three named bursts on the played day, each in one area and a short time: what a watch has to find."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from ingest.city.cases import Cases, Told, Window, draw_cases
from ingest.city.geography import SEATS, City
from ingest.city.rhythm import HOUR_MS
from ingest.outgoing import Outgoing
from schemas.events import Kind
from schemas.places import PREFIX, Level

DETECTORS: Final = 3
"""Portable gas detectors that go to a leak."""


class Burst(NamedTuple):
    """`extra` incidents of one class within [start, end) in one area (prefix of the grid code), where 0 or 1 is usual.

    `readings` of them are sensor readings past their limit, the others reports of `kind`.
    """

    name: str
    zh: str
    kind: Kind
    incident_class: str
    level: Level
    area: str
    start: datetime
    end: datetime
    extra: int
    readings: int = 0


def bursts_of(city: City, day: datetime) -> list[Burst]:
    """The bursts of a played day; areas depend on the city alone."""
    return [
        _burst(city, day, "gas-leak-core", "燃气泄漏集中上报", "grid", "S04", "community", 0, 14.0, 1.0, 40, 12),
        _burst(city, day, "task-scam-wave", "刷单返利诈骗高发", "police", "C01", "town", 2, 10.0, 2.0, 36),
        _burst(city, day, "unpaid-wages-site", "工地欠薪集中反映", "grid", "D04", "grid", 5, 16.0, 1.5, 30),
    ]


def _burst(
    city: City, day: datetime, name: str, zh: str, kind: Kind, incident_class: str, level: Level, town: int, hour: float,
    hours: float, extra: int, readings: int = 0,
) -> Burst:  # fmt: skip
    """A burst in the grid nearest to a town's seat, or in the area of a level around that grid."""
    own = city.grids_of(f"{city.places.grids[0].code[:6]}{town + 1:03d}")
    nearest = min(own, key=lambda index: float(((city.inside[index].mean(axis=0) - SEATS[town]) ** 2).sum()))
    start = day + timedelta(hours=hour)
    area = city.places.grids[nearest].code[: PREFIX[level]]
    return Burst(name, zh, kind, incident_class, level, area, start, start + timedelta(hours=hours), extra, readings)


def cases_of(city: City, burst: Burst, number: int, day: datetime) -> Cases:
    """The extra reports of a burst."""
    rng = np.random.default_rng((city.seed, day.toordinal(), 5, number))
    count = burst.extra - burst.readings
    first, end = (int((at - day).total_seconds() * 1000) for at in (burst.start, burst.end))
    grids = np.array(city.grids_of(burst.area), np.intp)[rng.integers(0, len(city.grids_of(burst.area)), count)]
    classes = [burst.incident_class] * count
    codes = ["110-刑事" if burst.kind == "police" else ""] * count
    stem = f"{burst.name}-{day:%Y%m%d}"
    cases = draw_cases(
        burst.kind, stem, codes, classes, np.zeros(count, bool), grids, np.sort(rng.integers(first, end, count)), rng
    )
    return cases._replace(where=cases.where * 0.99)  # none of them outside the city: all of them count


def readings_of(city: City, burst: Burst, day: datetime, day_ms: int, window: Window) -> list[Told]:
    """The extra sensor readings of a burst: portable detectors at the spot, each at even distances in time."""
    hours = (burst.end - burst.start).total_seconds() / 3600
    grids = city.grids_of(burst.area)
    events = []
    for i in range(burst.readings):
        if i % DETECTORS % window.shard.of != window.shard.number:
            continue
        after = int((burst.start - day).total_seconds() * 1000 + hours * HOUR_MS * (i + 0.5) / burst.readings)
        name = f"ch4_lel-{burst.name}-{i % DETECTORS}"
        reading = {"metric": "ch4_lel", "value": 24.0 + 2.0 * (i % 7), "unit": "%LEL"}
        data = {"device": name, "readings": [reading], "grid": city.places.grids[grids[i % DETECTORS % len(grids)]].code}
        at = day + timedelta(milliseconds=after)
        events.append((day_ms + after, Outgoing("sensor", f"/device/{name}", f"{name}-{at:%Y%m%d%H%M%S}", at, data)))
    return events
