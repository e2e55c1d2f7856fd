"""Maintenance of an embedded store through the process that owns it: a second socket, private to the owner of the folder.

The query socket only reads. Here `audit --repair`, `backup` and the like run statements and inserts, by the same Store as
on a server. A request is {"call", "sql", "parameters", "format", "table", "token", "length"}, for an insert followed by `length`
bytes: of an Arrow stream, or of the format it names (citybrain/owner_socket.py, docs/decisions/0036).
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from citybrain.owner_socket import More, OwnerSocket, exchange, framed
from schemas.errors import CitybrainError, StoreRefused, StoreUnavailable
from sinks.store import Store

log = logging.getLogger(__name__)

MAINTENANCE: Final = "maintenance.sock"
"""In the data folder."""


class StoreServer(OwnerSocket):
    """Runs what it is asked, each request on a connection of its own."""

    def __init__(self, path: Path, connect: Callable[[], Store]) -> None:
        super().__init__(path)
        self._connect = connect

    def respond(self, line: bytes, more: More) -> bytes:
        """The answer to one call."""
        try:
            request = json.loads(line)
            with closing(self._connect()) as store:
                return framed(b"+", _run(store, request, more))
        except StoreRefused as error:
            return _refusal("refused", error.table, error.cause)
        except CitybrainError as error:
            return _refusal("unavailable", "store", str(error))
        except Exception as error:  # a defect of ours; the client has to hear of it
            log.exception("maintenance failed")
            return _refusal("refused", "store", repr(error))


def _refusal(kind: str, what: str, text: str) -> bytes:
    return framed(b"-", json.dumps({"kind": kind, "what": what, "text": text}).encode())


def _run(store: Store, request: Mapping[str, Any], more: More) -> bytes:
    match request["call"]:
        case "command":
            store.command(request["sql"])
        case "query":
            return _as_stream(store.query_arrow(request["sql"], request["parameters"]))
        case "raw":
            return store.raw(request["sql"], request["format"], request["parameters"])
        case "insert":
            store.insert(request["table"], pa.ipc.open_stream(_body(request, more)).read_all(), request["token"])
        case "insert_raw":
            store.insert_raw(request["table"], _body(request, more), request["format"], request["token"])
        case other:
            message = f"no such call: {other!r}"
            raise StoreRefused("store", message)
    return b""


def _body(request: Mapping[str, Any], more: More) -> bytes:
    length = int(request["length"])
    body = more(length)
    if len(body) < length:
        message = f"an insert of {length} bytes ended after {len(body)}"
        raise StoreUnavailable(request["table"], 0, message)
    return body


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

    def raw_query(self, sql: str, parameters: dict[str, Any] | None = None, fmt: str = "Native") -> bytes:
        """A SELECT in a format of ClickHouse."""
        return self._ask({"call": "raw", "sql": sql, "parameters": parameters, "format": fmt})

    def raw_insert(self, table: str, *, insert_block: bytes, fmt: str, settings: Mapping[str, Any]) -> None:
        """Insert bytes in a format of ClickHouse; of the settings only the token is not the owner's own."""
        token = settings["insert_deduplication_token"]
        self._ask(
            {"call": "insert_raw", "table": table, "token": token, "format": fmt, "length": len(insert_block)}, insert_block
        )

    def close(self) -> None:
        """Nothing is held."""

    def _ask(self, request: dict[str, Any], body: bytes = b"") -> bytes:
        fine, answer = exchange(self._path, json.dumps(request).encode() + b"\n" + body, "store")
        if fine:
            return answer
        said = json.loads(answer)
        if said["kind"] == "refused":
            raise StoreRefused(said["what"], said["text"])
        raise StoreUnavailable(said["what"], 0, said["text"])


def remote_store(path: Path) -> Store:
    """A Store whose client is the owner of a chDB folder."""
    return Store(SocketClient(path), lambda: remote_store(path))
