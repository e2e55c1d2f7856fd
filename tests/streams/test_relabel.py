"""Stored events decided again: by their record as in a worker, else by what was stored of them."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl
import pytest

from ingest.city import City
from streams.cook import Kitchen, cook
from streams.locate import Locator
from streams.records import RawRecord
from streams.relabel import LABELS, decide_again
from streams.rules import Rules, shipped_rules

EMPTY: dict[str, Any] = {
    "code": "", "device": "", "status": "", "metrics": [], "values": [], "text": None, "category": "unclassified",
    "incident_class": "U00", "classified_by": "none", "evidence": "", "rules_version": "old",
}  # fmt: skip
TYPES: dict[str, pl.DataType] = {
    "metrics": pl.List(pl.String),
    "values": pl.List(pl.Float64),
    "text": pl.String(),
    "source_offset": pl.UInt64(),
}


@pytest.fixture
def rules() -> Rules:
    codes = pl.DataFrame({"code": ["c1"], "by_code": ["D01"]})
    return shipped_rules()._replace(version="new", codes=codes)


@pytest.fixture
def kitchen(city: City, rules: Rules) -> Kitchen:
    return Kitchen("police", Locator(city.places), rules)


def stored(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows as `events` has them, at offsets 0, 1, ..."""
    whole = [EMPTY | {"source_offset": offset} | row for offset, row in enumerate(rows)]
    return pl.DataFrame(whole, schema_overrides=TYPES)


def record(offset: int, **data: Any) -> RawRecord:
    event = {
        "specversion": "1.0", "id": str(offset), "source": "/t", "type": "citybrain.police.incident.v1",
        "time": "2026-03-02T08:00:00Z", "datacontenttype": "application/json", "data": data,
    }  # fmt: skip
    return RawRecord(offset, 1_772_438_400_000, orjson.dumps(event), [])


def labels(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.select("new_incident_class", "new_classified_by", "new_evidence", "new_rules_version", "kept").rows()


def test_a_record_is_decided_as_a_worker_would(kitchen: Kitchen) -> None:
    """Its text counts although it is not stored."""
    records = [record(0, text="三楼厨房着火"), record(1, code="C1"), record(2, incident_class="S02", code="x")]

    found = decide_again(stored({}, {}, {}), records, kitchen)

    cooked = pl.from_arrow(cook(kitchen, records).table)
    assert isinstance(cooked, pl.DataFrame)
    assert found.select(f"new_{name}" for name in LABELS).rows() == cooked.select(LABELS).cast(pl.String).rows()
    assert labels(found)[1:] == [("D01", "code", "C1", "new", False), ("S02", "source", "x", "new", False)]


def test_past_retention_the_stored_code_readings_and_source_decide(kitchen: Kitchen, rules: Rules) -> None:
    metric, above = rules.limits.filter(pl.col("above").is_not_null()).select("metric", "above").row(0)
    rows = stored(
        {"code": "c1", "incident_class": "S09", "classified_by": "code"},
        {"incident_class": "S02", "classified_by": "source", "code": "z"},
        {"device": "d", "metrics": [metric], "values": [above + 1]},
        {"device": "d", "metrics": [metric], "values": [above], "status": "offline"},
        {"device": "d", "status": "online", "incident_class": "S15", "classified_by": "limits"},
    )

    found = labels(decide_again(rows, [], kitchen))

    assert [row[:2] for row in found] == [
        ("D01", "code"),
        ("S02", "source"),
        (found[2][0], "limits"),
        ("S15", "limits"),
        ("U00", "limits"),
    ]
    assert found[2][0] != "U00"
    assert {row[3:] for row in found} == {("new", False)}


def test_an_event_whose_text_is_gone_keeps_its_label_and_says_so(kitchen: Kitchen) -> None:
    rows = stored(
        {"incident_class": "S01", "category": "public_safety", "classified_by": "terms", "evidence": "着火"},
        {
            "incident_class": "S01",
            "category": "public_safety",
            "classified_by": "terms",
            "evidence": "x",
            "text": "三楼厨房着火",
        },
        {"code": "unknown now", "incident_class": "S09", "classified_by": "code"},
    )

    found = labels(decide_again(rows, [], kitchen))

    assert found[0] == ("S01", "terms", "着火", "old", True)
    assert found[1][1:] == ("terms", found[1][2], "new", False)
    assert "着火" in found[1][2]
    assert found[2] == ("S09", "code", "", "old", True)


def test_a_record_that_is_refused_today_is_decided_from_what_was_stored(kitchen: Kitchen) -> None:
    found = labels(decide_again(stored({"code": "c1"}, {}), [RawRecord(0, 0, b"{", []), record(1, code="c1")], kitchen))

    assert [row[0] for row in found] == ["D01", "D01"]
