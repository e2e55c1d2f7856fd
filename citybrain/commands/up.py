"""`citybrain up`."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import click

from citybrain.metrics_server import METRICS, SHARED, clear_metrics, serve_metrics
from citybrain.options import data_dir_option, json_option, print_json
from citybrain.places_file import read_places
from citybrain.running import AlreadyRunning, running_in
from citybrain.settings import Settings
from schemas.errors import BadSettings

LOOK_SECONDS = 0.5


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Run a whole local deployment until Ctrl-C: Kafka, workers, loader with embedded ClickHouse, metrics.

    Kafka listens on the loopback port of CITYBRAIN_BROKER__BOOTSTRAP, so that `citybrain city`, `citybrain replay` and
    your own producers reach it. A part that dies is started again with growing pauses. Starting again in the same
    folder goes on where it stopped. CITYBRAIN_CITY__PLACES names the grids of your city.

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
    os.environ[SHARED] = str(folder / METRICS)
    clear_metrics(folder / METRICS)
    # Only now: prometheus-client looks for the folder when it is first imported.
    from citybrain.deployment import Deployment

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    metrics_port = settings.metrics.port or _free_port()
    metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
    deployment = Deployment(
        settings, folder, read_places(settings.city.places), kafka_port=_port(settings), metrics_url=metrics_url
    )
    try:
        deployment.start()
        serve_metrics(metrics_port)
        _say(deployment.broker.bootstrap, folder, metrics_url, as_json=as_json)
        while True:
            deployment.supervisor.look()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
    finally:
        deployment.stop()


def _say(bootstrap: str, folder: Path, metrics_url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"bootstrap": bootstrap, "data_dir": str(folder), "metrics": metrics_url, "pid": os.getpid()})
        return
    click.echo(f"Kafka       {bootstrap}")
    click.echo(f"ClickHouse  {folder / 'clickhouse'} (embedded); ask it in another terminal:")
    click.echo(f'            citybrain query "SHOW TABLES" --data-dir {folder}')
    click.echo(f"metrics     {metrics_url}")
    click.echo(f"logs        {folder / 'logs'}")
    click.echo("Ctrl-C ends it; what is stored stays", nl=True)


def _port(settings: Settings) -> int:
    """The loopback port that the settings promise to producers. BadSettings when it is not ours to take."""
    host, _, port = settings.broker.bootstrap.rpartition(":")
    if host not in {"127.0.0.1", "localhost"} or not port.isdigit():
        message = (
            f"CITYBRAIN_BROKER__BOOTSTRAP is {settings.broker.bootstrap!r}: `up` starts a Kafka of its own on loopback, as "
            "127.0.0.1:9092. For a Kafka of yours run `citybrain work` and `citybrain load` instead"
        )
        raise BadSettings(message)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            message = f"port {port} is taken ({error}); set CITYBRAIN_BROKER__BOOTSTRAP to another, as 127.0.0.1:9192"
            raise BadSettings(message) from error
    return int(port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
