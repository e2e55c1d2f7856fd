"""Records that are gone before they were read, and a topic that begins a new life: on a deployment that ends with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import TopicPartition

from ingest.city import City
from schemas.topics import RAW
from tests.faults.conftest import Traffic
from tests.faults.parts import Parts
from tests.life import admin_of, recreate

GRID = TopicPartition(RAW["grid"].name, 0)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Parts]:
    """A deployment of its own: what is gone would be missing in every later check."""
    with Parts(tmp_path_factory.mktemp("gone"), city.places) as running:
        running.want("work-1", "load-1")
        yield running


@pytest.fixture(scope="module")
def traffic(parts: Parts, city: City) -> Traffic:
    """What these tests send."""
    return Traffic(parts, city)


def test_records_gone_before_they_were_read_stop_the_worker(parts: Parts, traffic: Traffic) -> None:
    """It neither goes on with the oldest record nor with the newest; when a person says so, it does."""
    traffic.send()
    parts.check(traffic.sent)
    parts.end_group()
    sent = [record for record in traffic.send(2_000) if record.kind == "grid"]
    assert len(sent) > 1
    with admin_of(parts.broker) as admin:
        admin.delete_records({GRID: parts.ends()[GRID] - 1})

    parts.want("work-1")
    parts.until_logged("work-1", f"{len(sent) - 1} records are gone before they were read")
    parts.end("work-1")
    assert parts.measure().behind >= len(sent)
    parts.want("work-1", extra=["--skip-gone"])
    progress, report = parts.settle(), parts.audit()

    assert report.clean, report
    assert progress.stored + progress.rejected + progress.repeated == traffic.sent - (len(sent) - 1)


def test_a_raw_topic_begins_a_new_life(parts: Parts, traffic: Traffic) -> None:
    """Its offsets start at 0 again, under a new id: nothing of it is taken for stored already."""
    traffic.send()
    before = parts.settle()
    recreate(parts.broker, RAW["sensor"].name)
    again = [record for record in traffic.records(900) if record.kind == "sensor"]
    parts.send(again)
    progress, report = parts.settle(), parts.audit()

    assert report.clean, report
    new = [getattr(progress, name) - getattr(before, name) for name in ("stored", "rejected", "repeated")]
    assert sum(new) == len(again)
