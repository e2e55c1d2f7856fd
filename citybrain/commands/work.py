"""`citybrain work`."""

from __future__ import annotations

import click

from citybrain.metrics_server import serve_metrics
from citybrain.options import json_option, print_json
from citybrain.places_file import read_places
from citybrain.settings import Settings
from citybrain.watchdog import Watchdog


@click.command()
@click.option("--skip-gone", is_flag=True, help="Go on behind records that retention removed before they were read.")
@json_option
@click.pass_obj
def command(settings: Settings, skip_gone: bool, as_json: bool) -> None:
    """Run one worker: read raw topics, validate, locate, classify, redact, send blocks.

    Runs until SIGTERM or Ctrl-C, then drains. One process a core; give each its own CITYBRAIN_WORK__INSTANCE.
    A worker that has a block in hand and does not get on for two minutes ends itself, to be started again.

    \b
    Examples:
      citybrain work
      CITYBRAIN_BROKER__BOOTSTRAP=kafka-1:9092 CITYBRAIN_CITY__PLACES=city.geojson citybrain work
    """
    from streams.worker import WorkerOptions, run

    if as_json:
        print_json({"part": "work", "instance": settings.work.instance, "broker": settings.broker.bootstrap})
    serve_metrics(settings.metrics.port)
    watchdog = Watchdog(f"worker {settings.work.instance}")
    watchdog.start()
    run(
        WorkerOptions(
            broker=settings.broker,
            places=read_places(settings.city.places),
            block_age_ms=settings.work.block_age_ms,
            keep_text=settings.work.keep_text,
            model=settings.work.model,
            instance=settings.work.instance,
            skip_gone=skip_gone,
            most_per_second=settings.work.most_per_second,
            begun=watchdog.begun,
            advanced=watchdog.advanced,
        )
    )
