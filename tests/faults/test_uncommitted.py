"""A block is stored in part or whole and nobody says so; then a migration, a repair, or retention; then the loader sends it again."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator

import pytest
from kafka import TopicPartition

from citybrain.mending import repair_all
from citybrain.places_file import PLACES, write_places
from citybrain.settings import Settings
from citybrain.store_socket import MAINTENANCE, remote_store
from ingest.city import City
from schemas.topic_ids import topic_ids
from schemas.topics import RAW, RISK
from sinks import migrate as migrating
from sinks.migrate import Migration, migrate, migrations
from tests.faults.conftest import Traffic
from tests.faults.parts import TIME_ZONE, Parts
from tests.life import admin_of

POINTS = ("inserted", "counts_day", "ledger")
"""Only the table and its views, the table without one view, all of it but no offset committed."""
DEATH_SECONDS = 90.0
LATER = [
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS tried UInt8 DEFAULT 7",
    "ALTER TABLE counts_day ADD INDEX IF NOT EXISTS tried day TYPE minmax GRANULARITY 1",
    "ALTER TABLE counts_minute MODIFY SETTING non_replicated_deduplication_window = 20000",
    "CREATE OR REPLACE VIEW v_tried AS SELECT sum(tried) AS tried FROM events",
]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Parts]:
    """A deployment of its own: records that retention removed would be missing in every later check."""
    with Parts(tmp_path_factory.mktemp("uncommitted"), city.places) as running:
        write_places(running.folder / "store" / PLACES, city.places)
        yield running


@pytest.fixture(scope="module")
def traffic(parts: Parts, city: City) -> Traffic:
    """What these tests send."""
    return Traffic(parts, city)


def half_stored(parts: Parts, traffic: Traffic, point: str) -> None:
    """One batch is stored and committed, the next one's loader kills itself."""
    parts.want("work-1", "load-1")
    traffic.send()
    parts.settle()
    parts.end("load-1")
    traffic.send()
    assert parts.dying("load-1", point).wait(DEATH_SECONDS) == -signal.SIGKILL, f"it never came to {point}"


def goes_on(parts: Parts, traffic: Traffic) -> None:
    """The retry, and more; every record counts once, whatever of the log is left to compare."""
    parts.want("load-1")
    traffic.send()
    progress, report = parts.settle(), parts.audit()
    assert report.clean, report
    assert progress.stored + progress.rejected + progress.repeated == traffic.sent


@pytest.mark.parametrize("point", POINTS)
def test_then_a_migration(parts: Parts, traffic: Traffic, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later one, which changes the table and a view's target, and is applied by a loader of the next version."""
    half_stored(parts, traffic, point)
    number = 9_000 + POINTS.index(point)
    later = Migration(number, f"{number}_tried", hashlib.sha256(point.encode()).hexdigest(), LATER)
    monkeypatch.setattr(migrating, "migrations", lambda zone: [*migrations(zone), later])
    store = remote_store(parts.folder / "store" / MAINTENANCE)

    assert migrate(store, TIME_ZONE) == [later.name]

    goes_on(parts, traffic)


@pytest.mark.parametrize("point", POINTS)
def test_then_a_repair(parts: Parts, traffic: Traffic, point: str) -> None:
    half_stored(parts, traffic, point)
    folder = parts.folder / "store"

    repair_all(Settings.load(environment={}).model_copy(update={"broker": parts.broker, "data_dir": folder}), folder)

    goes_on(parts, traffic)


@pytest.mark.parametrize("point", POINTS)
def test_then_retention(parts: Parts, traffic: Traffic, point: str) -> None:
    """Everything that the ledger covers is removed from the log; the record that is half stored is the oldest one left."""
    half_stored(parts, traffic, point)
    ids = topic_ids(parts.broker, [RISK.name, *(topic.name for topic in RAW.values())])
    gone = {}
    for tp in [*parts.ends(), *(TopicPartition(RISK.name, number) for number in range(RISK.partitions))]:
        column = "risk" if tp.topic == RISK.name else "source"
        last = "risk_offset" if tp.topic == RISK.name else "last_offset"
        covered = f"FROM blocks WHERE {column}_topic_id = '{ids[tp.topic]}' AND {column}_partition = {tp.partition}"
        gone[tp] = parts.number(f"SELECT if(count() = 0, 0, max({last}) + 1) {covered}")
    with admin_of(parts.broker) as admin:
        admin.delete_records(gone)
    assert sum(gone.values()) > 300

    goes_on(parts, traffic)
