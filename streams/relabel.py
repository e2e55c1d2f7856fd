"""Stored events decided again by the rules in force: from their record, or from what was stored of it. Pure.

A record that the log still holds goes through `cook`, as in a worker. Past retention the stored code, readings and status
decide, and the text where the deployment keeps it; an event whose text is gone and that nothing else decides keeps its label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from streams.classify import classify
from streams.cook import Kitchen, cook
from streams.records import RawRecord
from streams.rules import Rules

LABELS: Final = ("category", "incident_class", "classified_by", "evidence", "rules_version")
STORED: Final = (
    "source_offset", "code", "device", "status", "metrics", "values", "text", *LABELS
)  # fmt: skip
"""Columns of `events` that deciding again reads; empty text means none."""
TEXT_DECIDES: Final = ("terms", "none")


def decide_again(stored: pl.DataFrame, records: Sequence[RawRecord], kitchen: Kitchen) -> pl.DataFrame:
    """`stored` (columns STORED and any other) with a column `new_` and name for each of LABELS, and `kept`.

    `kept`: the event keeps its label because it cannot be decided again. `records` may be fewer or more than the stored
    rows; a row whose record is missing, or is refused today, is decided from what was stored.
    """
    known = _of_records(records, kitchen)
    rows = stored.with_columns(pl.col("source_offset").cast(pl.Int64)).join(
        known, on="source_offset", how="left", maintain_order="left"
    )
    missing = rows["new_incident_class"].is_null()
    if not missing.any():
        return rows.with_columns(kept=pl.lit(value=False))
    rest = _of_stored(rows.filter(missing).drop(_new(LABELS)), kitchen.rules)
    done = rows.filter(~missing).with_columns(kept=pl.lit(value=False))
    return pl.concat([done, rest.select(done.columns)]).sort("source_offset")


def _of_records(records: Sequence[RawRecord], kitchen: Kitchen) -> pl.DataFrame:
    schema = pl.Schema({"source_offset": pl.Int64(), **dict.fromkeys(_new(LABELS), pl.String())})
    if not records:
        return pl.DataFrame(schema=schema)
    frame = pl.from_arrow(cook(kitchen, records).table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - narrows the type: a table never gives a Series
    accepted = frame.filter(pl.col("reject_reason").is_null())
    return accepted.select("source_offset", *(pl.col(name).alias(f"new_{name}") for name in LABELS)).cast(schema)


def _of_stored(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    by_source = pl.col("classified_by") == "source"
    readable = rows.with_columns(
        *(pl.col(name).replace("", None) for name in ("code", "device", "status")),
        incident_class=pl.when(by_source).then("incident_class"),
    )
    decided = classify(readable, rules).with_columns(rules_version=pl.lit(rules.version))
    kept = decided["classified_by"].is_in(TEXT_DECIDES) & rows["text"].is_null()
    return rows.with_columns(
        *(pl.when(kept).then(rows[name]).otherwise(decided[name]).alias(f"new_{name}") for name in LABELS), kept=kept
    )


def _new(names: Sequence[str]) -> list[str]:
    return [f"new_{name}" for name in names]
