"""`citybrain reclassify` against a deployment that runs: shown, killed half-way, finished by the loader, done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.outgoing import Outgoing
from schemas.text_model import TextModel, to_bytes
from sinks.holds import LASTS_SECONDS
from tests.pipeline import Pipeline

KILLED_BEFORE_AGGREGATES = """
import os, sinks.relabel
sinks.relabel.targets = lambda _: os.kill(os.getpid(), 9)
from citybrain.cli import main
main()
"""
"""`events` has its new labels then, and no aggregate has."""


def run(pipeline: Pipeline, *arguments: str, program: tuple[str, ...] = ("-m", "citybrain")) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *program, "reclassify", *arguments, "--data-dir", str(pipeline.folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Knows better than the written rules what a burglary is."""
    trained = TextModel(name="t", version="t-1", labels=("O02", "U00"), terms={"入室盗窃": {"O02": 5.0}}, data="a test")
    path = tmp_path / "model.json"
    path.write_bytes(to_bytes(trained))
    return path


def classes(pipeline: Pipeline, table: str) -> list[dict[str, Any]]:
    return pipeline.rows(
        f"SELECT incident_class, toUInt32({table}) AS n FROM {'events' if table == 'count()' else 'counts_day'} GROUP BY 1 ORDER BY 1"
    )


def test_a_running_deployment_is_labelled_again_and_a_kill_half_way_is_finished_by_the_loader(
    pipeline: Pipeline, model: Path
) -> None:
    now = datetime.now(UTC)
    texts = ["入室盗窃", "三楼厨房着火", "天气不错"]
    pipeline.send(
        Outgoing("police", "/r", str(n), now, {"text": texts[n % 3], "case_id": f"c{n}", "stage": "reported"})
        for n in range(90)
    )
    pipeline.settle()
    before = pipeline.rows("SELECT * FROM events ORDER BY source_offset")

    code, shown = run(pipeline, "--model", str(model), "--json")
    assert code == 0
    report = json.loads(shown)
    ((old,),) = [[row["from"] for row in report["classes"]]]
    assert [(row["to"], row["events"]) for row in report["classes"]] == [("O02", 30)]
    assert (report["applied"], report["rows"], report["from_log"], report["kept"]) == (False, 90, 90, 0)
    assert report["classes"][0]["examples"][0]["text"] is None
    assert "入室盗窃" in report["classes"][0]["examples"][0]["new_evidence"]
    assert pipeline.rows("SELECT * FROM events ORDER BY source_offset") == before

    code, _ = run(pipeline, "--apply", "--model", str(model), program=("-c", KILLED_BEFORE_AGGREGATES))
    assert code == -signal.SIGKILL
    pipeline.send([Outgoing("police", "/r", "while held", now, {"text": "天气不错"})])

    deadline = time.monotonic() + LASTS_SECONDS + 90
    while pipeline.one("SELECT countIf(step = 'done') FROM reclassifications") == 0:
        assert time.monotonic() < deadline, "nobody finished it"
        time.sleep(0.5)
    pipeline.settle()
    assert pipeline.one("SELECT countIf(step = 'begun') FROM reclassifications") == 1
    wanted = {("O02", 30), ("U00", 31)}
    assert wanted < {(row["incident_class"], row["n"]) for row in classes(pipeline, "count()")}
    assert classes(pipeline, "count()") == classes(pipeline, "sum(events)")
    assert pipeline.one(f"SELECT countIf(incident_class = '{old}') FROM v_cases") == 0
    assert pipeline.audit().clean

    code, text = run(pipeline, "--apply", "--model", str(model))
    assert code == 0
    assert "91 events looked at" in text
    assert "0 have another class, 0 another reason, 1 only the new version" in text
    code, text = run(pipeline, "--model", str(model))
    assert "0 would get another class, 0 another reason, 0 only the new version" in text
    assert pipeline.audit().clean
