"""Ends a process that has work in hand and does not get on with it, so that whoever supervises it starts it again.

Ending is safe at any moment: what is not confirmed is read again (docs/decisions/0003, 0037). A process that is only idle is well.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

STUCK_SECONDS: Final = 120.0
"""Longer than any try of a store or a broker may last."""
LEFT_STUCK: Final = 71
"""Exit code."""


class Watchdog:
    """Told by a part when it has work in hand and when it got on; watches in a thread."""

    def __init__(self, part: str, seconds: float = STUCK_SECONDS, leave: Callable[[int], object] = os._exit) -> None:
        self._part, self._seconds, self._leave = part, seconds, leave
        self._since: float | None = None

    def start(self) -> None:
        """Watch for as long as the process lives."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def begun(self) -> None:
        """There is work in hand."""
        if self._since is None:
            self._since = time.monotonic()

    def advanced(self) -> None:
        """Some of it is done, or there is none."""
        self._since = None

    def _watch(self) -> None:
        while True:
            time.sleep(min(1.0, self._seconds / 4))
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                log.critical(
                    "%s has had work in hand for %.0f s and did not get on; leaving, so that it is started again",
                    self._part,
                    time.monotonic() - since,
                )
                logging.shutdown()
                self._leave(LEFT_STUCK)
                return
