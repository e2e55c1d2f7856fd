"""`citybrain watch`."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from pathlib import Path

import click

from citybrain.metrics_server import serve_metrics
from citybrain.options import data_dir_option, json_option, print_json
from citybrain.running import located
from citybrain.settings import Settings


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Run the watch: detectors over the aggregates, alerts to citybrain.alerts.

    Its clock is the event time of what is stored, never the wall clock: history played back raises the alerts it would
    have raised then, under the same ids, and a restart raises none again. Runs until SIGTERM or Ctrl-C. One is enough;
    docs/watch.md says what it looks for.

    \b
    Examples:
      citybrain watch --data-dir demo-data
      CITYBRAIN_CLICKHOUSE__URL=http://reader:secret@clickhouse-1:8123/city citybrain watch
      citybrain query "SELECT at, level, area, incident_class, observed, expected FROM v_alerts ORDER BY at"
    """
    from citybrain.reading import open_query
    from streams.watch import Watch, WatchOptions
    from streams.watch_log import WatchLog

    settings = located(settings, data_dir)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.metrics.port)
    query = open_query(settings, data_dir)
    options = WatchOptions(
        time_zone=settings.city.time_zone,
        lateness=timedelta(minutes=settings.watch.lateness_minutes),
        cool_down=timedelta(hours=settings.watch.cool_down_hours),
        look_back=timedelta(days=settings.watch.look_back_days),
        q=settings.watch.false_share,
    )
    if as_json:
        print_json({"part": "watch", "broker": settings.broker.bootstrap})
    with WatchLog(settings.broker) as log:
        Watch(query, log, options).run(stop)
