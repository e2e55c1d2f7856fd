"""False alarms and detection of the watch's detectors on simulated history: `python -m bench.watch [--seeds N]`.

Quiet   days of the simulated city without bursts, its reports counted as if every one were classified right; and the same
        totals as negative binomial counts with twice Poisson's variance, which is worse than the city is.
Spikes  `extra` reports of one class within an hour in one grid, at random, on quiet days: the share that is found in that
        hour's window. Hours are those a window takes to be complete; the lateness the watch allows comes on top.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import click
import numpy as np

from citybrain.options import json_option, print_json
from ingest.city import City, build_city
from ingest.city.calls import calls_of
from ingest.city.grid_reports import reports_of
from schemas.taxonomy import taxonomy
from streams.detectors import DETECTORS
from streams.findings import find
from streams.tally import Rows, Tally

DAYS = 42
FIRST_JUDGED = 9
HOUR_MS = 3_600_000
EXTRA = (5, 6, 7, 8, 10, 12)
SPIKES = 200
Key = tuple[int, str, str]


class Quiet(NamedTuple):
    """False alarms over `days` judged days."""

    series: int
    days: int
    false_alarms: int

    @property
    def a_day(self) -> float:
        """False alarms a day."""
        return self.false_alarms / self.days


def reports(city: City, kind: str) -> Counter[Key]:
    """Reports per hour, grid and class."""
    start = datetime(2026, 9, 1, tzinfo=UTC)
    counts: Counter[Key] = Counter()
    for day in range(DAYS):
        cases = (calls_of if kind == "police" else reports_of)(city, start + timedelta(days=day))
        for name, grid, at in zip(cases.classes, cases.grids.tolist(), cases.times[:, 0].tolist(), strict=True):
            if name:
                counts[24 * day + at // HOUR_MS, city.places.grids[grid].code, name] += 1
    return counts


def clumped(counts: Counter[Key], rng: np.random.Generator) -> Counter[Key]:
    """The same mean per grid, class and hour of the day, as negative binomial counts whose variance is twice the mean."""
    means: Counter[Key] = Counter()
    for (hour, grid, name), n in counts.items():
        means[hour % 24, grid, name] += n
    keys = list(means)
    drawn = rng.negative_binomial(np.maximum(np.array([means[key] for key in keys]) / DAYS, 1e-9), 0.5, (DAYS, len(keys)))
    found: Counter[Key] = Counter()
    for day, number in zip(*np.nonzero(drawn), strict=True):
        hour, grid, name = keys[number]
        found[24 * int(day) + hour, grid, name] = int(drawn[day, number])
    return found


def tally_of(counts: Counter[Key], city: City, fold: int = 1) -> Tally:
    """Counts by hour, or with `fold` 24 by day."""
    folded: Counter[Key] = Counter()
    for (hour, grid, name), n in counts.items():
        folded[hour // fold, grid, name] += n
    keys = list(folded)
    rows = Rows(
        np.array([key[0] for key in keys], np.int64), [key[1] for key in keys], [key[2] for key in keys],
        np.array([float(folded[key]) for key in keys]),
    )  # fmt: skip
    words = taxonomy()
    categories = {name: words.category_of(name) for name in words.classes if words.category_of(name) != "unclassified"}
    return Tally(rows, [(level, code) for level, code, _ in city.places.areas()], categories)


def quiet(counts: Counter[Key], city: City) -> Quiet:
    """Alarms of hour and day windows where nothing is to be found."""
    alarms = 0
    hourly, daily = tally_of(counts, city), tally_of(counts, city, 24)
    for detector in DETECTORS.values():
        alarms += len(find(hourly, detector, 24 * FIRST_JUDGED, 24 * DAYS, 24, np.ones(24 * DAYS, bool), 0))
        alarms += len(find(daily, detector, FIRST_JUDGED, DAYS, 1, np.ones(DAYS, bool), 0))
    return Quiet(hourly.series, DAYS - FIRST_JUDGED, alarms)


def found_share(counts: Counter[Key], city: City, extra: int, rng: np.random.Generator) -> float:
    """Share of SPIKES spikes that an alarm of their hour, class and area tells of."""
    classes = sorted({name for _, _, name in counts})
    spikes = {
        (int(hour), city.places.grids[int(rng.integers(len(city.places.grids)))].code, classes[int(rng.integers(len(classes)))])
        for hour in rng.choice(np.arange(24 * FIRST_JUDGED, 24 * DAYS), SPIKES, replace=False)
    }
    tally = tally_of(counts + Counter(dict.fromkeys(spikes, extra)), city)
    told = {
        (finding.period, finding.subject.area, finding.subject.incident_class)
        for detector in DETECTORS.values()
        for finding in find(tally, detector, 24 * FIRST_JUDGED, 24 * DAYS, 24, np.ones(24 * DAYS, bool), 0)
    }
    return float(
        np.mean([any(h == hour and grid.startswith(a) and c == name for h, a, c in told) for hour, grid, name in spikes])
    )


@click.command()
@click.option("--seeds", default=3, show_default=True, help="Cities to measure on.")
@json_option
def main(seeds: int, as_json: bool) -> None:
    """Measure false alarms and detection of the watch's detectors."""
    rows: list[dict[str, Any]] = []
    for seed in range(1, seeds + 1):
        city, rng = build_city(seed), np.random.default_rng(seed)
        for kind in ("police", "grid"):
            counts = reports(city, kind)
            calm, wild = quiet(counts, city), quiet(clumped(counts, rng), city)
            shares = {extra: found_share(counts, city, extra, rng) for extra in EXTRA}
            rows.append(
                {
                    "seed": seed,
                    "kind": kind,
                    "series": calm.series,
                    "false_a_day": calm.a_day,
                    "clumped_false_a_day": wild.a_day,
                    "found": shares,
                }
            )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        told = ", ".join(f"+{extra}: {share:.0%}" for extra, share in row["found"].items())
        click.echo(
            f"seed {row['seed']} {row['kind']:6}: {row['series']:,} series; false alarms a day {row['false_a_day']:.3f}, "
            f"clumped {row['clumped_false_a_day']:.3f}; found of {SPIKES} spikes {told}"
        )


if __name__ == "__main__":
    main()
