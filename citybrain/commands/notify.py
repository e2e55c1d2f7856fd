"""`citybrain notify`."""

from __future__ import annotations

import signal
import threading

import click

from citybrain.metrics_server import serve_metrics
from citybrain.options import json_option, print_json
from citybrain.settings import Settings
from schemas.errors import BadSettings


@click.command()
@json_option
@click.pass_obj
def command(settings: Settings, as_json: bool) -> None:
    """Tell an Alertmanager of the city's alerts: those that were raised, and those that were resolved.

    Reads citybrain.alerts and sends to CITYBRAIN_ALERTMANAGER__URL until SIGTERM or Ctrl-C. `up` starts it by itself when
    that is set. An alert rings once however often it is started or the log is played again, and what history raised long
    ago rings nobody. Labels: alertname CityRisk, severity, risk_category, incident_class, area, area_level, grid, detector.

    \b
    Examples:
      CITYBRAIN_ALERTMANAGER__URL=http://127.0.0.1:9093 citybrain notify
    """
    from sinks.alertmanager import Notifier

    url = settings.alertmanager.url
    if not url:
        message = "CITYBRAIN_ALERTMANAGER__URL is not set: wanted the address of an Alertmanager, as http://127.0.0.1:9093"
        raise BadSettings(message)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.metrics.port)
    if as_json:
        print_json({"part": "notify", "alertmanager": url, "broker": settings.broker.bootstrap})
    Notifier(settings.broker, url, settings.alertmanager.link).run(stop)
