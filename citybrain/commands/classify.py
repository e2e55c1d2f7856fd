"""`citybrain classify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from citybrain.options import json_option

AT_ONCE = 8_192


@click.command()
@click.option(
    "--input", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
    help="Texts: CSV, NDJSON (plain, .gz, .zst) or Parquet.",
)  # fmt: skip
@click.option("--text", required=True, help="Column with the text; several are joined: title,body.")
@click.option("--model", default="builtin", show_default=True, help="A model's file, or builtin: the written rules.")
@json_option
def command(file: Path, text: str, model: str, as_json: bool) -> None:
    """Give each row of a file a label, how sure it is, and the terms that speak for it.

    Text output: row, label, confidence and terms, with tabs between. --json: {"model", "version", "rows": [...]}, a row a
    line. The texts themselves are not repeated.

    \b
    Examples:
      citybrain classify --input calls.csv --text note
      citybrain classify --input orders.ndjson.gz --text title,body --model departments.json --json
    """
    from citybrain.models import open_scorer

    scorer = open_scorer(model)
    rows = _rows(scorer, file, text)
    if not as_json:
        for row in rows:
            terms = " ".join(f"{name}:{weight:.3g}" for name, weight in zip(row["terms"], row["weights"], strict=True))
            click.echo(f"{row['row']}\t{row['label']}\t{row['confidence']:.3f}\t{terms}")
        return
    click.echo(f'{{"model": {json.dumps(model)}, "version": {json.dumps(scorer.model.version)}, "rows": [')
    between = ""
    for row in rows:
        click.echo(between + json.dumps(row, ensure_ascii=False), nl=False)
        between = ",\n"
    click.echo("\n]}")


def _rows(scorer: Any, file: Path, text: str) -> Iterator[dict[str, Any]]:
    import polars as pl

    from citybrain.labelled_files import in_batches, read_texts
    from citybrain.models import category_of

    for batch in in_batches(read_texts(file, text), AT_ONCE):
        found = scorer.score(pl.Series([content for _, content in batch], dtype=pl.String))
        for (number, _), row in zip(batch, found.iter_rows(named=True), strict=True):
            category = category_of(row["label"])
            yield {
                "row": number, "label": row["label"], **({"category": category} if category else {}),
                "confidence": round(row["confidence"], 6), "terms": row["terms"],
                "weights": [round(weight, 6) for weight in row["weights"]], "contexts": row["contexts"],
            }  # fmt: skip
