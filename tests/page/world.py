"""The whole model city in a real chDB, with real clocks: the page computes ages, so its data is of today."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from ingest.city import build_city
from ingest.outgoing import Outgoing
from schemas.alerts import AlertAction, AlertRaised, alert_id
from schemas.events import Kind
from tests.alerts import raised
from tests.view.world import World, incident, serving

DAYS: Final = 30
A_DAY: Final = 110
LATE_EACH: Final = 30
CLASSES: Final = ("O04", "O12", "D01", "D02", "S01", "S05", "C01", "C03", "P01", "U00")
WEIGHTS: Final = np.array([4, 8, 9, 3, 1, 12, 4, 5, 1, 3]) / 50
STAGES: Final = {"accepted": 40, "dispatched": 150, "arrived": 400, "resolved": 4000}
RED, ORANGE, TOWN, FRAUD = "150627001001001", "150627002001002", "150627004", "150627003001001"


def build_page_world(folder: Path) -> World:
    """Thirty days of incidents up to now, cases with stages, all three kinds of sources, and four alerts."""
    world = World(folder, build_city(1).places)
    world.now = datetime.now(UTC)
    chance = np.random.default_rng(11)
    shares = chance.gamma(0.8, 1.0, len(world.places.grids))
    shares /= shares.sum()
    told: list[Outgoing] = []
    for number in range(DAYS * A_DAY):
        at = world.now - timedelta(days=float(chance.uniform(0, DAYS)))
        grid = world.places.grids[int(chance.choice(len(shares), p=shares))].code
        told += _case(f"c{number}", at, grid, str(chance.choice(CLASSES, p=WEIGHTS)), chance, world.now)
    told += [incident(f"now{number}", RED, world.now - timedelta(seconds=5 * number)) for number in range(6)]
    world.write("police", told[::LATE_EACH], delay=timedelta(minutes=25))
    del told[::LATE_EACH]
    world.write("police", told, delay=timedelta(seconds=20))
    world.write("grid", [_report(number, world.now) for number in range(20)], delay=timedelta(seconds=20))
    world.write("sensor", [_reading(number, world) for number in range(200)], delay=timedelta(seconds=20))
    for alert in (alert_of(RED, 1, world.now), alert_of(ORANGE, 2, world.now), alert_of(TOWN, 3, world.now)):
        world.tell(alert)
    world.tell(alert_of(FRAUD, 4, world.now, category="cyber", incident_class="C03"))
    return world


def build_quiet_world(folder: Path) -> World:
    """A city in which the police line fell silent seven hours ago, sensors never spoke, and the last hour is without incidents."""
    world = World(folder, build_city(1).places)
    world.now = datetime.now(UTC)
    grids = world.places.grids
    past = [world.now - timedelta(hours=7, minutes=20 * number) for number in range(40)]
    world.write("police", [incident(f"q{n}", grids[5 * n].code, at, CLASSES[n % 9]) for n, at in enumerate(past)])
    world.write("grid", [_report(number, world.now - timedelta(hours=2)) for number in range(5)])
    # What cannot be located says that its source works, and counts in no area.
    nowhere = {"lon": 1.0, "lat": 1.0, "incident_class": "S05", "case_id": "nowhere", "stage": "reported"}
    world.write("grid", [Outgoing("grid", "/grid", "nowhere", world.now - timedelta(minutes=1), nowhere)])
    return world


def alert_of(area: str, level: int, now: datetime, **changes: Any) -> AlertRaised:
    """An alert of the last hour; its id follows from what it is about."""
    end = now.replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=1)
    made = raised(
        area, level=level, window_start=start.isoformat(), window_end=end.isoformat(), observed=14.0, expected=3.25, upper=8.25,
        q=0.004, baseline=[3.0, 2.0, 4.0, 3.0, 3.0, 4.0, 2.0],
        neighbours=[{"area": f"{area[:-3]}{int(area[-3:]) + 1:03}", "observed": 2.0, "expected": 2.5}], **changes,
    )  # fmt: skip
    data = made.data
    name = alert_id(data.detector, data.params_hash, area, data.category, data.incident_class, start, end)
    return made.model_copy(update={"id": name, "time": now - timedelta(minutes=2)})


def _case(
    name: str, at: datetime, grid: str, incident_class: str, chance: np.random.Generator, now: datetime
) -> Iterator[Outgoing]:
    common = {"grid": grid, "incident_class": incident_class, "case_id": name, "department": "police, station 1"}
    yield Outgoing("police", "/110", f"{name}-reported", at, common | {"stage": "reported"})
    if chance.random() > 0.5 and now - at < timedelta(hours=8):  # what is older is ended, as in a city that works
        return
    for stage, seconds in STAGES.items():
        at += timedelta(seconds=math.ceil(chance.exponential(seconds)))
        if at < now:
            yield Outgoing("police", "/110", f"{name}-{stage}", at, common | {"stage": stage})


def _report(number: int, now: datetime) -> Outgoing:
    data = {"grid": ORANGE, "incident_class": "S05", "case_id": f"g{number}", "stage": "reported"}
    return Outgoing("grid", "/grid", f"g{number}", now - timedelta(hours=number, minutes=1), data)


def _reading(number: int, world: World) -> Outgoing:
    data = {
        "device": f"d{number % 9}",
        "grid": world.places.grids[number].code,
        "readings": [{"metric": "air.pm25", "value": 12.0}],
    }
    return Outgoing("sensor", "/sensors", f"s{number}", world.now - timedelta(minutes=3 * number), data)


class CityProcess:
    """The world in a process of its own: one process holds one chDB, and other tests have theirs."""

    def __init__(self, folder: Path, build: Callable[[Path], World] = build_page_world) -> None:
        here, there = get_context("spawn").Pipe()
        self._pipe = here
        self._process = get_context("spawn").Process(target=_run, args=(there, folder, build), daemon=True)
        self._process.start()
        there.close()
        self.url: str = self._answer()

    def write(self, kind: Kind, events: list[Outgoing]) -> None:
        """Store events."""
        self._ask("write", kind, events)

    def tell(self, event: AlertRaised | AlertAction) -> None:
        """Store an alert or an action."""
        self._ask("tell", event)

    def storm(self, alerts: list[AlertRaised]) -> None:
        """Store many alerts, one record each."""
        self._ask("storm", alerts)

    def rows(self, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """What ClickHouse itself says."""
        found: list[tuple[Any, ...]] = self._ask("rows", sql, values)
        return found

    def give_way(self, niceness: int) -> None:
        """Let what it does, all its threads, wait for others."""
        for thread in psutil.Process(self._process.pid).threads():
            os.setpriority(os.PRIO_PROCESS, thread.id, niceness)

    def close(self) -> None:
        """End the process."""
        self._ask("close")
        self._process.join(30)

    def _ask(self, *question: Any) -> Any:
        self._pipe.send(question)
        return self._answer()

    def _answer(self) -> Any:
        assert self._pipe.poll(240), "the city did not answer"
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _run(pipe: Any, folder: Path, build: Callable[[Path], World]) -> None:
    world = build(folder)
    with serving(world.parts(now=lambda: datetime.now(UTC))) as url:
        pipe.send(url)
        while True:
            name, *arguments = pipe.recv()
            if name == "close":
                break
            world.now = datetime.now(UTC)
            try:
                pipe.send(getattr(world, name)(*arguments))
            except Exception as error:
                pipe.send(error)
    world.store.close()
    pipe.send(None)
