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


class Found(NamedTuple):
    """Offsets of one partition that are wrong, each ascending. `same_event`: the later copies are the wrong ones."""

    twice: NDArray[np.int64]
    same_event: NDArray[np.int64]
    without_record: NDArray[np.int64]
    other_event: NDArray[np.int64]
    holes: NDArray[np.int64]
    repeated: int


def find(log: LogPart, stored: Stored) -> Found:
    """Each record in exactly one of events, rejected or repeated; no row without its record."""
    everywhere = np.concatenate([stored.offsets, stored.rejected])
    seen, counts = np.unique(everywhere, return_counts=True)
    _, first, times = np.unique(stored.keys, return_index=True, return_counts=True)
    here = everywhere[(everywhere >= log.start) & (everywhere < log.end)]
    missing = ~np.isin(log.offsets, everywhere)
    repeat = missing & np.isin(log.keys, stored.keys)
    return Found(
        twice=seen[counts > 1],
        same_event=stored.offsets[first[times > 1]],
        without_record=np.setdiff1d(here, log.offsets),
        other_event=_other_event(log, stored),
        holes=log.offsets[missing & ~repeat],
        repeated=int(np.count_nonzero(repeat)),
    )


def compare(log: LogPart, stored: Stored, report: AuditReport) -> None:
    """What `find` finds, into the report."""
    found = find(log, stored)
    report.checked += len(log.offsets)
    report.not_checkable += int(np.count_nonzero(stored.offsets < log.start) + np.count_nonzero(stored.rejected < log.start))
    report.twice += len(found.twice) + len(np.setdiff1d(found.same_event, found.twice))
    report.orphans += len(found.without_record) + len(found.other_event)
    report.holes += len(found.holes)
    report.repeated += found.repeated
    _note(log, found.twice, "stored more than once", report)
    _note(log, found.same_event, "its event is stored from another record too", report)
    _note(log, found.without_record, "stored, but the log has no such record", report)
    _note(log, found.other_event, "the stored event is not the one in the log", report)
    _note(log, found.holes, "in no table, and its event is stored nowhere", report)


def _other_event(log: LogPart, stored: Stored) -> NDArray[np.int64]:
    order = np.searchsorted(log.offsets, stored.offsets)
    inside = order < len(log.offsets)
    at = order[inside]
    known = log.offsets[at] == stored.offsets[inside] if len(at) else np.zeros(0, bool)
    other: NDArray[np.int64] = stored.offsets[inside][known][log.keys[at[known]] != stored.keys[inside][known]]
    return other


def _note(log: LogPart, offsets: NDArray[np.int64], what: str, report: AuditReport) -> None:
    for offset in offsets.tolist():
        report.example(log.topic, log.partition, offset, what)
