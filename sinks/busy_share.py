"""How much of its time the loader spends on storing; the worker makes blocks as young as that allows (docs/decisions/0008)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class BusyShare:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._seconds = 0.0

    @contextmanager
    def storing(self) -> Iterator[None]:
        """The block is storing."""
        started = time.monotonic()
        yield
        self._seconds += time.monotonic() - started

    def each(self, seconds: float) -> float | None:
        """The share (0 to 1) since the last answer, at most one answer in `seconds`."""
        elapsed = time.monotonic() - self._since
        if elapsed < seconds:
            return None
        share = self._seconds / elapsed
        self._since, self._seconds = time.monotonic(), 0.0
        return share
