"""`citybrain evaluate`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from citybrain.options import json_option, print_json

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CONFUSIONS = 10


@click.command()
@click.option("--model", default="builtin", show_default=True, help="A model's file, or builtin: the written rules.")
@click.option("--input", "file", type=FILE, required=True, help="Labelled texts: CSV, NDJSON (plain, .gz, .zst) or Parquet.")
@click.option("--text", required=True, help="Column with the text; several are joined: title,body.")
@click.option("--label", required=True, help="Column with the true label.")
@click.option(
    "--map", "meaning", type=FILE, help="YAML, `label in the file: label of the model`; rows of other labels are left out."
)
@json_option
def command(model: str, file: Path, text: str, label: str, meaning: Path | None, as_json: bool) -> None:
    """Say how right a text model is on labelled texts it was not trained on.

    Macro-F1 is the mean over the labels in the file; coverage the share of texts that got a label; the calibration error
    says how far confidence is from the share of right labels. The built-in rules are compared by class where the file's
    labels are classes (S01), else by risk category; without --map, fraud reads as cyber and other as unclassified.

    \b
    Examples:
      citybrain evaluate --model departments.json --input next_month.csv --text title,body --label department
      citybrain evaluate --model builtin --input calls.csv.gz --text note --label type --map types.yaml --json
    """
    from citybrain.labelled_files import read_labelled, read_meaning
    from citybrain.models import BUILTIN, BUILTIN_MEANING, comparable, open_scorer
    from citybrain.training.measures import measure
    from schemas.taxonomy import UNCLASSIFIED, taxonomy

    scorer = open_scorer(model)
    rows = read_labelled(file, text, label, read_meaning(meaning))
    truth, none = rows.labels, scorer.model.unclassified
    started = time.perf_counter()
    found = scored(scorer, rows.texts)
    seconds = time.perf_counter() - started
    given = found["label"].to_list()
    if model == BUILTIN:
        truth = rows.labels if meaning else [BUILTIN_MEANING.get(name, name) for name in rows.labels]
        given = [comparable(name, set(truth)) for name in given]
        none = comparable(UNCLASSIFIED, set(truth)) if set(truth) - set(taxonomy().classes) else UNCLASSIFIED
    figures = measure(truth, given, found["confidence"].to_list(), none)
    figures["texts_per_second"] = round(len(truth) / seconds, 1) if seconds else 0.0
    figures |= {"rows": len(truth), "skipped": rows.skipped, "model": model, "version": scorer.model.version}
    if as_json:
        print_json(figures)
    else:
        print_figures(figures)


def scored(scorer: Any, texts: list[str]) -> Any:
    """Label and confidence of each text, a frame."""
    import polars as pl

    return scorer.score(pl.Series(texts, dtype=pl.String)).select("label", "confidence")


def print_figures(figures: dict[str, Any]) -> None:
    """Figures as a table, and the most frequent confusions."""
    click.echo(
        f"macro-F1 {figures['macro_f1']:.3f}, accuracy {figures['accuracy']:.3f}, coverage {figures['coverage']:.3f}, "
        f"calibration error {figures['calibration_error']:.3f}"
    )
    click.echo(f"{'precision':>9} {'recall':>7} {'F1':>7} {'rows':>7}  label")
    for name, one in figures["per_class"].items():
        click.echo(f"{one['precision']:9.3f} {one['recall']:7.3f} {one['f1']:7.3f} {one['support']:7,}  {name}")
    wrong = [(n, true, given) for true, row in figures["confusion"].items() for given, n in row.items() if given != true]
    for count, true, given in sorted(wrong, reverse=True)[:CONFUSIONS]:
        click.echo(f"{count:7,} x {true} taken for {given or 'none'}")
