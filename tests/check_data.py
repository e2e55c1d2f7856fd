"""`make check-data`: every mapped set through real Kafka, Faust and ClickHouse, against an independent recount of its file.

    python -m tests.check_data [--data DIR] [SET...] [--json]

Counts by class, area and local hour, and by day, as the published views give them, have to equal the recount exactly, or
differ by a reason from the mapping's closed list, at most 0.1 % of rows. Sets of one time zone share a deployment, and its
audit has to be clean. Exit code 1 otherwise.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from citybrain.audit import run_audit
from citybrain.options import json_option, print_json
from citybrain.reading import as_arrow
from citybrain.settings import Settings
from ingest.mapping import load_mapping
from ingest.places import places_for
from ingest.producer import EventProducer
from ingest.replay import replay
from schemas.places import Places
from tests.pipeline import Pipeline
from tests.recount import SETS, Bucket, Recount, files_of, recount

MOST_EXPLAINED = 0.001
SETTLE_SECONDS = 180.0


class Stored(NamedTuple):
    """What came out of the pipeline. `days` is keyed by class, area and day."""

    hours: Counter[Bucket]
    days: Counter[Bucket]
    rejected: int
    repeated: int
    located_by: dict[str, int]
    beats_equal: int | None


class Outcome(NamedTuple):
    """One set's comparison. `differing` buckets differ from the file as it stands; `unexplained` ones also from the reasons."""

    set: str
    rows: int
    stored: int
    rejected: int
    repeated: int
    buckets: int
    differing: int
    unexplained: int
    reasons: dict[str, int]
    located_by: dict[str, int]
    beats_equal: int | None
    problems: list[str]
    seconds: float


def play(names: Sequence[str], data: Path, folder: Path) -> Iterator[tuple[str, Stored]]:
    """Replay sets of one time zone, one after the other, through one deployment, and read the published counts."""
    mappings = {name: load_mapping(name) for name in names}
    files = {name: files_of(name, data) for name in names}
    zone = mappings[names[0]].time_zone
    grids = [grid for name in names for grid in (places_for(mappings[name], files[name]) or Places(())).grids]
    areas = {"": ""} | {grid.code: grid.name for grid in grids}
    with Pipeline(folder, Places.of(grids), Settings.model_validate({"city": {"time_zone": zone}})) as pipeline:
        before = _counted(pipeline, zone, areas)
        for name in names:
            with EventProducer(pipeline.broker) as producer:
                report = replay(files[name], mappings[name], producer)
            if report.failed or report.left_out:
                raise AssertionError(f"{name}: {report.failed} deliveries failed, left out {report.left_out}")
            pipeline.settle(SETTLE_SECONDS)
            after = _counted(pipeline, zone, areas)
            located = pipeline.rows(
                f"SELECT located_by, count() AS n FROM events WHERE source = '{mappings[name].source}' GROUP BY located_by ORDER BY located_by"
            )
            beats = _beats_equal(pipeline, areas, files[name]) if name == "chicago" else None
            yield name, Stored(
                _grown(before.hours, after.hours), _grown(before.days, after.days),
                after.rejected - before.rejected, after.repeated - before.repeated,
                {row["located_by"]: int(row["n"]) for row in located}, beats,
            )  # fmt: skip
            before = after
        audit = run_audit(pipeline.broker, as_arrow(pipeline.deployment.query), zone)
        if not audit.clean:
            raise AssertionError(f"{', '.join(names)}: the audit is not clean: {audit.to_dict()}")


def _counted(pipeline: Pipeline, zone: str, areas: dict[str, str]) -> Stored:
    """What the published views hold now."""
    hours = pipeline.rows(
        f"SELECT incident_class, grid, formatDateTime(hour, '%Y-%m-%d %H', '{zone}') AS at, sum(events) AS n "
        "FROM v_counts_hour GROUP BY incident_class, grid, at"
    )
    days = pipeline.rows(
        "SELECT incident_class, grid, day AS at, sum(events) AS n FROM v_counts_day GROUP BY incident_class, grid, at"
    )
    progress = pipeline.settle()
    return Stored(
        Counter({(row["incident_class"], areas[row["grid"]], row["at"]): int(row["n"]) for row in hours}),
        Counter({(row["incident_class"], areas[row["grid"]], row["at"]): int(row["n"]) for row in days}),
        progress.rejected, progress.repeated, {}, None,
    )  # fmt: skip


def _grown(before: Counter[Bucket], after: Counter[Bucket]) -> Counter[Bucket]:
    """What came since; a count that went down stays in as a negative one, so that it is seen."""
    grown = Counter(after)
    grown.subtract(before)
    return Counter({bucket: n for bucket, n in grown.items() if n})


