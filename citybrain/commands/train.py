"""`citybrain train`."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citybrain.options import json_option, print_json

if TYPE_CHECKING:
    from citybrain.labelled_files import Labelled

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--input", "file", type=FILE, required=True, help="Labelled texts: CSV, NDJSON (plain, .gz, .zst) or Parquet.")
@click.option("--text", required=True, help="Column with the text; several are joined: title,body.")
@click.option("--label", required=True, help="Column with the label.")
@click.option("--unlabelled", type=FILE, help="More texts, in the same columns, without labels: which words belong together.")
@click.option(
    "--map", "meaning", type=FILE, help="YAML, `label in the file: label to learn`; rows of other labels are left out."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The model, JSON.")
@click.option("--name", default="trained", show_default=True, help="Name of the model; its version begins with it.")
@click.option("--seed", default=0, show_default=True, help="Same texts and seed, same model.")
@json_option
def command(
    file: Path,
    text: str,
    label: str,
    unlabelled: Path | None,
    meaning: Path | None,
    out: Path,
    name: str,
    seed: int,
    as_json: bool,
) -> None:
    """Learn a text model from labelled texts, and say what to expect of it.

    The model is a weight for each term and label: character n-grams of Chinese, words of other languages. The figures are
    cross-validated: each text is judged by a model that had not seen it. docs/training.md tells how to go on.

    \b
    Examples:
      citybrain train --input orders.csv --text title,body --label department --out departments.json
      citybrain train --input orders.csv.gz --text body --label type --map types.yaml --unlabelled all.ndjson --out types.json
    """
    from citybrain.labelled_files import read_labelled, read_meaning, read_texts
    from citybrain.training.train import train
    from schemas.text_model import hash_of, to_bytes
    from streams.rules import shipped_rules

    started = time.monotonic()
    rows = read_labelled(file, text, label, read_meaning(meaning))
    more = [] if unlabelled is None else [found for _, found in read_texts(unlabelled, text) if found]
    trained = train(
        rows.texts,
        rows.labels,
        more,
        written=shipped_rules().scorer.model.terms,
        name=name,
        data=_statement(file, text, label, rows, unlabelled, len(more), seed),
        seed=seed,
        progress=lambda step: click.echo(f"{time.monotonic() - started:6.1f} s  {step}", err=True),
    )
    _replace(out, to_bytes(trained.model))
    report = {
        "model": str(out), "version": trained.model.version, "hash": hash_of(trained.model), "skipped": rows.skipped,
        "seconds": round(time.monotonic() - started, 1), "cross_validated": trained.report,
    }  # fmt: skip
    if as_json:
        print_json(report)
    else:
        _print(report)


def _statement(file: Path, text: str, label: str, rows: Labelled, unlabelled: Path | None, more: int, seed: int) -> str:
    """What the model was made from. Labels and counts, no row."""
    counts = ", ".join(f"{name} {rows.labels.count(name):,}" for name in sorted(set(rows.labels)))
    also = f" Without label: {more:,} rows of {unlabelled.name}." if unlabelled else ""
    return (
        f"Trained on {datetime.now(UTC):%Y-%m-%d} by `citybrain train` from {len(rows.texts):,} rows of {file.name}, text {text}, "
        f"label {label}: {counts}.{also} Seed {seed}. Holds terms that stand in two or more texts, the terms of the written rules, and their weights, no text; "
        "those who may not read the texts should not get the model before its terms were looked through."
    )


def _replace(out: Path, content: bytes) -> None:
    """Whole or not at all: a worker may be reading the file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(out)


def _print(report: dict[str, Any]) -> None:
    figures = report["cross_validated"]
    click.echo(
        f"{report['model']}: {report['version']}, {figures['terms']:,} terms, {figures['labels']} labels, "
        f"from {figures['rows']:,} texts in {report['seconds']} s"
    )
    if report["skipped"]:
        click.echo(f"{report['skipped']:,} rows had no text or no label to learn")
    click.echo("Cross-validated, on texts the model had not seen:")
    from citybrain.commands.evaluate import print_figures

    print_figures(figures)
