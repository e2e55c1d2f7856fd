"""`citybrain topics`."""

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
    """Create missing topics and show all of them.

    docs/topics.md tells what each holds. Existing topics are never changed or removed.

    \b
    Examples:
      citybrain topics
      citybrain topics --json
    """
    from citybrain import topics
    from citybrain.running import located

    broker = located(settings, data_dir).broker
    created = topics.ensure_topics(broker)
    states = topics.describe(broker)
    found = topics.problems(broker)
    if as_json:
        print_json({"created": created, "topics": [state._asdict() for state in states.values()], "problems": found})
    else:
        for state in states.values():
            mark = "created" if state.name in created else "was there"
            click.echo(f"{state.name:<20} {state.partitions:>3} partitions  {state.topic_id}  {mark}")
        for problem in found:
            click.echo(f"problem: {problem}", err=True)
    if found:
        raise SystemExit(1)
