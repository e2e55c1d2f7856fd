"""Read and write access to the store for maintenance, whoever owns it (docs/decisions/0036)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citybrain.owner_socket import listens
from citybrain.reading import came
from citybrain.running import LOADER_LOCK, hold, located, running_in
from citybrain.settings import Settings
from citybrain.store_socket import MAINTENANCE, remote_store
from schemas.errors import StoreUnavailable
from sinks.store import Store


@contextmanager
def open_store(settings: Settings, data_dir: Path | None = None) -> Iterator[Store]:
    """A server by its URL; a chDB folder through the loader that owns it, or, when none runs, as its owner.

    StoreUnavailable when there is no store at that place.
    """
    settings = located(settings, data_dir)
    url, socket = settings.clickhouse.url, settings.data_dir / MAINTENANCE
    if not url.startswith(("http://", "https://")):
        if running_in(settings.data_dir) and not came(socket):
            raise StoreUnavailable("store", 0, f"a deployment runs in {settings.data_dir}, but its loader does not answer")
        if listens(socket):
            yield remote_store(socket)
            return
        if not Path(url.removeprefix("chdb://")).exists():
            raise StoreUnavailable("store", 0, f"no store at {url}; give --data-dir of a running or finished `up` or `demo`")
        with hold(settings.data_dir, LOADER_LOCK):
            yield from _opened(url)
        return
    yield from _opened(url)


def _opened(url: str) -> Iterator[Store]:
    store = Store.connect(url)
    try:
        yield store
    finally:
        store.close()
