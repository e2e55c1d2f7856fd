"""The store's disk is full for a while. It is a small file system of its own, which only root may mount: part of the full form."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.city import City
from tests.faults.conftest import Traffic
from tests.faults.parts import Parts

MEGABYTES = 64


@pytest.fixture
def parts(tmp_path: Path, city: City) -> Iterator[Parts]:
    """A deployment whose store lies on a tmpfs."""
    disk = tmp_path / "store"
    disk.mkdir()
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "citybrain-test", str(disk)], check=True)
    try:
        with Parts(tmp_path, city.places) as running:
            running.want("work-1", "load-1")
            yield running
    finally:
        subprocess.run(["/usr/bin/umount", str(disk)], check=True)


@pytest.fixture
def traffic(parts: Parts, city: City) -> Traffic:
    """What this test sends."""
    return Traffic(parts, city)


def test_a_full_disk_is_waited_for(parts: Parts, traffic: Traffic) -> None:
    """Nothing is lost and nothing half stored remains; when there is room it goes on by itself."""
    traffic.send()
    parts.check(traffic.sent)
    filler = parts.folder / "store" / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))
    sent = traffic.send(600)
    parts.until_logged("load-1", "try 2 of")
    parts.tend(5.0)
    assert parts.measure().behind > 0, f"{len(sent)} records were stored on a full disk"
    filler.unlink()

    parts.check(traffic.sent)
