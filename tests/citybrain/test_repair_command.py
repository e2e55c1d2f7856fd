"""`citybrain audit --repair` against a deployment that runs: through the owner's second socket, loaders held meanwhile."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from citybrain.store_socket import MAINTENANCE, remote_store
from ingest.outgoing import Outgoing
from schemas.errors import StoreRefused, StoreUnavailable
from tests.pipeline import Pipeline


def audit(pipeline: Pipeline, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "citybrain", "audit", *arguments, "--json", "--data-dir", str(pipeline.folder)],
        capture_output=True,
        check=False,
        timeout=200,
    )
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def stored(pipeline: Pipeline) -> Pipeline:
    """A deployment with a hundred events, three in a case; sent again they change nothing."""
    now = datetime.now(UTC)
    pipeline.send(
        Outgoing("police", "/repair", str(n), now, {"text": "入室盗窃", "case_id": f"c{n // 3}", "stage": "reported"})
        for n in range(100)
    )
    pipeline.settle()
    return pipeline


def test_a_running_deployment_is_mended(stored: Pipeline) -> None:
    """Rows, buckets and a stretch of the ledger with its rows are gone; events go on coming afterwards."""
    store = remote_store(stored.folder / MAINTENANCE)
    ((newest,),) = store.query("SELECT max(source_offset) FROM events WHERE source = '/repair'")
    for sql in (
        f"ALTER TABLE events DELETE WHERE source_offset IN ({newest - 1}, {newest - 2})",
        "ALTER TABLE counts_day DELETE WHERE kind = 'police'",
    ):
        store.command(f"{sql} SETTINGS mutations_sync = 2")
    code, found = audit(stored)
    assert (code, found["holes"]) == (1, 2)
    assert [example["offset"] for example in found["examples"]] == [newest - 2, newest - 1]

    code, found = audit(stored, "--repair")

    assert (code, found["clean"], found["holes"]) == (0, True, 0)
    assert stored.one("SELECT sum(events) FROM v_counts_day WHERE kind = 'police'") == 100
    stored.send([Outgoing("police", "/repair", "after", datetime.now(UTC), {"text": "入室盗窃"})])
    stored.settle()
    assert stored.audit().clean


def test_the_socket_is_the_owners_alone_and_says_what_was_wrong(stored: Pipeline) -> None:
    path = stored.folder / MAINTENANCE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = remote_store(path)

    with pytest.raises(StoreRefused, match="UNKNOWN_TABLE"):
        store.query("SELECT * FROM nowhere")
    for _ in range(2):
        store.insert(
            "holds", pa.table({"hold_id": ["x"], "reason": ["test"], "lasts_ms": pa.array([0], pa.uint32())}), "test/x"
        )
    assert store.again().query("SELECT count(), any(reason) FROM holds WHERE hold_id = {id:String}", {"id": "x"}) == [
        (1, "test")
    ]


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nobody answers"):
        remote_store(tmp_path / MAINTENANCE).command("SELECT 1")
