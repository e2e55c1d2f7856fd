"""Repeated events: the same source and id at another offset, because a producer sent again.

A screen over the last events of a source partition lets new ones pass; a query on that offset range decides on the rest.
The first stored copy wins; a repeat with another body is a conflict. Every event comes through here, so only rows that the
screen stops are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from sinks.screen import Keys, Screen

HORIZON: Final = 4_000_000
"""Records of a source partition within which a repeat is found at once; farther apart the audit finds it."""

NO_KEYS: Final[Keys] = np.zeros(0, np.uint64)

Lookup = Callable[[list[int]], dict[tuple[str, str], int]]


class Verdict(NamedTuple):
    """Per row: dropped as a repeat (same body), or as a conflict (other body)."""

    repeat: NDArray[np.bool_]
    conflict: NDArray[np.bool_]


def event_keys(rows: pa.Table) -> Keys:
    """Of each row (columns source, id) the number ClickHouse has in column `event_key`: `xxh3(concat(source, '\\n', id))`."""
    names = pc.binary_join_element_wise(rows["source"].cast(pa.string()), rows["id"], "\n").cast(pa.binary())
    return np.fromiter(map(xxhash.xxh3_64_intdigest, names.to_pylist()), np.uint64, len(names))


class RecentEvents:
    """What is known of one source partition: screens of one horizon each, the older dropped when the newer is full."""

    def __init__(self, keys: Keys = NO_KEYS) -> None:
        self._older: Screen | None = None
        self._newer, self._count = Screen(HORIZON), 0
        for first in range(0, len(keys), HORIZON):
            self._add(keys[first : first + HORIZON])

    def judge(self, rows: pa.Table, lookup: Lookup) -> Verdict:
        """Judge rows (columns source, id, body_hash) in offset order.

        `lookup(keys)` answers with stored (source, id) -> body hash for those keys.
        """
        keys = event_keys(rows)
        known = self.knows(keys)
        seen = lookup(keys[known].tolist()) if known.any() else {}
        repeat, conflict = np.zeros(len(keys), bool), np.zeros(len(keys), bool)
        for row in np.flatnonzero(known | _twice(keys)).tolist():
            event, body = (str(rows["source"][row]), str(rows["id"][row])), rows["body_hash"][row].as_py()
            if event not in seen:
                seen[event] = body
            elif seen[event] == body:
                repeat[row] = True
            else:
                conflict[row] = True
        self._add(keys)
        return Verdict(repeat, conflict)

    def knows(self, keys: Keys) -> NDArray[np.bool_]:
        """Which keys may be of recent events; True for all that are."""
        known = self._newer.contains(keys)
        return known if self._older is None else known | self._older.contains(keys)

    def _add(self, keys: Keys) -> None:
        if self._count and self._count + len(keys) > HORIZON:
            self._older, self._newer, self._count = self._newer, Screen(HORIZON), 0
        self._newer.add(keys)
        self._count += len(keys)


def _twice(keys: Keys) -> NDArray[np.bool_]:
    """Which keys stand in the block more than once."""
    ordered = np.sort(keys)
    return np.isin(keys, ordered[1:][ordered[1:] == ordered[:-1]])
