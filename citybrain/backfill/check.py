"""A backfilled source against the store, as the audit compares a log: every record once, no row without its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from citybrain.audit.facts import Stored, find
from citybrain.audit.raw_log import LogPart, event_key
from citybrain.audit.report import AuditReport
from citybrain.backfill.sources import KINDS, Source
from schemas.events import Kind

WINDOW: Final = 5_000_000
"""Records that are compared at a time."""
HORIZON: Final = 4_000_000
"""Records before a window whose events may repeat within it (design of the ledger)."""
HEADERS: Final = [("content-type", b"application/cloudevents+json")]


def check(source: Source, query: Callable[[str], pa.Table], progress: Callable[[int], None] = lambda _: None) -> AuditReport:
    """Read the source again with the audit's parser and compare. Aggregates are the ordinary audit's."""
    report = AuditReport()
    for part in _parts(source):
        found = find(part, _stored(query, part))
        report.checked += len(part.offsets)
        report.twice += len(found.twice) + len(np.setdiff1d(found.same_event, found.twice))
        report.orphans += len(found.without_record) + len(found.other_event)
        report.holes += len(found.holes)
        report.repeated += found.repeated
        for offset in found.holes[:10].tolist():
            report.example(part.topic, part.partition, offset, "in no table, and its event is stored nowhere")
        progress(report.checked)
    return report


def _parts(source: Source) -> Iterator[LogPart]:
    waiting: dict[Kind, tuple[list[int], list[int]]] = {kind: ([], []) for kind in KINDS}
    begins = dict.fromkeys(KINDS, 1)

    def part(kind: Kind) -> LogPart:
        offsets, keys = waiting[kind]
        start, begins[kind] = begins[kind], offsets[-1] + 1
        waiting[kind] = ([], [])
        return LogPart(
            source.name,
            source.topic_id,
            KINDS.index(kind),
            start,
            offsets[-1] + 1,
            np.array(offsets, np.int64),
            np.array(keys, np.uint64),
        )

    for found in source.records(dict.fromkeys(KINDS, 0)):
        offsets, keys = waiting[found.kind]
        offsets += found.offsets
        keys += [event_key(value, HEADERS) for value in found.values.to_pylist()]
        if len(offsets) >= WINDOW:
            yield part(found.kind)
    for kind, (offsets, _) in waiting.items():
        if offsets:
            yield part(kind)


def _stored(query: Callable[[str], pa.Table], part: LogPart) -> Stored:
    where = (
        f"source_topic_id = '{part.topic_id}' AND source_partition = {part.partition} "
        f"AND source_offset >= {max(0, part.start - HORIZON)} AND source_offset < {part.end}"
    )
    events = query(f"SELECT source_offset, event_key FROM events WHERE {where}")
    rejected = query(f"SELECT source_offset FROM rejected WHERE {where}")
    return Stored(
        events["source_offset"].to_numpy().astype(np.int64),
        events["event_key"].to_numpy().astype(np.uint64),
        rejected["source_offset"].to_numpy().astype(np.int64),
    )
