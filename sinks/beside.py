"""A table beside another one, to be filled and put in its place."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from schemas.errors import CitybrainError
from sinks.store import Store

log = logging.getLogger(__name__)

STALE: Final = timedelta(hours=1)
"""A table that was made so long ago is of a process that was killed."""
NAMED: Final = "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '^{}_[0-9]{{8}}_[0-9]{{6}}_')"


@contextmanager
def table_beside(store: Store, table: str) -> Iterator[str]:
    """Name of an empty table like `table`, for one block. Several processes may have one each; stale ones are taken away."""
    now = datetime.now(UTC)
    for (left,) in store.query(NAMED.format(table)):
        if left < _named_from(table, now - STALE):
            store.command(f"DROP TABLE IF EXISTS {left}")
    name = f"{_named_from(table, now)}_{uuid4().hex}"
    store.command(f"CREATE TABLE {name} AS {table}")
    try:
        yield name
    finally:
        try:
            store.command(f"DROP TABLE IF EXISTS {name}")
        except CitybrainError as error:  # the next one takes it away
            log.warning("table %s is left for an hour: %s", name, error)


def _named_from(table: str, at: datetime) -> str:
    return f"{table}_{at:%Y%m%d_%H%M%S}"
