"""`citybrain catalogue`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citybrain.options import json_option, print_json
from citybrain.settings import Settings

if TYPE_CHECKING:
    from schemas.catalogue.models import Catalogue

LISTS = ("categories", "incident_classes", "information_classes", "departments", "scenarios")
SHIPPED = "shipped"


def _folder(function: Any) -> Any:
    return click.option(
        "--folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Catalogue folder of a city (CITYBRAIN_CITY__CATALOGUE); without one: the shipped catalogue.",
    )(function)


@click.group(invoke_without_command=True)
@_folder
@json_option
@click.pass_context
def command(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """What the city knows of: classes, departments, scenarios, in Chinese and English.

    Without a subcommand: how much of each there is; with --json the whole catalogue, one object with the lists
    categories, incident_classes, information_classes, departments, scenarios and those they refer to.

    \b
    Examples:
      citybrain catalogue
      citybrain catalogue --json
      citybrain catalogue list scenarios
      citybrain catalogue search 井盖
      citybrain catalogue show sensor.ch4_lel
      citybrain catalogue check my-catalogue
      citybrain catalogue diff shipped my-catalogue
      citybrain catalogue coverage calls.csv.gz --mapping houston
    """
    if ctx.invoked_subcommand:
        return
    catalogue = _catalogue(ctx.obj, folder)
    if as_json:
        print_json(_whole(catalogue))
        return
    click.echo(f"{catalogue.zh} · {catalogue.en}, version {catalogue.version}")
    for name in LISTS:
        click.echo(f"{len(getattr(catalogue, name)):>5}  {name}")


@command.command("list")
@click.argument("name", metavar="LIST", type=click.Choice(LISTS), default="incident_classes")
@_folder
@json_option
@click.pass_obj
def list_(settings: Settings, name: str, folder: Path | None, as_json: bool) -> None:
    """Entries of one LIST: categories, incident_classes (default), information_classes, departments, scenarios.

    \b
    Examples:
      citybrain catalogue list scenarios
      citybrain catalogue list information_classes --json
    """
    catalogue = _catalogue(settings, folder)
    if as_json:
        print_json({name: _whole(catalogue)[name]})
        return
    for entry in _whole(catalogue)[name]:
        click.echo(f"{entry['id']:<32} {entry['zh']}  {entry['en']}")


@command.command()
@click.argument("query")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="At most so many.")
@_folder
@json_option
@click.pass_obj
def search(settings: Settings, query: str, limit: int, folder: Path | None, as_json: bool) -> None:
    """Find entries by id, Chinese or English, the nearest first. Several words: every one has to be found.

    \b
    Examples:
      citybrain catalogue search 噪声
      citybrain catalogue search "unpaid wages"
      citybrain catalogue search S04 --json
    """
    from schemas.catalogue.search import search as find

    hits = find(_catalogue(settings, folder), query, limit=limit)
    if as_json:
        print_json({"query": query, "hits": [hit._asdict() for hit in hits]})
        return
    for hit in hits:
        click.echo(f"{hit.list:<20} {hit.id:<32} {hit.zh}  {hit.en}")
    if not hits:
        click.echo(f"nothing matches {query!r}")


@command.command()
@click.argument("name", metavar="ID")
@_folder
@json_option
@click.pass_obj
def show(settings: Settings, name: str, folder: Path | None, as_json: bool) -> None:
    """Everything about one entry, by its ID or code.

    \b
    Examples:
      citybrain catalogue show S05
      citybrain catalogue show anti_fraud --json
    """
    import yaml

    catalogue = _catalogue(settings, folder)
    found = {
        part: entry for part, entries in _whole(catalogue).items() if part in LISTS for entry in entries if entry["id"] == name
    }
    if not found:
        raise click.UsageError(f"no entry {name!r}; find it with `citybrain catalogue search {name}`")
    if as_json:
        print_json(found)
    else:
        click.echo(yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=120).rstrip())


@command.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def check(settings: Settings, folder: Path | None, as_json: bool) -> None:
    """Whether a catalogue FOLDER is good: form, references, guardrails, sources, near duplicates. Exit code 1 if not.

    Without FOLDER: the catalogue of the settings, or the shipped one.

    \b
    Examples:
      citybrain catalogue check
      citybrain catalogue check my-catalogue --json
    """
    from schemas.catalogue.check import problems
    from schemas.errors import BadCatalogue

    try:
        found = problems(_catalogue(settings, folder))
    except BadCatalogue as error:
        found = str(error).splitlines()
    if as_json:
        print_json({"ok": not found, "problems": found})
    else:
        click.echo("\n".join(found) or "ok")
    if found:
        raise SystemExit(1)


@command.command()
@click.argument("old")
@click.argument("new")
@json_option
def diff(old: str, new: str, as_json: bool) -> None:
    """What changed from OLD to NEW: added, removed, changed fields. Each is a folder, or the word `shipped`.

    \b
    Examples:
      citybrain catalogue diff shipped my-catalogue
      citybrain catalogue diff catalogue-2026 catalogue-2027 --json
    """
    from schemas.catalogue.diff import diff as compare

    difference = compare(_named(old), _named(new))
    if as_json:
        print_json(difference.to_dict())
        return
    lines = [f"+ {name} {key}" for name, key in difference.added]
    lines += [f"- {name} {key}" for name, key in difference.removed]
    lines += [f"~ {name} {key}".rstrip() + f" {field}: {a!r} -> {b!r}" for name, key, field, a, b in difference.changed]
    click.echo("\n".join(lines) or "no difference")


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", help="The name of a shipped mapping, or a YAML file (docs/mappings.md).")
@click.option("--table", help="The name of a shipped code table (docs/catalogue.md), or a YAML file, instead of a mapping.")
@json_option
def coverage(files: tuple[Path, ...], mapping: str | None, table: str | None, as_json: bool) -> None:
    """How many rows of FILES have a class by a code table, code by code.

    A code has a class, or is listed as none of ours with the reason, or is unmapped: those are listed, never guessed.
    The worker gets rows without a class and decides by other rules.

    \b
    Examples:
      citybrain catalogue coverage calls.csv.gz --mapping houston
      citybrain catalogue coverage calls.csv.gz --mapping my-calls.yaml --json
      citybrain catalogue coverage crimes.csv.gz --table iucr
    """
    from ingest.code_coverage import coverage_of
    from ingest.code_table import load_table, table_of
    from ingest.mapping import load_mapping

    if (mapping is None) == (table is None):
        raise click.UsageError("wanted either --mapping or --table")
    codes = load_table(table) if table else table_of(load_mapping(str(mapping)), str(mapping))
    found = coverage_of(codes, files)
    if as_json:
        print_json(found.to_dict())
    else:
        click.echo("\n".join(found.lines()))


def _catalogue(settings: Settings, folder: Path | None) -> Catalogue:
    from citybrain.catalogue_folder import catalogue_of

    return catalogue_of(folder or settings.city.catalogue)


def _named(name: str) -> Catalogue:
    from citybrain.catalogue_folder import catalogue_of

    if name != SHIPPED and not Path(name).is_dir():
        raise click.UsageError(f"{name!r}: wanted a catalogue folder, or the word {SHIPPED}")
    return catalogue_of(None if name == SHIPPED else Path(name))


def _whole(catalogue: Catalogue) -> dict[str, Any]:
    from schemas.catalogue.plain import plain

    return plain(catalogue)
