"""The watch as a process of a real deployment, killed in between: every alert once, in the store, as the audit says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from citybrain.audit import AuditReport
from citybrain.audit.raw_log import log_ends
from citybrain.store_socket import MAINTENANCE, remote_store
from citybrain.watched import WatchBehind, alerts_found, bursts_found, tells_of, until_judged
from ingest.city import City, build_city, make_plan
from ingest.city.bursts import Burst
from ingest.outgoing import CONTENT_TYPE
from ingest.producer import EventProducer
from schemas.topics import RAW
from tests.pipeline import Pipeline
from tests.streams.test_watch import BURST_GRID, GRIDS, SECOND, START, history

NOON = START + timedelta(days=12, hours=14)
SILENT_GRID = GRIDS[1]
BURSTS = [
    Burst("leak", "泄漏", "police", "S04", "grid", BURST_GRID, NOON, NOON + timedelta(hours=1, minutes=30), 30),
    Burst("scam", "诈骗", "police", "C01", "town", SECOND, NOON, NOON + timedelta(hours=1), 12),
    Burst("none", "无", "police", "D04", "grid", BURST_GRID, NOON, NOON + timedelta(hours=1), 12),
]


class Outcome(NamedTuple):
    """What was seen of the whole run."""

    alerts: list[dict[str, Any]]
    audit: AuditReport
    stored: int
    restarts: int
    late: str
    again: Again


class Again(NamedTuple):
    """What reading everything again did, after retention had removed the first week from the store."""

    removed: int
    left: int
    events: int
    read: int
    redelivered: int
    alerts: list[dict[str, Any]]
    alert_records: int


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, city: City) -> Outcome:
    """Two weeks sent in two halves; the watch is killed after each."""
    with Pipeline(tmp_path_factory.mktemp("watched"), city.places, watched=True) as pipeline:
        records = history()
        for part in (records[: len(records) // 2], records[len(records) // 2 :]):
            with EventProducer(pipeline.broker) as producer:
                for kind, _, record in part:
                    producer.send_record(kind, b"k", record.value, [CONTENT_TYPE])
            pipeline.settle()
            pipeline.kill("watch")
        ask = pipeline.deployment.query
        with pytest.raises(WatchBehind) as late:
            until_judged(pipeline.broker, ask, 10, lambda: None, 0.0)
        until_judged(pipeline.broker, ask, 10, pipeline.deployment.supervisor.look, 120.0)
        stored = pipeline.one("SELECT sum(stored) FROM blocks WHERE source_topic = 'citybrain.alerts'")
        found, report = alerts_found(ask), pipeline.audit()
        return Outcome(found, report, int(stored), pipeline.part("watch").restarts, str(late.value), read_again(pipeline))


def read_again(pipeline: Pipeline) -> Again:
    """Retention in the store, then `citybrain reread` of every raw partition from its first record; the watch begins anew."""
    before = int(pipeline.one("SELECT count() FROM events"))
    remote_store(pipeline.folder / MAINTENANCE).command(
        f"ALTER TABLE events DELETE WHERE at < toDateTime({(START + timedelta(days=7)).timestamp():.0f}) SETTINGS mutations_sync = 2"
    )
    left, read = int(pipeline.one("SELECT count() FROM events")), 0
    redelivered = pipeline.settle().redelivered
    for (topic, partition), end in log_ends(pipeline.broker, [topic.name for topic in RAW.values()]).items():
        if end:
            asked = ["--topic", topic, "--partition", str(partition), "--from", "0", "--to", str(end - 1)]
            command = [sys.executable, "-m", "citybrain", "reread", *asked, "--data-dir", str(pipeline.folder), "--json"]
            read += json.loads(subprocess.run(command, capture_output=True, check=True, timeout=200).stdout)["records"]
    deadline = time.monotonic() + 120
    while (came := pipeline.settle().redelivered - redelivered) < read and time.monotonic() < deadline:
        time.sleep(0.2)
    pipeline.kill("watch")
    ask = pipeline.deployment.query
    until_judged(pipeline.broker, ask, 10, pipeline.deployment.supervisor.look, 120.0)
    records = "SELECT sum(stored + repeated + conflict) FROM blocks WHERE source_topic = 'citybrain.alerts'"
    events = int(pipeline.one("SELECT count() FROM events"))
    return Again(before - left, left, events, read, came, alerts_found(ask), int(pipeline.one(records)))


def test_every_alert_is_there_once_over_kills(outcome: Outcome) -> None:
    assert outcome.restarts
    assert {(alert["incident_class"], alert["area"]) for alert in outcome.alerts} == {
        ("S04", BURST_GRID), ("C01", SECOND), ("S15", SILENT_GRID),
    }  # fmt: skip
    assert len(outcome.alerts) == outcome.stored == 3
    assert outcome.audit.clean
    assert outcome.audit.pending == 0


def test_reading_all_again_brings_nothing_back_that_retention_removed_and_raises_no_alert_again(outcome: Outcome) -> None:
    """The ledger decides what is new, not what is stored; and the same finding is the same alert."""
    again = outcome.again
    assert again.removed > 0
    assert again.read > again.left
    assert again.redelivered == again.read
    assert again.events == again.left
    assert again.alerts == outcome.alerts
    assert again.alert_records == outcome.stored


def test_a_watch_that_is_behind_is_told(outcome: Outcome) -> None:
    assert "behind after 0 s" in outcome.late


def test_bursts_are_found_by_class_area_and_time(outcome: Outcome) -> None:
    assert bursts_found(outcome.alerts, BURSTS) == ["leak", "scam"]
    (leak,) = [alert for alert in outcome.alerts if alert["incident_class"] == "S04"]
    day = timedelta(days=1)
    assert tells_of(leak, BURSTS[0]._replace(area=BURST_GRID[:9]))
    assert not tells_of(leak, BURSTS[0]._replace(start=NOON + day, end=NOON + 2 * day))
    assert not tells_of(leak, BURSTS[0]._replace(area="150627001001001"))


def test_a_quiet_plan_is_the_same_city_without_its_bursts() -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    usual, quiet = (make_plan(build_city(1), day, 40_000, quiet=quiet) for quiet in (False, True))

    ids = [{event.id for event in plan.played_day(("police", "grid"))} for plan in (usual, quiet)]
    assert quiet.bursts == []
    assert ids[1] < ids[0]
    extra = ids[0] - ids[1]
    assert all(any(burst.name in name for burst in usual.bursts) for name in extra)
