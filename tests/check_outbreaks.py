"""`make check-outbreaks`: EARS C1 and C2 over real weekly series, against the bounds and alarms that R `surveillance` gives.

    python -m tests.check_outbreaks [--data DIR] [--json]

C3 is not compared: R computes another statistic than its manual and the papers define (`streams/detectors/ears.py`); the
definition is tested by `tests/streams/detectors/test_ears.py`. Exit code 1 unless every bound and alarm is equal.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import click
import numpy as np
import polars as pl
from numpy.typing import NDArray

from citybrain.options import json_option, print_json
from streams.detectors.ears import c1_upper, c2_upper

Floats = NDArray[np.float64]
METHODS: Final[dict[str, Callable[[Floats], Floats]]] = {"earsC1": c1_upper, "earsC2": c2_upper}
TOLERANCE: Final = 1e-6


class Outcome(NamedTuple):
    """One method over one series. `bounds` and `alarms` count weeks that differ."""

    dataset: str
    unit: str
    method: str
    weeks: int
    alarmed: int
    bounds: int
    alarms: int


def compare(dataset: str, unit: str, method: str, series: Floats, reference: pl.DataFrame) -> Outcome:
    """Hold ours against rows with t (from 1), upperbound and alarm (0 or 1)."""
    upper = METHODS[method](series)
    at = reference["t"].to_numpy() - 1
    wanted, alarm = reference["upperbound"].to_numpy().astype(float), reference["alarm"].to_numpy() == 1
    differ = ~np.isclose(upper[at], wanted, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    # A count that equals its bound but for the last digit is no difference of method.
    ours = series[at] > upper[at] + np.where(np.isclose(series[at], upper[at], rtol=1e-12), 1e-9, 0.0)
    return Outcome(
        dataset,
        unit,
        method,
        len(at),
        int(np.count_nonzero(ours)),
        int(np.count_nonzero(differ)),
        int(np.count_nonzero(ours != alarm)),
    )


def check(data: Path) -> list[Outcome]:
    """Every series and method of the folder."""
    known = pl.read_csv(data / "reference_alarms.csv.gz", infer_schema_length=None)
    counts = pl.read_csv(data / "series.csv.gz", infer_schema_length=None)
    found = []
    chosen = known.filter(pl.col("method").is_in(list(METHODS)), pl.col("upperbound").is_not_null())
    for (dataset, unit, method), rows in sorted(chosen.group_by("dataset", "unit", "method"), key=lambda group: str(group[0])):
        series = (
            counts.filter(pl.col("dataset") == dataset, pl.col("unit") == unit).sort("t")["observed"].to_numpy().astype(float)
        )
        found.append(compare(str(dataset), str(unit), str(method), series, rows))
    return found


@click.command()
@click.option(
    "--data",
    default="../shared/data/outbreaks",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@json_option
def main(data: Path, as_json: bool) -> None:
    """Compare EARS C1 and C2 with reference bounds and alarms."""
    outcomes = check(data)
    if as_json:
        print_json([outcome._asdict() for outcome in outcomes])
    for outcome in () if as_json else outcomes:
        click.echo(
            f"{outcome.dataset:12} {outcome.unit:12} {outcome.method}: {outcome.weeks} weeks, {outcome.alarmed} alarms; "
            f"differing bounds {outcome.bounds}, alarms {outcome.alarms}"
        )
    if not outcomes or any(outcome.bounds or outcome.alarms for outcome in outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
