"""What is computed once for each key, however many ask at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

KEPT: Final = 256
T = TypeVar("T")


class Once:
    """Keeps the last `KEPT` results."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._locks: OrderedDict[Hashable, threading.Lock] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of a key."""
        with self._guard:
            if key in self._known:
                found: T = self._known[key]
                return found
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            with self._guard:
                if key in self._known:
                    return self._known[key]  # type: ignore[no-any-return]  # what `make` of this key gave
            made = make()
            with self._guard:
                self._known[key] = made
                self._locks.pop(key, None)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
            return made
