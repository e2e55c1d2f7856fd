"""`citybrain rejected`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings
from schemas.reasons import REASONS
from schemas.topics import RAW

TOPICS = [topic.name for topic in RAW.values()]


def _choice_options(function: Any) -> Any:
    for option in (
        click.option(
            "--reason", type=click.Choice(list(REASONS)), metavar="REASON", help="Only this reason (docs/reasons.md)."
        ),
        click.option("--topic", type=click.Choice(TOPICS), metavar="TOPIC", help="Only this raw topic."),
        click.option("--since", help="Only records that arrived since, UTC, as 2026-11-20 or 2026-11-20T08:00:00Z."),
    ):
        function = option(function)
    return function


_position = [
    click.argument("topic", type=click.Choice(TOPICS), metavar="TOPIC"),
    click.argument("partition", type=click.IntRange(0)),
    click.argument("offset", type=click.IntRange(0)),
]


@click.group()
def command() -> None:
    """The dead-letter queue: records that could not be accepted.

    Every record that is not in `events` and is no repeat is here, with reason, topic, partition and offset. The raw
    topic keeps its bytes for its retention; after a fix (a rule, a setting, a newer version) `retry` sends them again.

    \b
    Examples:
      citybrain rejected list
      citybrain rejected show citybrain.police 0 4711
      citybrain rejected retry --reason time_out_of_range --dry-run
    """


@command.command("list")
@_choice_options
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="At most so many single records.")
@data_dir_option
@json_option
@click.pass_obj
def list_(settings: Settings, /, data_dir: Path | None, as_json: bool, **chosen: Any) -> None:
    """Counts by reason and topic, then single records, newest first.

    \b
    Examples:
      citybrain rejected list --limit 5
      citybrain rejected list --reason invalid_data --since 2026-11-20 --json
    """
    from citybrain.reading import open_query
    from citybrain.rejected import Choice, counts, newest

    query, choice = open_query(settings, data_dir), Choice(**chosen)
    totals, records = counts(query, choice), newest(query, choice)
    if as_json:
        print_json({"counts": totals, "records": records})
        return
    for total in totals:
        click.echo(
            f"{int(total['records']):>10,}  {total['reason']:<18} {total['source_topic']:<18} "
            f"accepted since: {total['accepted_since']}  ({REASONS[total['reason']]})"
        )
    if not totals:
        click.echo("nothing was rejected")
    for record in records:
        click.echo(
            f"{record['source_topic']} {record['source_partition']} {record['source_offset']}  {record['reason']}: {record['detail']}"
        )


@command.command()
@_position[0]
@_position[1]
@_position[2]
@data_dir_option
@json_option
@click.pass_obj
def show(settings: Settings, /, topic: str, partition: int, offset: int, data_dir: Path | None, as_json: bool) -> None:
    """Everything known of one record, with its bytes while the raw topic holds them.

    The bytes are as they were sent and may hold what the edge cuts out elsewhere; treat them so.

    \b
    Examples:
      citybrain rejected show citybrain.police 0 4711
    """
    from citybrain.reading import open_query
    from citybrain.rejected import Choice, with_bodies
    from citybrain.running import located

    choice = Choice(topic=topic, partition=partition, offset=offset)
    found = list(with_bodies(open_query(settings, data_dir), located(settings, data_dir).broker, choice))
    if not found:
        raise click.ClickException(f"{topic} {partition} {offset} was not rejected; `citybrain rejected list` shows what was")
    for record in found:
        if as_json:
            print_json(record)
        else:
            for name, value in record.items():
                click.echo(f"{name:<17} {value}")


@command.command()
@_choice_options
@click.option("--limit", type=click.IntRange(1), help="At most so many records; all by default.")
@click.option("--out", type=click.File("w", encoding="utf-8"), default="-", help="NDJSON file; standard output by default.")
@data_dir_option
@click.pass_obj
def export(settings: Settings, /, data_dir: Path | None, out: Any, **chosen: Any) -> None:
    """Write records as NDJSON, one object a line; `value_base64` holds the bytes as sent.

    \b
    Examples:
      citybrain rejected export --reason not_json --out broken.ndjson
    """
    from citybrain.reading import open_query
    from citybrain.rejected import Choice, with_bodies
    from citybrain.running import located

    written = 0
    for record in with_bodies(open_query(settings, data_dir), located(settings, data_dir).broker, Choice(**chosen)):
        out.write(json.dumps(record, ensure_ascii=False) + "\n")
        written += 1
    click.echo(f"{written:,} records", err=True)


@command.command()
@_choice_options
@click.option("--limit", type=click.IntRange(1), help="At most so many records; all by default.")
@click.option("--partition", type=click.IntRange(0), help="Only this partition.")
@click.option("--offset", type=click.IntRange(0), help="Only this offset; give --topic and --partition too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@data_dir_option
@json_option
@click.pass_obj
def retry(settings: Settings, /, data_dir: Path | None, as_json: bool, dry_run: bool, **chosen: Any) -> None:
    """Send records again to their raw topic, byte for byte, as after a fix.

    A record that is good now ends in `events` once, however often it is retried: it keeps source, id and partition. One
    that is still bad is rejected again; of such copies one is sent. Records whose event was accepted since are left alone.
    What the raw topic no longer holds is sent as the store has kept it, without person fields; what is not JSON, or was
    over 64 KiB, the store has not kept, and it is counted as gone.

    \b
    Examples:
      citybrain rejected retry --reason time_out_of_range --dry-run
      citybrain rejected retry --topic citybrain.grid --partition 0 --offset 4711
    """
    from rich.console import Console
    from rich.progress import Progress

    from citybrain.reading import open_query
    from citybrain.rejected import Choice, counts, retry
    from citybrain.running import located

    if chosen["offset"] is not None and (chosen["topic"] is None or chosen["partition"] is None):
        raise click.UsageError("--offset needs --topic and --partition: an offset is counted within a partition")
    query, choice = open_query(settings, data_dir), Choice(**chosen)
    total = sum(int(row["records"]) for row in counts(query, choice))
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("sending", total=min(total, choice.limit or total))
        done = retry(
            query,
            located(settings, data_dir).broker,
            choice,
            dry_run=dry_run,
            progress=lambda number: bars.update(task, completed=number),
        )
    if as_json:
        print_json(done._asdict() | {"dry_run": dry_run})
    else:
        click.echo(
            f"{done.sent:,} {'would be sent' if dry_run else 'sent again'}; left alone: {done.accepted_before:,} accepted since, "
            f"{done.copies:,} copies of those sent, {done.gone:,} gone from the log and not kept whole; {done.failed:,} not confirmed"
        )
    if done.failed:
        raise SystemExit(1)
