"""Queries to the process that owns the store, over a Unix socket in the data folder.

One process owns a chDB folder; every other command on the machine asks it here. One request a connection: a JSON line
{"sql", "format"} in, one byte (+ or -) and the answer out.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path

from citybrain.readonly import check_readonly
from schemas.errors import CitybrainError, StoreUnavailable
from sinks.store import Store

log = logging.getLogger(__name__)
Answer = Callable[[str, str], bytes]


class RemoteQueryFailed(CitybrainError):
    """The owner of the store refused or could not run a query; the text says why."""


class QueryServer:
    """Answers read-only queries in threads of its own, each with its own store connection."""

    def __init__(self, path: Path, connect: Callable[[], Store]) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        local = threading.local()

        def answer(sql: str, fmt: str) -> bytes:
            if not hasattr(local, "store"):
                local.store = connect()
            store: Store = local.store
            return store.raw(check_readonly(sql), fmt)

        self._server = _Server(str(path), _Handler, answer)
        os.chmod(path, 0o600)  # noqa: PTH101 - the server has made the socket just now

    def start(self) -> None:
        """Serve in the background until `stop`."""
        threading.Thread(target=self._server.serve_forever, name="query-socket", daemon=True).start()

    def stop(self) -> None:
        """Stop serving and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, handler: type[socketserver.StreamRequestHandler], answer: Answer) -> None:
        super().__init__(path, handler)
        self.answer = answer


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - narrows the type
        line = self.rfile.readline()
        if not line:
            return  # somebody only looked whether we are here
        try:
            request = json.loads(line)
            answer = b"+" + server.answer(request["sql"], request["format"])
        except CitybrainError as error:
            answer = b"-" + str(error).encode()
        except (ValueError, KeyError) as error:
            answer = b"-" + f"wanted a JSON line with sql and format: {error!r}".encode()
        self.wfile.write(answer)


def listens(path: Path) -> bool:
    """Whether an owner is behind the socket; one that was killed leaves the file."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def ask(path: Path, sql: str, fmt: str) -> bytes:
    """Ask the owner. StoreUnavailable when nobody listens, RemoteQueryFailed when it says no."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError as error:
            raise StoreUnavailable("query", 0, f"nobody answers at {path}: {error}") from error
        connection.sendall(json.dumps({"sql": sql, "format": fmt}).encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    if answer[:1] != b"+":
        raise RemoteQueryFailed(answer[1:].decode(errors="replace") or "the owner of the store closed the connection")
    return answer[1:]
