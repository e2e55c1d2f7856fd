"""How far a deployment is: the log's ends against what the ledger covers."""

from __future__ import annotations

import json

import pytest

from citybrain import progress
from citybrain.progress import measure
from schemas.kafka_options import Broker
from schemas.topics import RAW

SENSOR, GRID = RAW["sensor"].name, RAW["grid"].name


def row(topic: str, partition: int, following: int, topic_id: str = "now", **counts: int) -> dict[str, object]:
    """One line of the ledger's answer; 64-bit numbers are quoted, as ClickHouse does in JSON."""
    names = ("stored", "rejected", "repeated", "redelivered", "blocks")
    return {"source_topic": topic, "source_topic_id": topic_id, "source_partition": partition, "next": str(following)} | {
        name: str(counts.get(name, 0)) for name in names
    }


def measured(monkeypatch: pytest.MonkeyPatch, ends: dict[tuple[str, int], int], *rows: dict[str, object]) -> progress.Progress:
    monkeypatch.setattr(progress, "log_ends", lambda *_: ends)
    monkeypatch.setattr(progress, "topic_ids", lambda _, names: dict.fromkeys(names, "now"))
    return measure(Broker(), lambda *_: "\n".join(json.dumps(entry) for entry in rows).encode())


class TestMeasure:
    def test_what_the_ledger_does_not_cover_is_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = measured(
            monkeypatch,
            {(SENSOR, 0): 100, (SENSOR, 1): 50, (GRID, 0): 10},
            row(SENSOR, 0, 100, stored=90, rejected=5, repeated=5, blocks=2),
            row(SENSOR, 1, 20, stored=20, blocks=1, redelivered=3),
        )

        assert now == progress.Progress(sent=160, stored=110, rejected=5, repeated=5, redelivered=3, blocks=3, behind=40)

    def test_an_empty_ledger_is_behind_by_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = measured(monkeypatch, {(SENSOR, 0): 7})

        assert (now.sent, now.behind, now.blocks) == (7, 7, 0)

    def test_a_ledger_of_an_earlier_life_covers_nothing_of_this_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The topic was made again, and its offsets begin at 0 again."""
        rows = row(GRID, 0, 500, "before", stored=500), row(GRID, 0, 2, stored=2), row(GRID, 0, 900, "long before", stored=900)

        assert measured(monkeypatch, {(GRID, 0): 3}, *rows).behind == 1
