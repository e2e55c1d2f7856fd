"""The demo: a real pipeline plays a city, or files, and ends with a report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from citybrain.audit import run_audit
from citybrain.deployment import Deployment
from citybrain.progress import measure
from citybrain.reading import as_arrow
from citybrain.report import DemoReport, answer_questions, latency_p95
from citybrain.settings import Settings
from citybrain.supervisor import Part
from citybrain.watched import alerts_found, bursts_found, until_judged
from ingest.city import build_city, make_plan
from ingest.city.bursts import Burst
from schemas.errors import CitybrainError
from schemas.places import Places

PLAYED_SECONDS = 12.0
"""The played day is paced over this long, so that its latency means something."""
STALLED_AFTER = 60.0


class DemoFailed(CitybrainError):
    """A part of the demo did not do its work."""


class Sending(NamedTuple):
    """One producer to start: its name and the arguments of the citybrain command."""

    name: str
    arguments: list[str]


class Play(NamedTuple):
    """What a demo plays: first `history` at full speed, then `day` whose latency is measured."""

    places: Places | None
    expected: int
    history: list[Sending]
    day: list[Sending]
    bursts: list[Burst]
    history_title: str = ""


def city_play(settings: Settings, events: int, seed: int, *, quiet: bool = False) -> Play:
    """Six weeks and a day of the simulated city, at least `events` records; `quiet`: without bursts."""
    zone = ZoneInfo(settings.city.time_zone)
    # Yesterday: no event may lie ahead of its arrival.
    day = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    city = build_city(seed)
    plan = make_plan(city, day, events, quiet=quiet)
    common = ["city", "--seed", str(seed), "--events", str(events), "--day", f"{day:%Y-%m-%d}"]
    common += ["--quiet"] if quiet else []
    return Play(
        city.places,
        events,
        [
            Sending("send-reports", [*common, "--part", "history", "--kind", "police", "--kind", "grid"]),
            Sending("send-sensors", [*common, "--part", "history", "--kind", "sensor"]),
        ],
        [Sending("send-day", [*common, "--part", "day", "--over-seconds", str(PLAYED_SECONDS)])],
        plan.bursts,
        "six weeks" if plan.history_days == 42 else f"{plan.history_days} days",
    )


def file_play(files: Sequence[Path], mapping: str) -> Play:
    """Files by a mapping, as fast as they can be sent."""
    from ingest.mapping import load_mapping
    from ingest.places import places_for

    places = places_for(load_mapping(mapping), list(files))
    sending = Sending("send-files", ["replay", *(str(file.absolute()) for file in files), "--mapping", mapping])
    return Play(places, 0, [], [sending], [])


def run_demo(settings: Settings, deployment: Deployment, play: Play, console: Console) -> DemoReport:
    """Send everything, wait until the ledger covers the log, audit, answer the questions."""
    started = time.monotonic()
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"), TimeElapsedColumn(),
        console=console, transient=True,
    ) as bars:  # fmt: skip
        watch = _Watch(deployment, bars, play.expected)
        if play.history:
            for sending in play.history:
                watch.start(sending)
            watch.until_stored(play.history_title)
        day_started = int(time.time() * 1000)
        for sending in play.day:
            watch.start(sending)
        watch.until_stored("a day" if play.history else "files")
        seconds = time.monotonic() - started
        bars.update(watch.task, description="watch")
        lateness = settings.watch.lateness_minutes
        until_judged(deployment.broker, deployment.query, lateness, deployment.supervisor.look)
        bars.update(watch.task, description="audit")
        audit = run_audit(
            deployment.broker, as_arrow(deployment.query), settings.city.time_zone,
            progress=lambda what, done, of: bars.update(watch.task, total=of, completed=done, figures=f"{done:,} {what}"),
        )  # fmt: skip
    alerts = alerts_found(deployment.query)
    return DemoReport(
        measure(deployment.broker, deployment.query),
        answer_questions(deployment.query),
        [_burst_stored(deployment.query, burst) for burst in play.bursts],
        audit,
        seconds,
        latency_p95(deployment.query, day_started),
        alerts,
        bursts_found(alerts, play.bursts),
    )


class _Watch:
    """Starts producers, shows how far the pipeline is, and sees to it that something moves."""

    def __init__(self, deployment: Deployment, bars: Progress, expected: int) -> None:
        self._deployment, self._bars = deployment, bars
        self._sending: list[Part] = []
        self.task = bars.add_task("starting", total=expected or None, figures="")

    def start(self, sending: Sending) -> None:
        """Start a producer."""
        self._sending.append(self._deployment.part(sending.name, sending.arguments, once=True))

    def until_stored(self, what: str) -> None:
        """Wait until the producers are done and nothing is behind. DemoFailed when one failed or nothing moves."""
        last, moved = -1, time.monotonic()
        while True:
            self._deployment.supervisor.look()
            sending = any(part.running for part in self._sending)
            now = measure(self._deployment.broker, self._deployment.query)
            done = now.stored + now.rejected + now.repeated
            self._bars.update(
                self.task, description=what, completed=done,
                figures=f"{now.sent:,} sent · {now.stored:,} stored · {now.rejected:,} rejected",
            )  # fmt: skip
            if done + now.sent != last:
                last, moved = done + now.sent, time.monotonic()
            self._check()
            if not sending and not now.behind:
                return
            if time.monotonic() - moved > STALLED_AFTER:
                raise DemoFailed(
                    f"nothing moved for {STALLED_AFTER:.0f} s, {now.behind:,} records behind; see {self._deployment.data_dir}/logs"
                )
            time.sleep(0.5)

    def _check(self) -> None:
        for part in self._sending:
            if part.process and part.process.poll():
                raise DemoFailed(f"{part.name} ended with code {part.process.returncode}; see {part.log_file}")


def _burst_stored(query: Callable[[str, str], bytes], burst: Burst) -> dict[str, Any]:
    sql = (
        f"SELECT count() AS stored FROM events WHERE incident_class = '{burst.incident_class}' AND startsWith(grid, '{burst.area}') "
        f"AND at >= fromUnixTimestamp64Milli({int(burst.start.timestamp() * 1000)}) AND at < fromUnixTimestamp64Milli({int(burst.end.timestamp() * 1000)})"
    )
    return {**burst._asdict(), **json.loads(query(sql, "JSONEachRow"))}
