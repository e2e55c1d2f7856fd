"""`citybrain load`."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from contextlib import closing as closed
from pathlib import Path

import click

from citybrain.catalogue_folder import catalogue_of
from citybrain.metrics_server import serve_metrics
from citybrain.options import data_dir_option, json_option, print_json
from citybrain.places_file import read_places
from citybrain.query_socket import QueryServer
from citybrain.reading import SOCKET
from citybrain.running import LOADER_LOCK, hold, located
from citybrain.settings import Settings
from citybrain.store_socket import MAINTENANCE, StoreServer
from citybrain.tiers_file import configured_tiers
from citybrain.watchdog import Watchdog

READY_SECONDS = 60.0


@click.command()
@data_dir_option
@click.option("--skip-gone", is_flag=True, help="Go on behind records that retention removed before they were stored.")
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, skip_gone: bool, as_json: bool) -> None:
    """Run one loader: store blocks of citybrain.risk and alerts of citybrain.alerts, each once in effect.

    Of several loaders one also keeps response figures, so that they are quick to ask, and writes what dashboards read
    of whole months and what is published (v_public_*): once a minute, less often where that takes long.

    With a chDB folder as CITYBRAIN_CLICKHOUSE__URL this process owns the folder and answers `citybrain query` by a
    socket in the data folder. Tables are brought up to date first.

    \b
    Examples:
      citybrain load
      CITYBRAIN_CLICKHOUSE__URL=http://loader:secret@clickhouse-1:8123/city citybrain load
    """
    from sinks.keeper import Keeper
    from sinks.loader import Loader, LoaderOptions
    from sinks.migrate import fill_lookups, migrate
    from sinks.store import INSERT_RECEIVE_SECONDS, Store
    from streams.redact import redact_note

    settings = located(settings, data_dir)
    url = settings.clickhouse.url
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.metrics.port)
    with ExitStack() as closing:
        ready = threading.Event()
        if not url.startswith(("http://", "https://")):
            closing.enter_context(hold(settings.data_dir, LOADER_LOCK))

            def connect() -> Store:
                ready.wait(READY_SECONDS)  # nobody may read tables that are being made
                return Store.connect(url, readonly=True)

            server = QueryServer(settings.data_dir / SOCKET, connect)
            server.start()
            closing.callback(server.stop)

            def connect_to_write() -> Store:
                ready.wait(READY_SECONDS)
                return Store.connect(url)

            maintenance = StoreServer(settings.data_dir / MAINTENANCE, connect_to_write)
            maintenance.start()
            closing.callback(maintenance.stop)
        with closed(Store.connect(url)) as preparing:
            migrate(preparing, settings.city.time_zone)
            fill_lookups(
                preparing, read_places(settings.city.places), configured_tiers(settings.city.response_tiers),
                catalogue_of(settings.city.catalogue),
            )  # fmt: skip
            store = closing.enter_context(closed(Store.connect(url, receive_seconds=INSERT_RECEIVE_SECONDS)))
        ready.set()
        if as_json:
            print_json({"part": "load", "store": url.rsplit("@", 1)[-1], "broker": settings.broker.bootstrap})
        watchdog = Watchdog("loader")
        watchdog.start()
        options = LoaderOptions(
            skip_gone=skip_gone,
            redact=redact_note if settings.work.keep_text else None,
            begun=watchdog.begun,
            advanced=watchdog.advanced,
        )
        loader = Loader(settings.broker, store, options)
        with Keeper(store, loader.has_first):
            loader.run(stop)
