"""Queries to the process that owns the store, over a Unix socket in the data folder.

One process owns a chDB folder; every other command on the machine asks it here (citybrain/owner_socket.py). A request is
{"sql", "format", "parameters"}. `parameters` fill `{name:Type}` in the SQL; the engine puts them in, so that a value is
never read as SQL.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from citybrain.owner_socket import LONGEST_REQUEST, More, OwnerSocket, exchange, framed
from citybrain.readonly import read
from schemas.errors import CitybrainError, StoreUnavailable
from sinks.store import Store

log = logging.getLogger(__name__)
Parameters = Mapping[str, Any]
"""Values of `{name:Type}` in a query: texts, numbers, and lists of them."""
AT_ONCE: Final = 2 * (os.cpu_count() or 1)
"""Queries that run at the same time: more would take the time of the loader beside them."""
TURN_SECONDS = 60.0
"""How long one waits for its turn."""


class RemoteQueryFailed(CitybrainError):
    """The owner of the store refused or could not run a query; the text says why."""


class QueryServer(OwnerSocket):
    """Answers read-only queries; each query has a store connection to itself. AT_ONCE of them run, others wait their turn."""

    def __init__(self, path: Path, connect: Callable[[], Store]) -> None:
        super().__init__(path)
        self._connect = connect
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._idle: queue.LifoQueue[Store] = queue.LifoQueue()

    def stop(self) -> None:
        """Stop serving, remove the socket and close what is idle."""
        super().stop()
        while not self._idle.empty():
            self._idle.get().close()

    def respond(self, line: bytes, more: More) -> bytes:  # noqa: ARG002 - nothing follows a query
        """The answer to one query."""
        try:
            request = json.loads(line)
            sql, fmt = str(request["sql"]), str(request["format"])
            parameters = dict(request.get("parameters") or {}) or None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            return framed(
                b"-", f"wanted a JSON line with sql and format, at most {LONGEST_REQUEST:,} bytes: {error!r}".encode()
            )
        try:
            with self._store() as store:
                return framed(b"+", read(store, sql, fmt, parameters))
        except CitybrainError as error:
            return framed(b"-", str(error).encode())
        except Exception as error:  # a defect of ours; the client has to hear of it, and the next one is served
            log.exception("a query failed")
            return framed(b"-", repr(error).encode())

    @contextmanager
    def _store(self) -> Iterator[Store]:
        if not self._turns.acquire(timeout=TURN_SECONDS):
            cause = f"{AT_ONCE} other queries have been running for {TURN_SECONDS:.0f} s; ask again later"
            raise StoreUnavailable("query", 0, cause)
        store: Store | None = None
        try:
            store = self._idle_or_new()
            yield store
        finally:
            if store is not None:
                self._idle.put(store)
            self._turns.release()

    def _idle_or_new(self) -> Store:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._connect()


def ask(path: Path, sql: str, fmt: str, parameters: Parameters | None = None) -> bytes:
    """Ask the owner. StoreUnavailable when nobody listens or it goes away, RemoteQueryFailed when it says no."""
    request = {"sql": sql, "format": fmt, "parameters": dict(parameters or {})}
    fine, answer = exchange(path, json.dumps(request).encode() + b"\n", "query")
    if not fine:
        raise RemoteQueryFailed(answer.decode(errors="replace"))
    return answer
