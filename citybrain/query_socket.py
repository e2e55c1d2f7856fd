"""Queries to the process that owns the store, over a Unix socket in the data folder.

One process owns a chDB folder; every other command on the machine asks it here. One request a connection: a JSON line
{"sql", "format", "parameters"} in; out come one byte (+ or -), the answer's length in eight bytes, and the answer. The
length tells a whole answer from one whose sender died. `parameters` fill `{name:Type}` in the SQL; the engine puts them
in, so that a value is never read as SQL.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from citybrain.readonly import read
from schemas.errors import BadSettings, CitybrainError, StoreUnavailable
from sinks.store import Store

log = logging.getLogger(__name__)
Parameters = Mapping[str, Any]
"""Values of `{name:Type}` in a query: texts, numbers, and lists of them."""
Answer = Callable[[str, str, Parameters | None], bytes]
LONGEST_REQUEST: Final = 1 << 20
"""Bytes of a request; ClickHouse takes 256 KiB of SQL by itself."""
PATIENCE_SECONDS: Final = 30.0
"""How long a client may be silent, or not read its answer, before it is left."""
LONGEST_PATH: Final = 107
"""Bytes of a Unix socket's path (Linux)."""


class RemoteQueryFailed(CitybrainError):
    """The owner of the store refused or could not run a query; the text says why."""


class QueryServer:
    """Answers read-only queries in threads of its own; each query has a store connection to itself."""

    def __init__(self, path: Path, connect: Callable[[], Store]) -> None:
        self._path = path
        self._connect = connect
        self._idle: queue.LifoQueue[Store] = queue.LifoQueue()
        check_length(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._server = SocketServer(str(path), _Handler, self._answer)

    def start(self) -> None:
        """Serve in the background until `stop`."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="query-socket", daemon=True).start()

    def stop(self) -> None:
        """Stop serving, remove the socket and close what is idle."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)
        while not self._idle.empty():
            self._idle.get().close()

    def _answer(self, sql: str, fmt: str, parameters: Parameters | None) -> bytes:
        with self._store() as store:
            return read(store, sql, fmt, parameters)

    @contextmanager
    def _store(self) -> Iterator[Store]:
        try:
            store = self._idle.get_nowait()
        except queue.Empty:
            store = self._connect()
        try:
            yield store
        finally:
            self._idle.put(store)


class SocketServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One thread a client; the socket is the owner's alone."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: str, handler: type[socketserver.StreamRequestHandler], answer: Answer) -> None:
        super().__init__(path, handler)
        self.answer = answer

    def server_bind(self) -> None:
        """Bind so that the socket is never open to others, not for a moment."""
        before = os.umask(0o177)
        try:
            super().server_bind()
        finally:
            os.umask(before)


class _Handler(socketserver.StreamRequestHandler):
    timeout = PATIENCE_SECONDS

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, SocketServer)  # noqa: S101 - narrows the type
        try:
            line = self.rfile.readline(LONGEST_REQUEST)
            if line:  # else somebody only looked whether we are here
                self.wfile.write(_respond(server.answer, line))
        except OSError as error:
            log.debug("a client of the query socket is gone: %r", error)


def _respond(answer: Answer, line: bytes) -> bytes:
    """The response to one request, whatever it is: no client may end with a broken connection and no reason."""
    try:
        request = json.loads(line)
        sql, fmt = str(request["sql"]), str(request["format"])
        parameters = dict(request.get("parameters") or {}) or None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return framed(b"-", f"wanted a JSON line with sql and format, at most {LONGEST_REQUEST:,} bytes: {error!r}".encode())
    try:
        return framed(b"+", answer(sql, fmt, parameters))
    except CitybrainError as error:
        return framed(b"-", str(error).encode())
    except Exception as error:  # a defect of ours; the client has to hear of it, and the next one is served
        log.exception("a query failed")
        return framed(b"-", repr(error).encode())


def framed(mark: bytes, answer: bytes) -> bytes:
    """An answer with its mark (+ or -) and length."""
    return mark + len(answer).to_bytes(8, "big") + answer


def listens(path: Path) -> bool:
    """Whether an owner is behind the socket; one that was killed leaves the file."""
    check_length(path)
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def ask(path: Path, sql: str, fmt: str, parameters: Parameters | None = None) -> bytes:
    """Ask the owner. StoreUnavailable when nobody listens or it goes away, RemoteQueryFailed when it says no."""
    check_length(path)
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            request = {"sql": sql, "format": fmt, "parameters": dict(parameters or {})}
            connection.sendall(json.dumps(request).encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            response = b"".join(iter(lambda: connection.recv(1 << 20), b""))
        except OSError as error:
            raise StoreUnavailable("query", 0, f"nobody answers at {path}: {error}") from error
    mark, length, answer = response[:1], response[1:9], response[9:]
    if len(length) < 8 or len(answer) != int.from_bytes(length, "big"):
        raise StoreUnavailable("query", 0, f"the owner of the store went away before its answer was whole ({path})")
    if mark != b"+":
        raise RemoteQueryFailed(answer.decode(errors="replace"))
    return answer


def check_length(path: Path) -> None:
    """BadSettings when a path is too long for a Unix socket."""
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        message = f"{path}: the path of a Unix socket has at most {LONGEST_PATH} bytes, this one has {length}; take a shorter --data-dir"
        raise BadSettings(message)
