"""The loader's thread that keeps the response figures: a pass a minute, by the one loader that has the first partition."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from schemas.errors import CitybrainError
from sinks.kept import Overtaken, Pass, keep
from sinks.store import Store

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
IDLE_SHARE: Final = 20
"""A pass that takes long is followed by a pause this many times as long, so that loading has the processor."""


class _Stopping(Exception):
    """Between two statements of a pass."""


class Keeper:
    """Runs passes in the background while the block lasts. `mine` says whether this loader is the one to do it.

    A pass that fails is tried again at the next turn: until then questions only take longer.
    """

    def __init__(self, store: Store, mine: Callable[[], bool], every_seconds: float = EVERY_SECONDS) -> None:
        self._store, self._mine, self._every = store, mine, every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Waits for the statement that runs, some seconds at most."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._every
        while not self._stop.wait(pause):
            started = time.monotonic()
            if self._mine():
                self._pass()
            pause = max(self._every, IDLE_SHARE * (time.monotonic() - started))

    def _pass(self) -> None:
        store: Store | None = None
        try:
            store = self._store.again()
            kept: Pass | None = keep(store, self._check)
        except _Stopping:
            log.info("response figures: a pass is left at the stop")
        except Overtaken as error:
            log.warning("response figures: %s", error)
        except CitybrainError as error:
            log.warning("response figures are not kept for now, questions about them take longer: %s", error)
        else:
            if kept:
                log.info("response figures: %d cases judged, %d months written again", kept.cases, len(kept.months))
        finally:
            if store is not None:
                store.close()

    def _check(self) -> None:
        if self._stop.is_set():
            raise _Stopping
