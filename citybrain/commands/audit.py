"""`citybrain audit`."""

from __future__ import annotations

from pathlib import Path

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings


@click.command()
@click.option("--repair", "mend", is_flag=True, help="Mend what is wrong, then compare again.")
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, mend: bool, data_dir: Path | None, as_json: bool) -> None:
    """Compare the raw log with ClickHouse, record by record. Exit code 1 unless nothing is lost and nothing is twice.

    Reads the log with a parser of its own: each record has to be in exactly one of events, rejected, or repeated.
    Every bucket of every aggregate is recounted. What is past retention is reported as not checkable.

    With --repair a store that is not clean is mended while all loaders are held: copies and later repeats are removed,
    missing records are read from the log again, the ledger follows the tables, and aggregates that differ are counted
    again beside and exchanged. Then it compares once more; the exit code is of that. Give it the settings of the workers.

    \b
    Examples:
      citybrain audit --data-dir demo-data
      citybrain audit --json
      citybrain audit --repair --data-dir demo-data
    """
    from citybrain.metrics_server import share_metrics
    from citybrain.running import located

    share_metrics(located(settings, data_dir).data_dir)  # before the metrics are imported
    from citybrain.audit import AuditReport, run_audit
    from citybrain.mending import repair_all
    from citybrain.reading import as_arrow, open_query
    from citybrain.report import audit_lines

    settings = located(settings, data_dir)

    def compare() -> AuditReport:
        return run_audit(settings.broker, as_arrow(open_query(settings, data_dir)), settings.city.time_zone)

    report = compare()
    if mend and not report.clean:
        done = repair_all(settings, data_dir)
        if not as_json:
            click.echo(f"repaired: {', '.join(f'{name} {count}' for name, count in done.items())}", err=True)
        report = compare()
    if as_json:
        print_json(report.to_dict())
    else:
        for line in audit_lines(report):
            click.echo(line)
    if not report.clean:
        raise SystemExit(1)
