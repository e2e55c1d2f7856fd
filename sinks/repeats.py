"""Repeated events: the same source and id at another offset, because a producer sent again.

A Bloom filter over the last events of a source partition screens; a query on that offset range decides. The first
stored copy wins; a repeat with another body is a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray
from rbloom import Bloom

HORIZON: Final = 4_000_000
"""Records of a source partition within which a repeat is found at once; farther apart the audit finds it."""
FALSE_ALARMS: Final = 1e-6

Lookup = Callable[[list[int]], dict[tuple[str, str], int]]


class Verdict(NamedTuple):
    """Per row: dropped as a repeat (same body), or as a conflict (other body)."""

    repeat: NDArray[np.bool_]
    conflict: NDArray[np.bool_]


def event_key(source: str, event_id: str) -> int:
    """The same number as ClickHouse's `xxh3(concat(source, '\\n', id))`, column `event_key` of events."""
    return xxhash.xxh3_64_intdigest(f"{source}\n{event_id}".encode())


class RecentEvents:
    """Screen for one source partition: two filters of one horizon each, the older dropped when the newer is full."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._older, self._newer, self._count = _filter(), _filter(), 0
        for key in keys:
            self._add(key)

    def judge(self, sources: list[str], ids: list[str], bodies: list[int], lookup: Lookup) -> Verdict:
        """Judge rows in offset order. `lookup(keys)` answers with stored (source, id) -> body hash for those keys."""
        keys = [event_key(source, event_id) for source, event_id in zip(sources, ids, strict=True)]
        suspects = [key for key in keys if key in self._newer or key in self._older]
        seen = lookup(suspects) if suspects else {}
        repeat, conflict = np.zeros(len(keys), bool), np.zeros(len(keys), bool)
        for row, event in enumerate(zip(sources, ids, strict=True)):
            if event not in seen:
                seen[event] = bodies[row]
            elif seen[event] == bodies[row]:
                repeat[row] = True
            else:
                conflict[row] = True
        for key in keys:
            self._add(key)
        return Verdict(repeat, conflict)

    def _add(self, key: int) -> None:
        if self._count >= HORIZON:
            self._older, self._newer, self._count = self._newer, _filter(), 0
        self._newer.add(key)
        self._count += 1


def _filter() -> Bloom:
    return Bloom(HORIZON, FALSE_ALARMS)
