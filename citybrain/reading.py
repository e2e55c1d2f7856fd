"""Read-only access to the store, whoever owns it: by the owner's socket while it runs, else directly."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from citybrain.query_socket import ask
from citybrain.readonly import check_readonly
from citybrain.settings import Settings
from schemas.errors import StoreUnavailable
from sinks.store import Store

Query = Callable[[str, str], bytes]
"""(SQL, output format of ClickHouse) -> bytes."""
SOCKET = "query.sock"


def open_query(settings: Settings, data_dir: Path | None = None) -> Query:
    """How to ask. StoreUnavailable when there is no store at that place."""
    url = settings.clickhouse.url
    if data_dir:
        url = str(data_dir / "clickhouse")
    socket = (data_dir or settings.data_dir) / SOCKET
    remote = url.startswith(("http://", "https://"))
    if not remote and socket.exists():
        return lambda sql, fmt: ask(socket, check_readonly(sql), fmt)
    if not remote and not Path(url.removeprefix("chdb://")).exists():
        raise StoreUnavailable("query", 0, f"no store at {url}; give --data-dir of a running or finished `up` or `demo`")
    store = Store.connect(url, readonly=True)
    return lambda sql, fmt: store.raw(check_readonly(sql), fmt)


def as_arrow(query: Query) -> Callable[[str], pa.Table]:
    """The same, answering with Arrow tables."""

    def run(sql: str) -> pa.Table:
        return pa.ipc.open_stream(io.BytesIO(query(sql, "ArrowStream"))).read_all()

    return run
