"""`citybrain audit`."""

from __future__ import annotations

from pathlib import Path

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Compare the raw log with ClickHouse, record by record. Exit code 1 unless nothing is lost and nothing is twice.

    Reads the log with a parser of its own: each record has to be in exactly one of events, rejected, or repeated.
    Every bucket of every aggregate is recounted. What is past retention is reported as not checkable.

    \b
    Examples:
      citybrain audit --data-dir demo-data
      citybrain audit --json
    """
    from citybrain.metrics_server import share_metrics
    from citybrain.running import located

    share_metrics(located(settings, data_dir).data_dir)  # before the metrics are imported
    from citybrain.audit import run_audit
    from citybrain.reading import as_arrow, open_query
    from citybrain.report import audit_lines

    report = run_audit(located(settings, data_dir).broker, as_arrow(open_query(settings, data_dir)), settings.city.time_zone)
    if as_json:
        print_json(report.to_dict())
    else:
        for line in audit_lines(report):
            click.echo(line)
    if not report.clean:
        raise SystemExit(1)
