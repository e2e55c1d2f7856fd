"""Maintenance of an embedded store through the process that owns it: a second socket, private to the owner of the folder.

The query socket only reads. Here `audit --repair`, `backup` and the like run statements and inserts, by the same Store as
on a server. One request a connection: a JSON line {"call", "sql", "parameters", "table", "token", "length"}, for an insert
followed by `length` bytes of an Arrow stream; out comes what the query socket answers (docs/decisions/0036).
"""

from __future__ import annotations

import io
import json
import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from citybrain.query_socket import LONGEST_REQUEST, PATIENCE_SECONDS, SocketServer, check_length, framed
from schemas.errors import CitybrainError, StoreRefused, StoreUnavailable
from sinks.store import Store

log = logging.getLogger(__name__)

MAINTENANCE: Final = "maintenance.sock"
"""In the data folder."""


class StoreServer:
    """Runs what it is asked in threads of its own, each request on a connection of its own."""

    def __init__(self, path: Path, connect: Callable[[], Store]) -> None:
        check_length(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._path = path
        self._server = _Server(path, connect)

    def start(self) -> None:
        """Serve in the background until `stop`."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="store-socket", daemon=True).start()

    def stop(self) -> None:
        """Stop serving and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(SocketServer):
    def __init__(self, path: Path, connect: Callable[[], Store]) -> None:
        super().__init__(str(path), _Handler, lambda *_: b"")
        self.connect = connect


class _Handler(socketserver.StreamRequestHandler):
    timeout = PATIENCE_SECONDS

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - narrows the type
        try:
            line = self.rfile.readline(LONGEST_REQUEST)
            if line:  # else somebody only looked whether we are here
                self.wfile.write(_respond(server.connect, line, self.rfile.read))
        except OSError as error:
            log.debug("a client of the store socket is gone: %r", error)


def _respond(connect: Callable[[], Store], line: bytes, more: Callable[[int], bytes]) -> bytes:
    try:
        request = json.loads(line)
        store = connect()
        try:
            return framed(b"+", _run(store, request, more))
        finally:
            store.close()
    except StoreRefused as error:
        return framed(b"-", json.dumps({"kind": "refused", "what": error.table, "text": error.cause}).encode())
    except CitybrainError as error:
        return framed(b"-", json.dumps({"kind": "unavailable", "what": "store", "text": str(error)}).encode())
    except Exception as error:  # a defect of ours; the client has to hear of it
        log.exception("maintenance failed")
        return framed(b"-", json.dumps({"kind": "refused", "what": "store", "text": repr(error)}).encode())


def _run(store: Store, request: Mapping[str, Any], more: Callable[[int], bytes]) -> bytes:
    match request["call"]:
        case "command":
            store.command(request["sql"])
        case "query":
            return _as_stream(store.query_arrow(request["sql"], request["parameters"]))
        case "insert":
            length = int(request["length"])
            body = more(length)
            if len(body) < length:
                message = f"an insert of {length} bytes ended after {len(body)}"
                raise StoreUnavailable(request["table"], 0, message)
            store.insert(request["table"], pa.ipc.open_stream(body).read_all(), request["token"])
        case other:
            message = f"no such call: {other!r}"
            raise StoreRefused("store", message)
    return b""


def _as_stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


class Answer(NamedTuple):
    """Rows of a query, as Store reads them from a client."""

    result_rows: list[tuple[Any, ...]]


class SocketClient:
    """What Store needs of a ClickHouse client, over the owner's socket. Errors come out as Store's own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def command(self, sql: str) -> None:
        """Run a statement that returns nothing."""
        self._ask({"call": "command", "sql": sql})

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Answer:
        """Rows of a SELECT."""
        columns = [column.to_pylist() for column in self.query_arrow(sql, parameters).columns]
        return Answer(list(zip(*columns, strict=True)))

    def query_arrow(self, sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        """A SELECT as an Arrow table."""
        answer = self._ask({"call": "query", "sql": sql, "parameters": parameters})
        return pa.ipc.open_stream(answer).read_all()

    def insert_arrow(self, table: str, rows: pa.Table, settings: Mapping[str, Any]) -> None:
        """Insert one block; of the settings only the token is not the owner's own."""
        body = _as_stream(rows)
        self._ask(
            {"call": "insert", "table": table, "token": settings["insert_deduplication_token"], "length": len(body)}, body
        )

    def close(self) -> None:
        """Nothing is held."""

    def _ask(self, request: dict[str, Any], body: bytes = b"") -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self._path))
                connection.sendall(json.dumps(request).encode() + b"\n" + body)
                connection.shutdown(socket.SHUT_WR)
                response = b"".join(iter(lambda: connection.recv(1 << 20), b""))
            except OSError as error:
                raise StoreUnavailable("store", 0, f"nobody answers at {self._path}: {error}") from error
        mark, length, answer = response[:1], response[1:9], response[9:]
        if len(length) < 8 or len(answer) != int.from_bytes(length, "big"):
            raise StoreUnavailable("store", 0, f"the owner of the store went away before its answer was whole ({self._path})")
        if mark == b"+":
            return answer
        said = json.loads(answer)
        if said["kind"] == "refused":
            raise StoreRefused(said["what"], said["text"])
        raise StoreUnavailable(said["what"], 0, said["text"])


def remote_store(path: Path) -> Store:
    """A Store whose client is the owner of a chDB folder."""
    return Store(SocketClient(path), lambda: remote_store(path))
