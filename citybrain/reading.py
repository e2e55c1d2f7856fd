"""Read-only access to the store, whoever owns it: by the owner's socket while it runs, else directly."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from citybrain.owner_socket import listens
from citybrain.query_socket import ask
from citybrain.readonly import check_format, check_readonly, read
from citybrain.running import located, running_in
from citybrain.settings import Settings
from schemas.errors import StoreUnavailable
from sinks.store import Store

Query = Callable[[str, str], bytes]
"""(SQL, output format of ClickHouse) -> bytes."""
SOCKET = "query.sock"
START_SECONDS = 60.0


def open_query(settings: Settings, data_dir: Path | None = None) -> Query:
    """How to ask. StoreUnavailable when there is no store at that place."""
    settings = located(settings, data_dir)
    url, socket = settings.clickhouse.url, settings.data_dir / SOCKET
    if url.startswith(("http://", "https://")):
        return _direct(url)
    if running_in(settings.data_dir) and not came(socket):
        cause = (
            f"a deployment runs in {settings.data_dir}, but its loader did not answer in {START_SECONDS:.0f} s; see "
            f"{settings.data_dir / 'logs' / 'load.log'}"
        )
        raise StoreUnavailable("query", 0, cause)
    if listens(socket):
        return lambda sql, fmt: ask(socket, check_readonly(sql), check_format(fmt))
    if not Path(url.removeprefix("chdb://")).exists():
        raise StoreUnavailable("query", 0, f"no store at {url}; give --data-dir of a running or finished `up` or `demo`")
    return _direct(url)


def _direct(url: str) -> Query:
    store = Store.connect(url, readonly=True)
    return lambda sql, fmt: read(store, sql, fmt)


def came(socket: Path) -> bool:
    """A starting deployment's loader makes the socket before long; opening its folder meanwhile would get in its way."""
    deadline = time.monotonic() + START_SECONDS
    while not (found := listens(socket)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def as_arrow(query: Query) -> Callable[[str], pa.Table]:
    """The same, answering with Arrow tables."""

    def run(sql: str) -> pa.Table:
        return pa.ipc.open_stream(io.BytesIO(query(sql, "ArrowStream"))).read_all()

    return run
