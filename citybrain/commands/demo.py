"""`citybrain demo`."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citybrain.options import print_json
from citybrain.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from citybrain.deployment import Deployment


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", help="How to read FILES: the name of a shipped mapping, or a YAML file.")
@click.option("--events", default=1_000_000, show_default=True, help="At least so many records of the simulated city.")
@click.option("--seed", default=1, show_default=True, help="Seed of the simulated city.")
@click.option("--quiet", is_flag=True, help="The same city without its bursts: how many alarms are false?")
@click.option("--exit", "leave", is_flag=True, help="End after the report, even on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="The last line of standard output is one JSON object.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this folder, else in a temporary one.",
)
@click.pass_obj
def command(
    settings: Settings,
    files: tuple[Path, ...],
    mapping: str | None,
    events: int,
    seed: int,
    quiet: bool,
    leave: bool,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Play a city through a real Kafka, Faust and ClickHouse, and end with a report and the audit.

    Without FILES: six simulated weeks of the model city, then a day on top. With FILES: your own data, by a mapping.
    On a terminal it stays up after the report and prints the address of its page, over which the simulated city goes on,
    until Ctrl-C; --exit, --json or a pipe end it.

    \b
    Examples:
      citybrain demo
      citybrain demo --exit --json --data-dir demo-data
      citybrain demo calls.csv.gz --mapping houston --exit
    """
    from rich.console import Console

    from citybrain.demo import city_play, file_play, run_demo
    from citybrain.deployment import Deployment
    from citybrain.report import show_report

    if files and not mapping:
        raise click.UsageError("FILES need --mapping; docs/mappings.md lists the shipped ones")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=as_json, width=None if sys.stdout.isatty() else 118)
    temporary = data_dir is None
    folder = data_dir or Path(tempfile.mkdtemp(prefix="citybrain-demo-"))
    play = file_play(files, mapping) if files and mapping else city_play(settings, events, seed, quiet=quiet)
    try:
        with console.status("starting Kafka, worker and ClickHouse"):
            deployment = Deployment(settings, folder, play.places)
            deployment.start()
        try:
            report = run_demo(settings, deployment, play, console)
            show_report(console, report)
            if not (leave or as_json) and sys.stdout.isatty():
                _stay(settings, deployment, console, [] if files else ["--events", str(events), "--seed", str(seed)])
                while True:
                    deployment.supervisor.look()
                    time.sleep(1)
        except KeyboardInterrupt:
            console.print("stopping")
            return
        finally:
            deployment.stop()
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json(report.to_dict())
    if not report.audit.clean:
        raise SystemExit(1)


def _stay(settings: Settings, deployment: Deployment, console: Console, live: list[str]) -> None:
    """Serve the page and say how to look at it."""
    from citybrain.demo_page import open_page

    with console.status("starting the page"):
        url = open_page(settings, deployment, live)
    console.print(f"\nthe page     {url}", soft_wrap=True, highlight=False)
    console.print(
        f'by query     citybrain query "SHOW TABLES" --data-dir {deployment.data_dir}', soft_wrap=True, highlight=False
    )
    console.print("Ctrl-C ends it")
