"""Peers run what their locks say; the limit stores every event of its file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.compare import PEERS, lock_of, prepare, write_file
from bench.filled import Filling
from bench.peers.environments import LOCKS, ROOT
from bench.traffic import wires

LOCKED = sorted({lock_of(name) for name in PEERS})
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
EVENTS = 2_000


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_of_a_peer_is_pinned_by_hash_and_no_address_is_named(name: str) -> None:
    text = (LOCKS / f"{name}.lock").read_text(encoding="utf-8")

    assert "://" not in text
    assert len(re.findall(r"^    --hash=sha256:", text, re.MULTILINE)) >= len(pins(LOCKS / f"{name}.lock"))


@pytest.mark.parametrize("name", LOCKED)
def test_a_peer_has_the_engine_that_we_have(name: str) -> None:
    ours, theirs = pins(ROOT / "requirements.lock"), pins(LOCKS / f"{name}.lock")

    assert {part: theirs[part] for part in ("chdb", "clickhouse-connect")} == {
        part: ours[part] for part in ("chdb", "clickhouse-connect")
    }


@pytest.mark.parametrize("ours", [False, True])
def test_the_limit_counts_every_event_of_its_file(ours: bool, tmp_path: Path) -> None:
    file, store = tmp_path / "events.ndjson", tmp_path / "store"
    write_file(file, Filling("mixed", EVENTS))
    if ours:
        prepare(store)

    output = subprocess.run(
        [
            sys.executable, "-m", "bench.peers.clickhouse_file", "--file", str(file), "--store", str(store),
            "--events", str(EVENTS), *(["--ours"] if ours else []),
        ],
        capture_output=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip

    figures = json.loads(output)
    assert figures["counted"] == EVENTS == len(list(wires("mixed", EVENTS)))
    assert figures["events_per_second"] > 0
