"""`citybrain up`."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import click

from citybrain.commands.view import url_of, with_tokens
from citybrain.metrics_server import METRICS, SHARED, clear_metrics, serve_metrics
from citybrain.options import data_dir_option, json_option, print_json
from citybrain.places_file import known_places
from citybrain.ports import free_port
from citybrain.running import AlreadyRunning, running_in
from citybrain.settings import Settings
from schemas.errors import BadSettings

LOOK_SECONDS = 0.5


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Run a whole local deployment until Ctrl-C: Kafka, workers, loader with embedded ClickHouse, HTTP API, metrics.

    Kafka listens on the loopback port of CITYBRAIN_BROKER__BOOTSTRAP, so that `citybrain city`, `citybrain replay` and
    your own producers reach it; metrics of all parts are served on CITYBRAIN_METRICS__PORT, without it on any free port.
    A part that dies is started again with growing pauses. Starting again in the same folder goes on where it stopped.
    CITYBRAIN_CITY__PLACES names the grids of your city; without it they are those of the last start in the folder.
    The HTTP API answers on CITYBRAIN_VIEW__PORT, without it on any free port; CITYBRAIN_VIEW__ENABLED=false leaves it out.

    \b
    Examples:
      citybrain city --places-out city.geojson
      CITYBRAIN_CITY__PLACES=city.geojson citybrain up
      citybrain city --part day --day 2026-11-20 --over-seconds 60     (in another terminal)
      citybrain status
    """
    folder = (data_dir or settings.data_dir).absolute()
    if note := running_in(folder):
        raise AlreadyRunning(folder, note["pid"])
    kafka_port = _kafka_port(settings)
    metrics_port = settings.metrics.port or free_port()
    _check_free(metrics_port, "CITYBRAIN_METRICS__PORT")
    view_port = _view_port(settings, folder) if settings.view.enabled else 0
    places = known_places(settings.city.places, folder)
    os.environ[SHARED] = str(folder / METRICS)
    clear_metrics(folder / METRICS)
    # Only now: prometheus-client looks for the folder when it is first imported.
    from citybrain.deployment import Deployment

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
    deployment = Deployment(settings, folder, places, kafka_port=kafka_port, metrics_url=metrics_url)
    try:
        deployment.start()
        if view_port:
            deployment.part("view", ["view"], {"CITYBRAIN_VIEW__PORT": str(view_port)})
        serve_metrics(metrics_port)
        _say(
            deployment.broker.bootstrap,
            folder,
            metrics_url,
            url_of(settings, view_port) if view_port else None,
            as_json=as_json,
        )
        while True:
            deployment.supervisor.look()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
    finally:
        deployment.stop()


def _say(bootstrap: str, folder: Path, metrics_url: str, view_url: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"bootstrap": bootstrap, "data_dir": str(folder), "metrics": metrics_url, "view": view_url, "pid": os.getpid()}
        )
        return
    click.echo(f"Kafka       {bootstrap}")
    click.echo(f"ClickHouse  {folder / 'clickhouse'} (embedded); ask it in another terminal:")
    click.echo(f'            citybrain query "SHOW TABLES" --data-dir {folder}')
    click.echo(f"view        {view_url or 'off (CITYBRAIN_VIEW__ENABLED)'}")
    click.echo(f"metrics     {metrics_url}")
    click.echo(f"logs        {folder / 'logs'}")
    click.echo("Ctrl-C ends it; what is stored stays")


def _kafka_port(settings: Settings) -> int:
    """The loopback port that the settings promise to producers. BadSettings when it is not ours to take."""
    host, _, port = settings.broker.bootstrap.rpartition(":")
    if host not in {"127.0.0.1", "localhost"} or not port.isdigit():
        message = (
            f"CITYBRAIN_BROKER__BOOTSTRAP is {settings.broker.bootstrap!r}: `up` starts a Kafka of its own on loopback, as "
            "127.0.0.1:9092. For a Kafka of yours run `citybrain work` and `citybrain load` instead"
        )
        raise BadSettings(message)
    _check_free(int(port), "CITYBRAIN_BROKER__BOOTSTRAP")
    return int(port)


def _view_port(settings: Settings, folder: Path) -> int:
    """The port of the view. BadSettings before anything is started: taken, or open to others without tokens."""
    from citybrain.catalogue_folder import catalogue_of
    from citybrain.view_tokens import check_bind, read_tokens

    tokens = with_tokens(settings, folder).view.tokens
    check_bind(settings.view.host, read_tokens(tokens, catalogue_of(settings.city.catalogue)))
    port = settings.view.port or free_port()
    _check_free(port, "CITYBRAIN_VIEW__PORT")
    return port


def _check_free(port: int, setting: str) -> None:
    """BadSettings when another program listens on the port, or it is none."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            message = f"{setting}: port {port} cannot be taken ({error}); set it to another, as 127.0.0.1:9192 or 9192"
            raise BadSettings(message) from error
