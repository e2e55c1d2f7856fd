"""Kill -9 of worker and loader while events run: nothing lost, nothing twice, aggregates included."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psutil

from ingest.city import City, make_plan
from ingest.city.plan import merged
from ingest.outgoing import Wire
from ingest.producer import EventProducer
from tests.pipeline import Pipeline

EVENTS = 40_000
OVER_SECONDS = 24.0
SEED = 7
LOADER_BYTES = 2 << 30


def test_two_kills_of_worker_and_loader_each_leave_the_audit_clean(pipeline: Pipeline, city: City) -> None:
    """The moments are drawn by SEED; the log decides what was sent."""
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    wires = merged(make_plan(city, yesterday, 300_000), played=False)
    sender = threading.Thread(target=_send, args=(pipeline, wires))
    sender.start()
    moments = random.Random(SEED)
    for victim in ("work-1", "load", "load", "work-1"):
        _watch_for(pipeline, moments.uniform(3.0, 6.0))
        pipeline.kill(victim)
    while sender.is_alive():
        _watch_for(pipeline, 0.5)
    now = pipeline.settle(120)
    report = pipeline.audit()

    assert now.sent == EVENTS
    assert now.stored + now.rejected + now.repeated == EVENTS
    assert report.clean, report
    assert report.pending == 0
    stored = int(pipeline.one("SELECT count() FROM events"))
    assert stored == now.stored == int(pipeline.one("SELECT sum(events) FROM counts_minute"))
    assert stored == int(pipeline.one("SELECT sum(events) FROM counts_day"))
    load = pipeline.part("load").process
    assert load
    assert psutil.Process(load.pid).memory_info().rss < LOADER_BYTES


def _send(pipeline: Pipeline, wires: Iterator[Wire]) -> None:
    started = time.monotonic()
    with EventProducer(pipeline.broker) as producer:
        for number in range(EVENTS):
            if (wait := started + OVER_SECONDS * number / EVENTS - time.monotonic()) > 0.005:
                time.sleep(wait)
            producer.send_wire(next(wires))


def _watch_for(pipeline: Pipeline, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pipeline.deployment.supervisor.look()
        time.sleep(0.1)
