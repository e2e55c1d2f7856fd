"""`citybrain explain`."""

from __future__ import annotations

import click

from citybrain.options import json_option, print_json


@click.command()
@click.argument("text")
@click.option("--model", default="builtin", show_default=True, help="A model's file, or builtin: the written rules.")
@click.option("--terms", "most", default=10, show_default=True, type=click.IntRange(1), help="At most so many terms.")
@json_option
def command(text: str, model: str, most: int, as_json: bool) -> None:
    """Say why a text gets its label: every term's share, the labels that came next, the context that was found.

    Terms that are negated (没有着火) or hidden by a phrase do not count and are not listed.

    \b
    Examples:
      citybrain explain 三楼厨房着火，有浓烟
      citybrain explain "消防演练：三楼着火" --json
    """
    from citybrain.explaining import explain
    from citybrain.models import open_scorer

    why = explain(open_scorer(model), text, most)
    if as_json:
        print_json(why)
        return
    click.echo(f"{why['label']}, confidence {why['confidence']:.3f}, by {why['model']} {why['version']}")
    needed = "" if why["needed"] is None else f"; {why['needed']:.2f} were needed"
    click.echo(f"{why['best']} got {why['score']:.3f}, {why['bias']:+.3f} without any term{needed}:")
    for term in why["terms"]:
        click.echo(f"{term['weight']:+9.3f}  {term['term']}")
    for name, more in why["contexts"].items():
        click.echo(f"context {name}: {more:.2f} more were needed")
    click.echo("next: " + ", ".join(f"{label} {score:.3f}" for label, score in list(why["scores"].items())[1:]))
