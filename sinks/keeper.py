"""The loader's thread that keeps response figures and publishes: once a minute, by the one loader that has the first partition."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Final, Self

from schemas.errors import CitybrainError
from sinks.kept import keep
from sinks.published import publish
from sinks.store import Store

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
SHARE: Final = 0.05
"""Of one core's time, at most, for each of the two: what takes long is done less often."""
STORED: Final = (
    "SELECT (SELECT max(stored_at) FROM blocks), (SELECT max(written_at) FROM holds), (SELECT basis FROM response_basis), "
    "(SELECT count() FROM areas)"
)
"""What was published is still right while this is the same."""


class _Stopping(Exception):
    """Between two statements."""


class Keeper:
    """Works in the background while the block lasts. `mine` says whether this loader is the one to do it.

    What fails is tried again at the next turn: until then questions take longer, or what is published is older.
    """

    def __init__(self, store: Store, mine: Callable[[], bool], every_seconds: float = EVERY_SECONDS) -> None:
        self._store, self._mine, self._every = store, mine, every_seconds
        self._keep, self._publish = _Turn(), _Turn()
        self._published: object = None
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
        while not self._stop.wait(self._every):
            if self._mine():
                self._turn()

    def _turn(self) -> None:
        try:
            with closing(self._store.again()) as store:
                with self._keep.taken() as due:
                    if due and (kept := keep(store, self._check)):
                        log.info("response figures: %d cases judged, %d months written", kept.cases, len(kept.months))
                with self._publish.taken() as due:
                    if due and (stored := store.query(STORED)) != self._published:
                        log.info("published: %s", publish(store, self._check))
                        self._published = stored
        except _Stopping:
            log.info("the store's figures are left as they are: stopping")
        except CitybrainError as error:
            log.warning("response figures are not kept, or figures not published, for now: %s", error)

    def _check(self) -> None:
        if self._stop.is_set():
            raise _Stopping


class _Turn:
    """When a piece of work is due again: what took long has to wait."""

    def __init__(self) -> None:
        self._due = float("-inf")

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Whether it is due; the block is the work."""
        started = time.monotonic()
        if started < self._due:
            yield False
            return
        try:
            yield True
        finally:
            ended = time.monotonic()
            self._due = ended + (ended - started) / SHARE
