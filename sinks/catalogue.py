"""The catalogue's scenarios and classes of information as rows, so that SQL can count by scenario and name a metric."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import pyarrow as pa

from schemas.catalogue.models import Bound, Catalogue, InformationClass
from sinks.store import Store


def fill_catalogue(store: Store, catalogue: Catalogue) -> None:
    """Write both lists; the views use those that were written last. The same lists again change nothing but their time.

    Every insert has a token of its own: lists that come back after others are written again, not dropped as a repeat.
    """
    scenarios = catalogue.scenarios
    if scenarios:
        config = _config(scenarios)
        columns = {
            "config": pa.array([config] * len(scenarios)),
            "position": pa.array(range(len(scenarios)), pa.uint16()),
            "scenario": pa.array([entry.id for entry in scenarios]),
            "zh": pa.array([entry.zh for entry in scenarios]),
            "en": pa.array([entry.en for entry in scenarios]),
        } | {
            name: pa.array([list(getattr(entry, name)) for entry in scenarios], pa.list_(pa.string()))
            for name in ("incident_classes", "information_classes", "levels", "areas")
        }
        store.insert("scenarios", pa.table(columns), f"scenarios {config} {uuid4()}")
    if classes := catalogue.information_classes:
        config = _config(classes)
        rows = [{"config": config, **_row(entry)} for entry in classes]
        store.insert(
            "information_classes", pa.Table.from_pylist(rows, schema=_SCHEMA), f"information classes {config} {uuid4()}"
        )


def _config(entries: tuple[Any, ...]) -> str:
    """Hash of everything that is written: the same entries have the same."""
    return hashlib.sha256("\n".join(entry.model_dump_json() for entry in entries).encode()).hexdigest()[:16]


_TEXTS = (
    "config", "information_class", "kind", "zh", "en", "topic", "department", "incident_class", "tier", "privacy", "source", "metric",
    "unit",
)  # fmt: skip
_NUMBERS = ("lowest", "highest", "attention_below", "attention_above", "alarm_below", "alarm_above")
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in _TEXTS] + [("retention_days", pa.uint16())] + [(name, pa.float64()) for name in _NUMBERS]
)


def _row(entry: InformationClass) -> dict[str, Any]:
    measure = entry.measure
    low, high = measure.range if measure else (None, None)
    return {
        "information_class": entry.id, "kind": entry.kind, "zh": entry.zh, "en": entry.en, "topic": entry.topic,
        "department": entry.department, "incident_class": entry.incident_class or "", "tier": entry.tier,
        "retention_days": entry.retention_days, "privacy": entry.privacy, "source": entry.source,
        "metric": measure.metric if measure else "", "unit": measure.unit if measure else "", "lowest": low, "highest": high,
        **_sides("attention", measure.attention if measure else None), **_sides("alarm", measure.alarm if measure else None),
    }  # fmt: skip


def _sides(name: str, bound: Bound | None) -> dict[str, float | None]:
    return {f"{name}_{side}": getattr(bound, side) if bound else None for side in ("below", "above")}