def _beats_equal(pipeline: Pipeline, names: dict[str, str], files: list[Path]) -> int:
    """Chicago's rows with coordinates whose located beat is the one the row names."""
    import duckdb

    named = dict(duckdb.sql(f"SELECT ID, Beat FROM read_csv('{files[0]}', all_varchar=true, header=true)").fetchall())
    located = pipeline.rows("SELECT id, grid FROM events WHERE located_by = 'coordinates'")
    return sum(names[row["grid"]] == named[row["id"]] for row in located)


def compare(name: str, wanted: Recount, stored: Stored, allowed: set[str], seconds: float) -> Outcome:
    """Hold the two against each other; `problems` is empty when they agree or differ only as the mapping allows."""
    differing = _unequal(wanted.plain, stored.hours)
    unexplained = _unequal(wanted.explained, stored.hours) + _unequal(_by_day(wanted.explained), stored.days)
    explained_rows = sum(wanted.reasons.values())
    problems = [f"{bucket}: recount {n}, stored {m}" for bucket, n, m in unexplained[:20]]
    problems += [f"reason {reason} is not listed in the mapping" for reason in sorted(set(wanted.reasons) - allowed)]
    if explained_rows > MOST_EXPLAINED * wanted.rows:
        problems.append(f"{explained_rows} of {wanted.rows} rows need a reason; wanted at most {MOST_EXPLAINED:.1%}")
    if (stored.rejected, stored.repeated) != (wanted.rejected, wanted.repeated):
        problems.append(
            f"rejected and repeated: recount {wanted.rejected}, {wanted.repeated}; stored {stored.rejected}, {stored.repeated}"
        )
    return Outcome(
        name, wanted.rows, stored.hours.total(), stored.rejected, stored.repeated, len(wanted.plain), len(differing), len(unexplained),
        dict(wanted.reasons), stored.located_by, stored.beats_equal, problems, seconds,
    )  # fmt: skip


def _unequal(one: Counter[Bucket], other: Counter[Bucket]) -> list[tuple[Bucket, int, int]]:
    return [(bucket, one[bucket], other[bucket]) for bucket in sorted({*one, *other}) if one[bucket] != other[bucket]]


def _by_day(hours: Counter[Bucket]) -> Counter[Bucket]:
    days: Counter[Bucket] = Counter()
    for (incident_class, area, hour), n in hours.items():
        days[incident_class, area, hour[:10]] += n
    return days


def show(outcomes: list[Outcome]) -> None:
    """The outcome as a table for people."""
    table = Table("set", "rows", "stored", "rejected", "repeated", "buckets", "differing", "unexplained", "reasons", "s")
    for outcome in outcomes:
        reasons = ", ".join(f"{reason} {n}" for reason, n in outcome.reasons.items()) or "-"
        figures = (
            outcome.rows,
            outcome.stored,
            outcome.rejected,
            outcome.repeated,
            outcome.buckets,
            outcome.differing,
            outcome.unexplained,
        )
        table.add_row(outcome.set, *(f"{figure:,}" for figure in figures), reasons, f"{outcome.seconds:.0f}")
    console = Console(width=160)
    console.print(table)
    for outcome in outcomes:
        located = ", ".join(f"{how} {n:,}" for how, n in outcome.located_by.items())
        beats = f"; beat as named on {outcome.beats_equal}" if outcome.beats_equal is not None else ""
        console.print(f"{outcome.set}: located by {located}{beats}")
        for problem in outcome.problems:
            console.print(f"  [red]{problem}[/red]")


@click.command()
@click.argument("names", nargs=-1, metavar="[SET]...", type=click.Choice(list(SETS)))
@click.option(
    "--data", default="../shared/data", show_default=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@json_option
def main(names: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Play the mapped sets and compare with an independent recount."""
    outcomes = []
    zones: dict[str, list[str]] = {}
    for name in names or SETS:
        zones.setdefault(load_mapping(name).time_zone, []).append(name)
    for together in zones.values():
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="citybrain-") as folder:
            for name, stored in play(together, data, Path(folder)):
                wanted = recount(name, files_of(name, data))
                outcomes.append(compare(name, wanted, stored, set(load_mapping(name).differences), time.monotonic() - started))
                print(f"{name}: {'ok' if not outcomes[-1].problems else 'NOT EQUAL'}", file=sys.stderr)
                started = time.monotonic()
    if as_json:
        print_json({outcome.set: outcome._asdict() for outcome in outcomes})
    else:
        show(outcomes)
    if any(outcome.problems for outcome in outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
