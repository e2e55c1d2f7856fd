"""A client library that cannot reach its broker says so ten times a second, in four ways: of each complaint one in half a minute."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

CLIENTS: Final = frozenset({"kafka", "aiokafka", "faust", "mode", "urllib3", "clickhouse_connect"})
"""Libraries, by the first part of a logger's name. What we say ourselves is never held back."""
EVERY_SECONDS: Final = 30.0
MOST_KINDS: Final = 1_000
"""Kinds of complaints that are remembered; with one more all are forgotten, and told again."""
_NUMBER: Final = re.compile(r"\d+")


class _Told(NamedTuple):
    """When a complaint was last let through, and how often it came since."""

    at: float
    since: int


class RepeatFilter(logging.Filter):
    """Lets a record through unless a client library said the same, but for its values, within EVERY_SECONDS.

    The next one that passes says how many were held back. `clock` gives seconds and does not go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, int, str], _Told] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; its text may get an addition."""
        if record.name.partition(".")[0] not in CLIENTS:
            return True
        kind = (record.name, record.levelno, _NUMBER.sub("", str(record.msg)))
        with self._lock:
            now, last = self._clock(), self._told.get(kind)
            if last is not None and now - last.at < EVERY_SECONDS:
                self._told[kind] = _Told(last.at, last.since + 1)
                return False
            if len(self._told) >= MOST_KINDS:
                self._told.clear()
            self._told[kind] = _Told(now, 0)
        if last is not None and last.since:
            record.msg = f"{record.getMessage()} (and {last.since:,} more like it in {now - last.at:.0f} s)"
            record.args = ()
        return True
