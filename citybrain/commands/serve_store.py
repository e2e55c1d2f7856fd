"""`citybrain serve-store`."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.query_socket import QueryServer
from citybrain.reading import SOCKET
from citybrain.running import LOADER_LOCK, hold, located
from citybrain.settings import Settings
from citybrain.store_socket import MAINTENANCE, StoreServer
from schemas.errors import BadSettings


@click.command()
@data_dir_option
@click.option("--port", default=8123, show_default=True, type=click.IntRange(0, 65_535), help="Loopback port; 0: any free one.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Password of user `default`. Without it everybody on this machine may read and write.",
)
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, port: int, password_file: Path | None, as_json: bool) -> None:
    """Own the embedded store and answer ClickHouse's HTTP protocol on 127.0.0.1, so that several processes share it.

    Loaders then reach it as they would reach a server; `citybrain query`, `status`, `audit` and its --repair with the same --data-dir
    find it too. Runs until SIGTERM or Ctrl-C.

    \b
    Examples:
      citybrain serve-store --data-dir city-data --port 8123
      CITYBRAIN_CLICKHOUSE__URL=http://127.0.0.1:8123/ citybrain load       (in other terminals, one a core)
    """
    from citybrain.http_face.engine import Engine
    from citybrain.http_face.server import FaceServer
    from sinks.migrate import migrate
    from sinks.store import Store

    settings = located(settings, data_dir)
    if settings.clickhouse.url.startswith(("http://", "https://")):
        message = f"CITYBRAIN_CLICKHOUSE__URL is {settings.clickhouse.url.rsplit('@', 1)[-1]}; wanted a folder to serve: give --data-dir"
        raise BadSettings(message)
    folder = Path(settings.clickhouse.url.removeprefix("chdb://"))
    password = password_file.read_text(encoding="utf-8").strip() if password_file else ""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as closing:
        closing.enter_context(hold(settings.data_dir, LOADER_LOCK))
        engine = Engine(folder)
        closing.callback(engine.close)
        store = Store.connect(str(folder))
        migrate(store, settings.city.time_zone)  # once, before loaders come: they may come at the same time
        store.close()
        queries = QueryServer(settings.data_dir / SOCKET, lambda: Store.connect(str(folder), readonly=True))
        queries.start()
        closing.callback(queries.stop)
        maintenance = StoreServer(settings.data_dir / MAINTENANCE, lambda: Store.connect(str(folder)))
        maintenance.start()
        closing.callback(maintenance.stop)
        face = FaceServer(engine.run, port=port, password=password, version=engine.version)
        face.start()
        closing.callback(face.stop)
        url = f"http://127.0.0.1:{face.port}/"
        if as_json:
            print_json({"part": "serve-store", "store": str(folder), "url": url, "version": engine.version})
        else:
            click.echo(f"ClickHouse {engine.version} in {folder} at {url}")
        stop.wait()
