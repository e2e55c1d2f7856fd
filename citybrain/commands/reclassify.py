"""`citybrain reclassify`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.places_file import known_places
from citybrain.settings import Settings

if TYPE_CHECKING:
    from citybrain.reclassify.run import Progress


@click.command()
@click.option("--apply", "change", is_flag=True, help="Change the store; without it, only show.")
@click.option(
    "--model", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A trained model to ask before the written rules; without it, the one the workers have (CITYBRAIN_WORK__MODEL).",
)  # fmt: skip
@click.option("--pairs", default=20, show_default=True, type=click.IntRange(1), help="Show at most so many pairs of classes.")
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, change: bool, model: Path | None, pairs: int, data_dir: Path | None, as_json: bool) -> None:
    """Label history again by the rules in force. Without --apply it only shows what would change.

    Each stored event is decided again: from its record while the raw log holds it; past retention from the stored code and
    readings, and from its text where the deployment keeps text. An event that nothing of this decides keeps its label.
    Only class, category, reason, evidence and version of the rules change. Examples show no text unless it is kept.

    With --apply the loaders are held, the partitions of `events` are built beside and exchanged, and the aggregates are
    counted again. New events wait in Kafka meanwhile. It may be repeated: a second time changes nothing. Killed before its
    row `begun` stands in the table `reclassifications`, it has changed nothing; killed later, it is finished by the loaders
    or by the next run. Alerts that were raised stay as they are. Run workers with the same rules and model first.

    \b
    Examples:
      citybrain reclassify --data-dir demo-data
      citybrain reclassify --model types.json --json
      citybrain reclassify --apply
    """
    from citybrain.maintaining import open_store
    from citybrain.reading import as_arrow, open_query
    from citybrain.reclassify import reclassify, show
    from citybrain.running import located
    from schemas.events import Kind
    from streams.cook import Kitchen
    from streams.live_rules import LiveRules
    from streams.locate import Locator

    settings = located(settings, data_dir)
    locator = Locator(known_places(settings.city.places, settings.data_dir))
    rules = LiveRules(model or settings.work.model).now()

    def kitchen(kind: Kind) -> Kitchen:
        return Kitchen(kind, locator, rules)

    with _bars() as progress:
        if change:
            with open_store(settings, data_dir) as store:
                done = reclassify(settings.broker, store, kitchen, progress)
            changes, finished = done.changes, [run.run for run in done.finished]
        else:
            changes, finished = show(settings.broker, as_arrow(open_query(settings, data_dir)), kitchen, progress), []
    report = {"applied": change, "finished_runs": finished, **changes.to_dict()}
    if as_json:
        print_json(report)
    else:
        _print(report, pairs)


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each step on standard error, when a person looks on."""
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    with Bars(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield progress


def _print(report: dict[str, Any], most: int) -> None:
    tense = "have" if report["applied"] else "would get"
    for run in report["finished_runs"]:
        click.echo(f"finished run {run}, which had been begun before")
    click.echo(
        f"{report['rows']:,} events looked at, by rules {report['rules_version']}; {report['from_log']:,} from their record"
    )
    for old, count in report["versions"].items():
        click.echo(f"  {count:,} were labelled by {old}")
    click.echo(
        f"{report['changed']:,} {tense} another class, {report['other_reason']:,} another reason, {report['only_version']:,} only the new version"
    )
    if report["kept"]:
        click.echo(f"{report['kept']:,} keep their label: their record is past retention and their text was not kept")
    for pair in report["classes"][:most]:
        click.echo(f"{pair['events']:10,}  {pair['from']} -> {pair['to']}")
        for example in pair["examples"]:
            click.echo(f"            {_example(example)}")
    if left := len(report["classes"]) - most:
        click.echo(f"            and {left} more pairs; --pairs or --json shows them") if left > 0 else None
    if not report["applied"] and report["changed"] + report["other_reason"] + report["only_version"]:
        click.echo("nothing was changed; --apply changes it")


def _example(example: dict[str, Any]) -> str:
    before = f"{example['classified_by']} {example['evidence']}".strip()
    after = f"{example['new_classified_by']} {example['new_evidence']}".strip()
    shown = f"{example['at']} {example['source']} {example['id']} {example['code']}: {before} -> {after}"
    return f"{shown}: {example['text']}" if example["text"] else shown
