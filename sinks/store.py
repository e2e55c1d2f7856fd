"""One connection to ClickHouse, embedded (chDB) or by HTTP. One Store a thread; one process owns a chDB folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Self
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httputil import get_pool_manager

from schemas.errors import StoreRefused, StoreUnavailable

EXACTLY_ONCE: Final[dict[str, Any]] = {
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "async_insert": 0,
    "max_partitions_per_insert_block": 1000,
    "input_format_null_as_default": 1,
}
"""Settings of every insert; with a token they make a repeat change nothing (design.md, exactly once)."""

NEVER: Final = frozenset({6, 8, 10, 16, 27, 36, 43, 44, 47, 53, 60, 62, 70, 81, 117, 164, 192, 193, 349, 497, 516, 637})
"""ClickHouse error codes that no retry heals: wrong schema, types, rights, credentials. All others may pass."""


CONNECT_SECONDS: Final = 5
RECEIVE_SECONDS: Final = 300
"""For statements of maintenance, which may take minutes."""
INSERT_RECEIVE_SECONDS: Final = 30
"""For a loader, whose blocks take tenths of a second: one that is silent for so long is taken for gone, and the block sent again."""
KEEP_ALIVE: Final = {"keep_idle": 3, "keep_interval": 2, "keep_count": 3}
"""Seconds, seconds, probes: a server that was cut off or came back without its connections is noticed within ten seconds."""
QUERY_SECONDS = 600
"""A question that takes longer is stopped: it takes time from loading. The audit of a city's history takes less for each table."""


class Store:
    """Runs SQL. Errors come out as StoreUnavailable (try again) or StoreRefused (a person has to act)."""

    def __init__(self, client: Any, reopen: Callable[[], Store] | None = None) -> None:
        self._client, self._reopen = client, reopen

    @classmethod
    def connect(cls, url: str, *, readonly: bool = False, receive_seconds: int = RECEIVE_SECONDS) -> Self:
        """Open `http(s)://user:password@host:port/database`, or a chDB folder given as path or `chdb://path`.

        A server's answer is waited for `receive_seconds`; it is another matter whether the server is there (KEEP_ALIVE).
        StoreRefused: wrong user, password or database. StoreUnavailable: nobody answers, or the folder is taken.
        """
        settings = _limits(embedded=not url.startswith(("http://", "https://"))) if readonly else {}
        try:
            if url.startswith(("http://", "https://")):
                parts = urlsplit(url)
                client = clickhouse_connect.get_client(
                    interface=parts.scheme,
                    host=parts.hostname or "127.0.0.1",
                    port=parts.port or (8443 if parts.scheme == "https" else 8123),
                    username=parts.username or "default",
                    password=parts.password or "",
                    database=parts.path.strip("/") or "default",
                    settings=settings,
                    autogenerate_session_id=False,
                    connect_timeout=CONNECT_SECONDS,
                    send_receive_timeout=receive_seconds,
                    pool_mgr=_pool(),
                )
            else:
                client = clickhouse_connect.get_client(interface="chdb", path=url.removeprefix("chdb://"), settings=settings)
        except (ClickHouseError, OSError, RuntimeError) as error:
            if getattr(error, "code", None) in NEVER:
                message = f"cannot open {_shown(url)}: {error}"
                raise StoreRefused("store", message) from error
            cause = f"cannot open {_shown(url)}: {error}; one process owns a chDB folder, and a server has to listen at its URL"
            raise StoreUnavailable("store", 0, cause) from error
        return cls(client, lambda: cls.connect(url, readonly=readonly))

    def again(self) -> Store:
        """Another connection to the same place, for another thread or for statements that take minutes."""
        if self._reopen is None:
            raise StoreUnavailable("store", 0, "this connection was not opened by its address; it has no second one")
        return self._reopen()

    def command(self, sql: str) -> None:
        """Run a statement that returns nothing."""
        self._guard("command", 0, lambda: self._client.command(sql))

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows of a SELECT. `{name:Type}` in the text is filled by the server from `parameters`."""
        result = self._guard("query", 0, lambda: self._client.query(sql, parameters=parameters))
        return [tuple(row) for row in result.result_rows]

    def query_arrow(self, sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        """A SELECT as an Arrow table."""
        table: pa.Table = self._guard("query", 0, lambda: self._client.query_arrow(sql, parameters=parameters))
        return table

    def raw(self, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None) -> bytes:
        """A SELECT in an output format of ClickHouse, as bytes. The server fills `{name:Type}` from `parameters`."""
        filled = dict(parameters) if parameters else None
        answer: bytes = self._guard("query", 0, lambda: self._client.raw_query(sql, parameters=filled, fmt=fmt))
        return answer

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert one block under a deduplication token; the same call again changes nothing."""
        settings, block = _under(token), rows.combine_chunks()
        self._guard(table, rows.num_rows, lambda: self._client.insert_arrow(table, block, settings=settings))

    def insert_raw(self, table: str, data: bytes, fmt: str, token: str) -> None:
        """Insert bytes in a format of ClickHouse under a deduplication token; for what Arrow cannot carry, as states of aggregates."""
        settings = _under(token)
        self._guard(table, 0, lambda: self._client.raw_insert(table, insert_block=data, fmt=fmt, settings=settings))

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _guard(self, what: str, rows: int, call: Any) -> Any:
        try:
            return call()
        except ClickHouseError as error:
            text = str(error).strip().split("\n")[0]
            if getattr(error, "code", None) in NEVER:
                raise StoreRefused(what, text) from error
            raise StoreUnavailable(what, rows, text) from error
        except OSError as error:
            raise StoreUnavailable(what, rows, str(error)) from error


def _under(token: str) -> dict[str, Any]:
    """Settings of one insert."""
    return {**EXACTLY_ONCE, "insert_deduplication_token": token}


def _limits(*, embedded: bool) -> dict[str, str]:
    """Settings of a connection that only asks. The embedded engine shares the machine with the loader, so half is left to that.

    `readonly` comes last: after it nothing may be set. No `os_thread_priority`: without root a thread of the engine's pool
    would keep it, and later store blocks with it.
    """
    limits = {"max_execution_time": str(QUERY_SECONDS)}
    if embedded:
        limits["max_threads"] = str(max(1, (os.cpu_count() or 1) // 2))
        limits["max_memory_usage"] = str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return limits | {"readonly": "1"}


@cache
def _pool() -> Any:
    """Connections of all clients of this process. The environment's web proxy is not asked: a store is reached directly."""
    return get_pool_manager(**KEEP_ALIVE)


def _shown(url: str) -> str:
    """The URL without its password."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url
