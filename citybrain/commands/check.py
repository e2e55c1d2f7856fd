"""`citybrain check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
from kafka.errors import KafkaError

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings
from schemas.errors import CitybrainError


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Check settings, places, response tiers, broker, topics and store. Exit code 1 when something is wrong; each line names the fix.

    \b
    Examples:
      citybrain check
      citybrain check --json
    """
    from citybrain.running import located

    settings = located(settings, data_dir)
    results = {name: _run(part) for name, part in _parts(settings).items()}
    if as_json:
        print_json({"ok": not any(results.values()), "problems": results})
    else:
        for name, found in results.items():
            click.echo(f"{name:<9} {'; '.join(found) or 'ok'}")
    if any(results.values()):
        raise SystemExit(1)


def _parts(settings: Settings) -> dict[str, Callable[[], list[str]]]:
    from citybrain import topics
    from citybrain.catalogue_folder import catalogue_of
    from citybrain.places_file import known_places
    from citybrain.reading import open_query
    from citybrain.tiers_file import configured_tiers
    from schemas.catalogue.check import problems
    from sinks.migrate import ENGINES, unsafe_tables
    from streams.live_rules import LiveRules

    def rules() -> list[str]:
        LiveRules(settings.work.model)
        return []

    def catalogue() -> list[str]:
        return problems(catalogue_of(settings.city.catalogue))

    def places() -> list[str]:
        known_places(settings.city.places, settings.data_dir)
        return []

    def tiers() -> list[str]:
        configured_tiers(settings.city.response_tiers)
        return []

    def store() -> list[str]:
        answer = open_query(settings)(ENGINES, "JSONCompactEachRow")
        return unsafe_tables(dict(json.loads(line) for line in answer.splitlines()))

    return {
        "rules": rules,
        "catalogue": catalogue,
        "places": places,
        "tiers": tiers,
        "topics": lambda: topics.problems(settings.broker),
        "store": store,
    }


def _run(part: Callable[[], list[str]]) -> list[str]:
    try:
        return part()
    except (CitybrainError, KafkaError, ValueError) as error:
        return [str(error)]
