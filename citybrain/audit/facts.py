"""One partition of the log against the stored rows. Pure: arrays in, findings into the report."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from citybrain.audit.raw_log import LogPart
from citybrain.audit.report import AuditReport


class Stored(NamedTuple):
    """Rows of one source partition: offsets and event keys of `events`, offsets of `rejected`."""

    offsets: NDArray[np.int64]
    keys: NDArray[np.uint64]
    rejected: NDArray[np.int64]


def compare(log: LogPart, stored: Stored, report: AuditReport) -> None:
    """Each record in exactly one of events, rejected or repeated; no row without its record."""
    everywhere = np.concatenate([stored.offsets, stored.rejected])
    report.checked += len(log.offsets)
    report.not_checkable += int(np.count_nonzero(everywhere < log.start))
    seen, counts = np.unique(everywhere, return_counts=True)
    _note(log, seen[counts > 1], "stored more than once", report)
    report.twice += int(np.count_nonzero(counts > 1))
    _, first, times = np.unique(stored.keys, return_index=True, return_counts=True)
    same_event = stored.offsets[first[times > 1]]
    _note(log, same_event, "its event is stored from another record too", report)
    report.twice += len(np.setdiff1d(same_event, seen[counts > 1]))

    here = everywhere[(everywhere >= log.start) & (everywhere < log.end)]
    without_record = np.setdiff1d(here, log.offsets)
    _note(log, without_record, "stored, but the log has no such record", report)
    report.orphans += len(without_record)
    _compare_identity(log, stored, report)

    missing = ~np.isin(log.offsets, everywhere)
    repeat = missing & np.isin(log.keys, stored.keys)
    report.repeated += int(np.count_nonzero(repeat))
    holes = log.offsets[missing & ~repeat]
    _note(log, holes, "in no table, and its event is stored nowhere", report)
    report.holes += len(holes)


def _compare_identity(log: LogPart, stored: Stored, report: AuditReport) -> None:
    order = np.searchsorted(log.offsets, stored.offsets)
    inside = order < len(log.offsets)
    at = order[inside]
    known = log.offsets[at] == stored.offsets[inside] if len(at) else np.zeros(0, bool)
    other = stored.offsets[inside][known][log.keys[at[known]] != stored.keys[inside][known]]
    _note(log, other, "the stored event is not the one in the log", report)
    report.orphans += len(other)


def _note(log: LogPart, offsets: NDArray[np.int64], what: str, report: AuditReport) -> None:
    for offset in offsets.tolist():
        report.example(log.topic, log.partition, offset, what)
