"""Questions with parameters, answered in rows: what the view asks with, whoever owns the store."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from citybrain.query_socket import ask
from citybrain.reading import SOCKET, open_query
from citybrain.readonly import read
from citybrain.running import located
from citybrain.settings import Settings
from sinks.store import Store

Ask = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
"""(SELECT with `{name:Type}`, values the engine fills in) -> rows by column name."""


def open_asking(settings: Settings, data_dir: Path | None = None) -> Ask:
    """How to ask, from many threads. StoreUnavailable when there is no store at that place."""
    settings = located(settings, data_dir)
    url, socket = settings.clickhouse.url, settings.data_dir / SOCKET
    if url.startswith(("http://", "https://")):
        return asking_store(lambda: Store.connect(url, readonly=True))
    open_query(settings, data_dir)("SELECT 1", "TSV")  # waits for a deployment that is starting, and says what is missing
    if socket.exists():
        return lambda sql, values: _rows(ask(socket, sql, "ArrowStream", values))
    return asking_store(lambda: Store.connect(url, readonly=True))


def asking_store(connect: Callable[[], Store]) -> Ask:
    """The same over connections of our own: one a thread, because a connection is blocked by its own query."""
    own = threading.local()

    def run(sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        if not hasattr(own, "store"):
            own.store = connect()
        return _rows(read(own.store, sql, "ArrowStream", values))

    return run


def _rows(stream: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.ipc.open_stream(io.BytesIO(stream)).read_all().to_pylist()
    return rows
