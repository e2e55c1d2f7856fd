"""`citybrain status`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Show what is running, how far it is and what lags. Exit code 1 when Kafka or the store does not answer, or nothing gets on.

    `behind` counts records in Kafka that are not stored yet, `holes` records that were passed over: run `citybrain
    reread` for those. `lag` is by Kafka's consumer groups: raw records before the worker, blocks before the loader.
    Nothing gets on when a record has waited for more than a minute to be stored, whatever is running.
    `busy` is the share of its time that the loader spends on storing.

    \b
    Examples:
      citybrain status
      citybrain status --data-dir demo-data --json
    """
    from citybrain.reading import open_query
    from citybrain.running import located
    from citybrain.status import status

    found = status(located(settings, data_dir), lambda: open_query(settings, data_dir))
    if as_json:
        print_json(found)
    else:
        for line in lines(found):
            click.echo(line)
        for problem in found["problems"]:
            click.echo(f"problem     {problem}", err=True)
    if found["problems"]:
        raise SystemExit(1)


def lines(found: dict[str, Any]) -> list[str]:
    """A status as text; what is not known is left out."""
    note, groups, ledger = found["deployment"], found["groups"], found["ledger"]
    text = [f"deployment  {'process ' + str(note['pid']) if note else 'none runs here'} · Kafka at {found['broker']}"]
    text += [
        f"part        {part['part']} · process {part['pid']} · {part['seconds']:,} s · {part['memory_mb']:,} MB"
        for part in found["parts"]
    ]
    if groups:
        members = [f"{name} {count} members, lag {groups['lag'][name]:,}" for name, count in groups["members"].items()]
        busy = [] if groups["loader_busy"] is None else [f"loader busy {groups['loader_busy']:.0%}"]
        text.append("groups      " + " · ".join(members + busy))
    text += [
        f"{topic['topic']}[{topic['partition']}]  records {topic['end'] - topic['start']:,} · behind {topic['behind']:,} · "
        f"holes {topic['holes']:,}"
        for topic in found["topics"] or ()
    ]
    if ledger:
        text.append(
            f"ledger      {ledger['blocks']:,} blocks · {ledger['stored']:,} stored · {ledger['rejected']:,} rejected · "
            f"{ledger['repeated'] + ledger['conflict']:,} repeated · {ledger['redelivered']:,} redelivered and dropped"
        )
        if ledger["newest"]:
            text.append(f"newest      {ledger['newest']}, {ledger['seconds_since']:,} s ago")
    return text
