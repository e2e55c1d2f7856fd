"""`citybrain load`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from citybrain.metrics_server import serve_metrics
from citybrain.options import data_dir_option, json_option, print_json
from citybrain.places_file import read_places
from citybrain.query_socket import QueryServer
from citybrain.reading import SOCKET
from citybrain.settings import Settings


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Run one loader: store blocks of citybrain.risk in ClickHouse, each once in effect.

    With a chDB folder as CITYBRAIN_CLICKHOUSE__URL this process owns the folder and answers `citybrain query` by a
    socket in the data folder. Tables are brought up to date first.

    \b
    Examples:
      citybrain load
      CITYBRAIN_CLICKHOUSE__URL=http://loader:secret@clickhouse-1:8123/city citybrain load
    """
    from sinks.loader import Loader
    from sinks.migrate import fill_lookups, migrate
    from sinks.store import Store

    url = settings.clickhouse.url
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.metrics.port)
    store = Store.connect(url)
    migrate(store, settings.city.time_zone)
    fill_lookups(store, read_places(settings.city.places))
    server = None
    if not url.startswith(("http://", "https://")):
        folder = data_dir if data_dir is not None else settings.data_dir
        server = QueryServer(folder / SOCKET, lambda: Store.connect(url, readonly=True))
        server.start()
    if as_json:
        print_json({"part": "load", "store": url.rsplit("@", 1)[-1], "broker": settings.broker.bootstrap})
    try:
        Loader(settings.broker, store).run(stop)
    finally:
        if server:
            server.stop()
        store.close()
