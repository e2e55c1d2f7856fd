"""What the written rules are worth on real text: the sets and mappings of quality/builtin.yaml, measured without any training.

python -m bench.builtin_quality            a line a set, exit code 1 where one falls short of what it should reach
python -m bench.builtin_quality --json     every figure
python -m bench.builtin_quality --wrong court_cases --show 20
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
import yaml

from ingest.events_of import classifier
from ingest.mapping import load_mapping
from schemas.taxonomy import UNCLASSIFIED, taxonomy
from streams.rules import shipped_rules

DATA: Final = Path(__file__).parents[2] / "shared" / "data"
SETS: Final = Path(__file__).parent / "quality" / "builtin.yaml"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--wrong", metavar="SET", help="print rows of this set that were taken for something else")
    parser.add_argument("--show", type=int, default=20)
    asked = parser.parse_args()
    sets: dict[str, dict[str, Any]] = yaml.safe_load(SETS.read_text(encoding="utf-8"))
    if asked.wrong:
        _print_wrong(scored(sets[asked.wrong], asked.data), asked.show)
        return
    figures = {name: {**measure(scored(one, asked.data)), "reach": one["reach"]} for name, one in sets.items()}
    if asked.json:
        print(orjson.dumps({"rules": shipped_rules().version, "sets": figures}, option=orjson.OPT_INDENT_2).decode())
    else:
        for name, figure in figures.items():
            print(_line(name, figure))
    raise SystemExit(0 if all(reached(figure) for figure in figures.values()) else 1)


def scored(one: dict[str, Any], data: Path) -> pl.DataFrame:
    """Columns text, true, guess, confidence, terms: the scored rows of one set, in the words that are compared."""
    rows = pl.read_csv(data / one["file"], infer_schema=False)
    texts = rows.select(pl.concat_str(pl.col(one["text"]).fill_null(""), separator=": "))[one["text"][0]]
    found = shipped_rules().scorer.score(texts)
    if "table" in one:
        compare, true = "category", _by_table(one["table"], texts)
    else:
        compare, true = one["compare"], rows[one["label"]].replace_strict(one["map"], default=None, return_dtype=pl.String)
    names: dict[str, Callable[[str], str]] = {"class": str, "category": taxonomy().category_of, "fraud": _fraud}
    name = names[compare]
    guess = found["label"].replace_strict({code: name(code) for code in taxonomy().classes}, return_dtype=pl.String)
    return found.select("confidence", "terms", "label").with_columns(text=texts, true=true, guess=guess).drop_nulls("true")


def measure(rows: pl.DataFrame) -> dict[str, Any]:
    """Accuracy, macro-F1 over the labels that are true somewhere, per label figures, confusion, calibration, false alarms."""
    true, guess = rows["true"].to_list(), rows["guess"].to_list()
    pairs = Counter(zip(true, guess, strict=True))
    per = {label: _f1(label, pairs) for label in sorted(set(true))}
    figures = {
        "rows": len(true),
        "accuracy": sum(n for (a, b), n in pairs.items() if a == b) / len(true),
        "macro_f1": float(np.mean([one["f1"] for one in per.values()])),
        "coverage": rows.filter(pl.col("label") != UNCLASSIFIED).height / len(true),
        "calibration_error": _calibration_error(rows),
        "per_label": per,
        "confusion": {f"{a} -> {b}": n for (a, b), n in pairs.most_common(25) if a != b},
    }
    if "other" in per and "fraud" in per:
        figures["false_alarms"] = pairs["other", "fraud"] / per["other"]["support"]
    return figures


def reached(figure: dict[str, Any]) -> bool:
    """Whether a set's figures are as good as they should be; false alarms should be fewer."""
    return all(
        figure[name] <= wanted if name == "false_alarms" else figure[name] >= wanted for name, wanted in figure["reach"].items()
    )


def _by_table(name: str, texts: pl.Series) -> pl.Series:
    """The category a frozen code table gives each row's code; what the table leaves out is unclassified."""
    class_of = classifier(load_mapping(name).classes)
    classes = {code: class_of(code) for code in texts.unique()}
    return texts.replace_strict(
        {code: taxonomy().category_of(to or UNCLASSIFIED) for code, to in classes.items()}, return_dtype=pl.String
    )


def _fraud(code: str) -> str:
    return "fraud" if taxonomy().category_of(code) == "cyber" else "other"


def _f1(label: str, pairs: Counter[tuple[str, str]]) -> dict[str, float]:
    right = pairs[label, label]
    support = sum(n for (a, _), n in pairs.items() if a == label)
    given = sum(n for (_, b), n in pairs.items() if b == label)
    precision, recall = right / given if given else 0.0, right / support
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "support": support}


def _calibration_error(rows: pl.DataFrame) -> float | None:
    """Expected calibration error over ten bins of the rows that got a class."""
    given = rows.filter(pl.col("label") != UNCLASSIFIED)
    if given.is_empty():
        return None
    bins = given.group_by((pl.col("confidence") * 10).floor().clip(0, 9)).agg(
        n=pl.len(), sure=pl.col("confidence").mean(), right=(pl.col("true") == pl.col("guess")).mean()
    )
    return float(((bins["sure"] - bins["right"]).abs() * bins["n"]).sum() / len(given))


def _line(name: str, figure: dict[str, Any]) -> str:
    shown = [
        f"{key} {figure[key]:.3f}"
        for key in ("macro_f1", "accuracy", "coverage", "false_alarms", "calibration_error")
        if figure.get(key) is not None
    ]
    mark = "reached" if reached(figure) else "SHORT of"
    return f"{name:24s} {figure['rows']:6d} rows  {', '.join(shown)}  {mark} {figure['reach']}"


def _print_wrong(rows: pl.DataFrame, show: int) -> None:
    wrong = rows.filter(pl.col("true") != pl.col("guess"))
    for row in wrong.sample(min(show, len(wrong)), seed=1).iter_rows(named=True):
        print(f"{row['true']} taken for {row['guess']} {row['label']} by {row['terms']}: {row['text'][:160]}")


if __name__ == "__main__":
    main()
