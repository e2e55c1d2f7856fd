"""Cases and their life-cycle: what is drawn for a day by the column, and the events it is told in.

Drawing is cheap and always for the whole day, so that every part of a plan sees the same city; only events that
are asked for are built.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.city.geography import POINTS_PER_GRID, City, Indexes
from ingest.city.rhythm import DAY_MS
from ingest.city.texts import TEXTS
from ingest.outgoing import Outgoing
from schemas.events import Kind, MediationLevel, Stage

Told = tuple[int, Outgoing]
"""An event and its time in milliseconds after the plan's start."""

STAGES: Final[tuple[Stage, ...]] = ("reported", "accepted", "dispatched", "arrived", "resolved", "closed")
LEVELS: Final[tuple[MediationLevel, ...]] = ("community", "town", "banner")
LEVEL_SHARES: Final = (0.72, 0.2, 0.08)
SCALES: Final[dict[Kind, tuple[float, ...]]] = {
    "police": (15, 30, 75, 700, 1_200),
    "grid": (15, 30, 75, 2_700, 1_800),
}
"""Seconds; each delay is gamma with shape 2 and this scale. The promise, to police and grid workers alike, is to accept
within 1 minute, to send within 3 and to arrive within 5 more; of each about one in ten is late."""
RESOLVED: Final = 0.96
SETTLED_ON_THE_SPOT: Final = 0.5
"""Share of grid reports that open no case."""
LONGEST_DAYS: Final = 1
"""No case lasts longer; what would is cut to it."""
OUTSIDE: Final = {"lon": 111.5, "lat": 40.8}
SHOWN_PERSON: Final = {"reporter_name": "张某", "reporter_phone": "13800000000"}
"""Invented, and never stored: a few producers send what they should not, and the edge drops and counts it."""


class Cases(NamedTuple):
    """Cases of one kind and stem, by the column. `codes` and `classes`: "" for none; ids are stem and number."""

    kind: Kind
    stem: str
    codes: list[str]
    classes: list[str]
    told: NDArray[np.bool_]  # the source's own code table gave the class
    grids: Indexes
    times: NDArray[np.int64]  # case, stage: milliseconds after the day's start, -1 for a stage that never came
    wording: NDArray[np.int64]
    where: NDArray[np.float64]
    levels: Indexes

    def number_of_events(self, first_ms: int, end_ms: int) -> int:
        """How many events lie in [first_ms, end_ms) after the day's start."""
        return int(((self.times >= max(0, first_ms)) & (self.times < end_ms)).sum())


class Shard(NamedTuple):
    """Of `of` producers the one with this number: its cases and devices are in no other, and each stays in order."""

    number: int = 0
    of: int = 1


WHOLE: Final = Shard()


class Window(NamedTuple):
    """Which events are asked for: those of a shard in [first_ms, end_ms) after the plan's start."""

    first_ms: int
    end_ms: int
    shard: Shard = WHOLE


def draw_cases(
    kind: Kind,
    stem: str,
    codes: list[str],
    classes: list[str],
    told: NDArray[np.bool_],
    grids: Indexes,
    reported: NDArray[np.int64],
    rng: np.random.Generator,
) -> Cases:
    """Draw all that is left to chance: delays, wording, how the place is told."""
    count = len(reported)
    delays = np.maximum(rng.gamma(2.0, SCALES[kind], (count, len(STAGES) - 1)) * 1000, 1).astype(np.int64)
    longest = LONGEST_DAYS * DAY_MS - len(STAGES) + np.arange(len(STAGES) - 1)  # stages stay in order when cut
    later = np.minimum(np.cumsum(delays, axis=1), longest)
    times = np.concatenate([reported[:, None], reported[:, None] + later], axis=1)
    times[rng.random(count) >= RESOLVED, STAGES.index("resolved") :] = -1
    if kind == "grid":
        times[rng.random(count) < SETTLED_ON_THE_SPOT, 1:] = -1
    wording = rng.integers(0, 1 << 30, count)
    return Cases(
        kind, stem, codes, classes, told, grids, times, wording, rng.random(count), rng.choice(3, count, p=LEVEL_SHARES)
    )


def tell(city: City, cases: Cases, midnight: datetime, day_ms: int, window: Window) -> list[Told]:
    """The events of the cases in a window; `day_ms` is the midnight in milliseconds after the plan's start.

    Case by case, not in the order of time. A case stays whole within its shard.
    """
    events: list[Told] = []
    grids = city.places.grids
    first, end = window.first_ms - day_ms, window.end_ms - day_ms
    mine = slice(window.shard.number, None, window.shard.of)
    numbers = range(len(cases.classes))[mine]
    rows = zip(numbers, cases.times[mine].tolist(), cases.grids[mine].tolist(), strict=True)
    for number, times, grid in rows:
        if times[0] >= end or max(times) < first:
            continue
        name = f"{cases.stem}-{number:05d}"
        place = grids[grid]
        source = f"/police/{place.code[:9]}" if cases.kind == "police" else f"/grid/{place.code}"
        is_case = times[1] >= 0
        if times[0] >= first:
            data = _report(city, cases, number, grid)
            if is_case:
                data["case_id"], data["stage"] = name, "reported"
            events.append((day_ms + times[0], Outgoing(cases.kind, source, name, _at(midnight, times[0]), data)))
        if not is_case:
            continue
        known = _known(cases, number) | {"case_id": name, "grid": place.code, "department": _department(city, cases, grid)}
        for stage, at in zip(STAGES[1:], times[1:], strict=True):
            if max(first, 0) <= at < end:
                event = Outgoing(cases.kind, source, f"{name}-{stage}", _at(midnight, at), known | {"stage": stage})
                events.append((day_ms + at, event))
    return events


def _at(midnight: datetime, after: int) -> datetime:
    return midnight + timedelta(milliseconds=after)


def _report(city: City, cases: Cases, number: int, grid: int) -> dict[str, Any]:
    """What the first event says. Most have coordinates, some only a grid code or a name, a few lie outside."""
    where, wording = float(cases.where[number]), int(cases.wording[number])
    texts = TEXTS[cases.classes[number]]
    data: dict[str, Any] = {
        "text": texts[wording % len(texts)],
        "severity": wording // 64 % 4,
        "department": _department(city, cases, grid),
    }
    if cases.codes[number]:
        data["code"] = cases.codes[number]
    if cases.told[number]:
        data["incident_class"] = cases.classes[number]
    place = city.places.grids[grid]
    if where < 0.85:
        lon, lat = city.inside[grid, wording % POINTS_PER_GRID].tolist()
        data["position"] = {"lon": lon, "lat": lat}
    elif where < 0.93:
        data["grid"] = place.code
    elif where < 0.998:
        data["place"] = place.name
    else:
        data["position"] = OUTSIDE
    if where > 0.9995:
        data |= SHOWN_PERSON
    return data


def _department(city: City, cases: Cases, grid: int) -> str:
    """Who is in charge: the police station or the governance centre of the town."""
    town = city.places.grids[grid].town
    return f"{town}派出所" if cases.kind == "police" else f"{town}综治中心"


def _known(cases: Cases, number: int) -> dict[str, Any]:
    """What everybody knows once a case is accepted: its class, and for a dispute who tries to settle it."""
    incident_class = cases.classes[number]
    known: dict[str, Any] = {}
    if cases.codes[number]:
        known["code"] = cases.codes[number]
    if incident_class:
        known["incident_class"] = incident_class
    if incident_class.startswith("D"):
        known["mediation_level"] = LEVELS[cases.levels[number]]
    return known
