"""A disk is full for a while, the store's or the broker's. It is a small file system of its own, which only root may mount.

So it is part of the full form.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ingest.city import City
from ingest.producer import EventProducer
from schemas.errors import BrokerUnavailable
from tests.faults.conftest import Traffic
from tests.faults.parts import Parts

MEGABYTES = 64


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A tmpfs at a folder."""
    folder.mkdir(parents=True)
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "citybrain-test", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=True)


@pytest.fixture(params=["store", "kafka/log"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The folder of a deployment that lies on a small disk."""
    with small_disk(tmp_path / request.param):
        yield tmp_path / str(request.param)


@pytest.fixture
def parts(disk: Path, tmp_path: Path, city: City) -> Iterator[Parts]:
    """A deployment of its own, with its small disk."""
    assert disk.is_relative_to(tmp_path)
    with Parts(tmp_path, city.places) as running:
        running.want("work-1", "load-1")
        yield running


@pytest.fixture
def traffic(parts: Parts, city: City) -> Traffic:
    """What this test sends."""
    return Traffic(parts, city)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))
    return filler


@pytest.mark.parametrize("disk", ["store"], indirect=True)
def test_a_full_disk_is_waited_for(parts: Parts, traffic: Traffic, disk: Path) -> None:
    """Nothing is lost and nothing half stored remains; when there is room it goes on by itself."""
    traffic.send()
    parts.check(traffic.sent)
    filler = fill(disk)
    sent = traffic.send(600)
    parts.until_logged("load-1", "try 2 of")
    parts.tend(5.0)
    assert parts.measure().behind > 0, f"{len(sent)} records were stored on a full disk"
    filler.unlink()

    parts.check(traffic.sent)


@pytest.mark.parametrize("disk", ["kafka/log"], indirect=True)
def test_the_brokers_disk_is_full(parts: Parts, traffic: Traffic, disk: Path) -> None:
    """Its log is its only one, so it ends. The producer says what was not confirmed; with room and a new start all goes on."""
    traffic.send()
    parts.check(traffic.sent)
    before = parts.settle()
    filler = fill(disk)
    records = traffic.records(2_001)[:-1]  # without the broken one, which has no id: twice in the log, it would be two rejects
    told = 0
    with suppress(BrokerUnavailable):
        with EventProducer(parts.broker, delivery_timeout_ms=8_000, request_timeout_ms=4_000, max_block_ms=10_000) as producer:
            try:
                for wire in records:
                    producer.send_wire(wire)
                producer.flush(30.0)
            finally:
                told = producer.sent - producer.delivered
    assert told > 0, "the producer was not told"
    parts.tend(5.0)

    filler.unlink()
    deadline = time.monotonic() + 20
    while parts.kafka.pid is not None and time.monotonic() < deadline:
        time.sleep(0.2)
    parts.kafka.kill()
    parts.kafka.start()
    parts.disturb()
    parts.send(records)
    progress, report = parts.recover(), parts.audit()

    assert report.clean, report
    assert progress.stored + progress.rejected + progress.repeated == report.checked >= before.sent + len(records)
