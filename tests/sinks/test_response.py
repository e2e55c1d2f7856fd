"""Response figures against an independent recount: DuckDB and Python over the stored events."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from ingest.city import City, build_city, make_plan
from ingest.outgoing import Outgoing, encode
from schemas.events import Kind
from schemas.response import ResponseTiers
from schemas.taxonomy import taxonomy
from sinks.kept import keep
from sinks.migrate import fill_lookups
from sinks.store import Store
from sinks.tiers import fill_tiers
from sinks.writer import BlockWriter
from streams.records import RawRecord
from tests.sinks.blocks import at, block, empty

ZONE = ZoneInfo("Asia/Shanghai")
STEPS = {"accept": ("reported", "accepted"), "dispatch": ("accepted", "dispatched"), "arrive": ("dispatched", "arrived")} | {
    "resolve": ("reported", "resolved")
}
BY_PLACE = ResponseTiers.model_validate(
    {
        "axis": "place",
        "tiers": [
            {"tier": "1", "of": ["150627001001"], "minutes": {"accept": 0.5, "arrive": 1}},
            {"tier": "3", "of": ["150627001", "150627004"], "minutes": {"accept": 1, "arrive": 3, "resolve": 30}},
            {"tier": "5", "minutes": {"accept": 1, "dispatch": 3, "arrive": 5}},
        ],
    }
)


def write(store: Store, events: list[Outgoing]) -> None:
    """Store events of several kinds, as the worker and the loader would."""
    writer = BlockWriter(store)
    kinds: dict[Kind, list[Outgoing]] = defaultdict(list)
    for event in events:
        kinds[event.kind].append(event)
    for offset, (kind, of_kind) in enumerate(kinds.items()):
        arrived = int(max(event.at for event in of_kind).timestamp() * 1000)
        records = [RawRecord(number, arrived, encode(event).value, ()) for number, event in enumerate(of_kind)]
        writer.write(at(offset), *block(records, kind, topic_id=f"id-{kind}"))


def twisted(events: list[Outgoing]) -> list[Outgoing]:
    """Some life-cycles that went wrong: stages lost, told twice, in the wrong order, without a report."""
    chance = random.Random(4)
    kept = []
    for event in events:
        draw = chance.random()
        if draw < 0.05:
            continue  # lost
        early = draw < 0.08 and event.data.get("stage") not in {None, "reported"}
        kept.append(event._replace(at=event.at - timedelta(minutes=20)) if early else event)
        if 0.08 <= draw < 0.10:
            kept.append(event._replace(id=f"{event.id}-again", at=event.at + timedelta(minutes=1)))
    return kept


@pytest.fixture(scope="module", params=["judged at the question", "kept"])
def filled(request: pytest.FixtureRequest, module_store: Store) -> Iterator[Store]:
    """Two days of reports of the simulated city, over the end of a month, with life-cycles that went wrong."""
    city: City = build_city(1)
    empty(module_store)
    plan = make_plan(city, datetime(2026, 11, 1, tzinfo=ZONE), 1)
    write(module_store, twisted(list(plan.events(0, 2, ("police", "grid")))))
    fill_tiers(module_store, BY_PLACE)
    if request.param == "kept":
        assert keep(module_store, margin_seconds=0)
        assert module_store.query("SELECT count() FROM response_touched") == [(0,)]
    yield module_store
    fill_lookups(module_store, city.places)
    empty(module_store)


class Recount:
    """Cases again, from the stored events, by DuckDB; tiers and sums by Python."""

    def __init__(self, events: pa.Table) -> None:
        columns = ", ".join(f"min(ms) FILTER (stage = '{stage}') AS {stage}" for stage in STAGES)
        found = duckdb.sql(
            "SELECT topic, case_id, arg_min({'class': class, 'grid': grid, 'department': department}, (ms, id)) AS first, "
            f"max(list_position(['community', 'town', 'banner'], level)) AS rank, {columns} "
            "FROM events WHERE case_id <> '' GROUP BY ALL"
        ).fetchall()
        names = ("topic", "case_id", "first", "rank", *STAGES)
        self.cases = [case for row in found if opened(case := dict(zip(names, row, strict=True))) is not None]
        assert events.num_rows > 5_000

    def steps(self) -> Iterator[dict[str, Any]]:
        """Every case and step that began or ended."""
        for case in self.cases:
            tier, limits = tier_of(case["first"]["grid"])
            for step, (start, end) in STEPS.items():
                began, ended = case[start], case[end]
                if began is None and ended is None:
                    continue
                took = ended - began if began is not None and ended is not None and ended >= began else None
                limit = limits.get(step)
                yield {
                    "month": month_of(opened(case)), "grid": case["first"]["grid"], "department": case["first"]["department"],
                    "tier": tier, "step": step, "due": began is not None, "missing": began is not None and ended is None,
                    "disordered": took is None and ended is not None, "took": took,
                    "judged": took is not None and limit is not None,
                    "met": took is not None and limit is not None and took <= limit * 60_000,
                }  # fmt: skip

    def figures(self, *keys: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """Counts and percentiles of the steps by keys."""
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for step in self.steps():
            groups[tuple(step[key] for key in keys)].append(step)
        return {key: figures_of(steps) for key, steps in groups.items()}


STAGES = ["reported", "accepted", "dispatched", "arrived", "resolved", "closed"]


def opened(case: dict[str, Any]) -> int | None:
    return next((case[stage] for stage in STAGES if case[stage] is not None), None)


def month_of(ms: int | None) -> date:
    assert ms is not None
    return datetime.fromtimestamp(ms / 1000, ZONE).date().replace(day=1)


def tier_of(grid: str) -> tuple[str, dict[str, float]]:
    if grid[:12] == "150627001001":
        return "1", {"accept": 0.5, "arrive": 1}
    if grid[:9] in {"150627001", "150627004"}:
        return "3", {"accept": 1, "arrive": 3, "resolve": 30}
    return "5", {"accept": 1, "dispatch": 3, "arrive": 5}


def figures_of(steps: list[dict[str, Any]]) -> tuple[Any, ...]:
    took = sorted(step["took"] for step in steps if step["took"] is not None)
    counts = (sum(step[name] for step in steps) for name in ("due", "missing", "disordered", "judged", "met"))
    due, missing, disordered, judged, met = counts
    return due, len(took), missing, disordered, judged, met, between(took, 0.5), between(took, 0.9)


def between(ordered: list[int], share: float) -> Any:
    """Percentile, linear between neighbours, seconds, to compare with."""
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return pytest.approx((ordered[low] + (ordered[high] - ordered[low]) * (place - low)) / 1000, abs=1e-6)


@pytest.fixture(scope="module")
def recount(filled: Store) -> Recount:
    events = filled.query_arrow(
        "SELECT source_topic AS topic, case_id, id, toUnixTimestamp64Milli(at) AS ms, CAST(stage, 'String') AS stage, "
        "CAST(mediation_level, 'String') AS level, CAST(incident_class, 'String') AS class, CAST(grid, 'String') AS grid, "
        "CAST(department, 'String') AS department FROM events"
    )
    duckdb.register("events", events)
    return Recount(events)


FIGURES = "due, n, missing, disordered, judged, met, p50_seconds, p90_seconds"


def asked(store: Store, view: str, keys: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    number = keys.count(",") + 1
    return {row[:number]: row[number:] for row in store.query(f"SELECT {keys}, {FIGURES} FROM {view}")}


def test_the_data_hold_every_way_a_step_can_go(recount: Recount) -> None:
    seen = Counter(name for step in recount.steps() for name in ("due", "missing", "disordered", "judged", "met") if step[name])
    assert min(seen.values()) > 20, seen
    assert {step["month"] for step in recount.steps()} == {date(2026, 10, 1), date(2026, 11, 1)}
    assert {step["tier"] for step in recount.steps()} == {"1", "3", "5"}


@pytest.mark.parametrize(("level", "digits"), [("banner", 6), ("town", 9), ("community", 12), ("grid", 15)])
def test_levels(filled: Store, recount: Recount, level: str, digits: int) -> None:
    found = asked(filled, f"(SELECT * FROM v_response_levels WHERE level = '{level}')", "month, area, step")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for step in recount.steps():
        groups[step["month"], step["grid"][:digits], step["step"]].append(step)
    assert found == {key: figures_of(steps) for key, steps in groups.items()}


def test_departments(filled: Store, recount: Recount) -> None:
    found = asked(filled, "v_response_departments", "month, department, step")
    assert len({department for _, department, _ in found}) > 5
    assert found == recount.figures("month", "department", "step")


def test_tiers(filled: Store, recount: Recount) -> None:
    assert asked(filled, "v_response_tiers", "month, tier, step") == recount.figures("month", "tier", "step")
    limits = filled.query("SELECT DISTINCT tier, step, limit_seconds FROM v_response_tiers")
    assert {(tier, step): limit for tier, step, limit in limits} == {
        (tier, step): minutes * 60 if (minutes := limits_of.get(step)) else None
        for tier, limits_of in (tier_of(grid) for grid in ("150627001001", "150627001002", ""))
        for step in STEPS
    }


def test_every_case_is_of_one_row_a_step(filled: Store, recount: Recount) -> None:
    steps = list(recount.steps())
    assert filled.query("SELECT count(), uniqExact(case_id, source_topic, step) FROM v_response_steps") == [
        (len(steps), len(steps))
    ]
    assert filled.query("SELECT count() FROM v_response_cases") == [(len(recount.cases),)]


def test_bands(filled: Store, recount: Recount) -> None:
    """KPI bands of 110 bulletins: 签收, 出警, 反馈."""
    minutes = [(5, "0-5 min"), (10, "5-10 min"), (15, "10-15 min"), (30, "15-30 min"), (1e9, "30+ min")]
    bands = {
        "accept": [(0.5, "0-30 s"), (1, "30-60 s"), (2, "60-120 s"), (3, "120-180 s"), (1e9, "180+ s")],
        "dispatch": minutes,
        "arrive": minutes,
        "resolve": [(30, "0-30 min"), (60, "30-60 min"), (120, "1-2 h"), (240, "2-4 h"), (1e9, "4+ h")],
    }
    wanted = Counter(
        (step["step"], next(name for limit, name in bands[step["step"]] if step["took"] <= limit * 60_000))
        for step in recount.steps()
        if step["took"] is not None
    )
    found = filled.query("SELECT step, band, sum(cases) FROM v_response_bands GROUP BY step, band")
    assert {(step, band): cases for step, band, cases in found} == wanted


def test_mediation(filled: Store, recount: Recount) -> None:
    wanted: dict[tuple[date, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for case in recount.cases:
        if not case["rank"]:
            continue
        level = ["community", "town", "banner"][case["rank"] - 1]
        counts = wanted[month_of(opened(case)), case["first"]["grid"][:12], case["first"]["department"], level]
        settled, closed = case["resolved"] is not None, case["closed"] is not None
        for place, hit in enumerate((True, settled, closed and not settled, not closed and not settled)):
            counts[place] += hit
    found = filled.query(
        "SELECT month, community, department, mediation_level, disputes, settled, failed, pending FROM v_mediation"
    )
    assert {row[:4]: list(row[4:]) for row in found} == dict(wanted)
    assert {level for _, _, _, level in wanted} == {"community", "town", "banner"}
    assert min(sum(counts[place] for counts in wanted.values()) for place in range(4)) > 0


@pytest.mark.parametrize(
    ("axis", "of", "wanted"),
    [
        ("responder", ["东原镇", "东原镇派"], {"东原镇派出所": "东原镇派", "东原镇综治中心": "东原镇", "西河镇派出所": "rest"}),
        ("urgency", ["S02", "public_safety"], {"S02": "S02", "S05": "public_safety", "O04": "rest"}),
    ],
)
def test_other_axes(filled: Store, axis: str, of: list[str], wanted: dict[str, str]) -> None:
    """The longest responder and the class before its category decide; what nothing names is of the rest."""
    tiers = [{"tier": selector, "of": [selector], "minutes": {"arrive": 1}} for selector in of]
    fill_tiers(
        filled, ResponseTiers.model_validate({"axis": axis, "tiers": [*tiers, {"tier": "rest", "minutes": {"arrive": 5}}]})
    )
    column = {"responder": "department", "urgency": "incident_class"}[axis]
    found = filled.query(f"SELECT DISTINCT {column}, tier FROM v_response_cases")
    fill_tiers(filled, BY_PLACE)

    assert len({name for name, _ in found}) == len(found)
    assert {name: tier for name, tier in found if name in wanted} == wanted


def test_the_tiers_written_last_count_even_when_they_were_there_before(filled: Store) -> None:
    other = ResponseTiers.model_validate({"axis": "place", "tiers": [{"tier": "all", "minutes": {"arrive": 9}}]})
    fill_tiers(filled, other)
    assert filled.query("SELECT DISTINCT tier, arrive_limit_ms FROM v_response_cases") == [("all", 540_000)]
    fill_tiers(filled, BY_PLACE)
    assert len(filled.query("SELECT DISTINCT tier FROM v_response_cases")) == 3


class TestChange:
    """Month and year-on-year change against plain Python."""

    NEWEST = date(2026, 3, 10)

    @pytest.fixture(params=[date(2025, 1, 1), date(2025, 3, 5), date(2026, 2, 3)])
    def counted(self, request: pytest.FixtureRequest, store: Store) -> tuple[Store, list[tuple[date, str, str]]]:
        """Incidents of days from a first one to NEWEST."""
        chance = random.Random(1)
        first: date = request.param
        span = (self.NEWEST - first).days
        days = [first, self.NEWEST, *(first + timedelta(days=chance.randrange(span)) for _ in range(400))]
        events = [
            Outgoing(
                "police", "/c", str(number), datetime(day.year, day.month, day.day, 1, tzinfo=UTC),
                {"incident_class": chance.choice(["O04", "D01"]), "grid": chance.choice(["150627001001001", "150627002003001"])},
            )
            for number, day in enumerate(days)
        ]  # fmt: skip
        write(store, events)
        return store, [(event.at.date(), event.data["grid"], event.data["incident_class"]) for event in events]

    def test_months(self, counted: tuple[Store, list[tuple[date, str, str]]]) -> None:
        """The newest day is left out; of its month the same days are compared; what begins later is not known, never 0."""
        store, incidents = counted
        last, first = self.NEWEST - timedelta(days=1), min(day for day, _, _ in incidents)
        found = store.query(
            "SELECT month, area, category, days, incidents, days_previous, previous, month_change, days_last_year, last_year, year_change "
            "FROM v_incidents_change WHERE level = 'town'"
        )
        categories = {grid[:9]: set() for _, grid, _ in incidents}  # type: ignore[var-annotated]
        for _, grid, incident_class in incidents:
            categories[grid[:9]].add(taxonomy().category_of(incident_class))
        rows = {row[:3]: row[3:] for row in found}
        assert max(month for month, _, _ in rows) == date(2026, 3, 1)
        for (month, town, category), (days, count, *others) in rows.items():
            assert (days, count) == self.period(incidents, month, town, category, month, last)
            for back, (days_before, before, ratio) in ((1, others[:3]), (12, others[3:])):
                earlier = months_before(month, back)
                if earlier < first:
                    assert (days_before, before, ratio) == (None, None, None)
                    continue
                assert (days_before, before) == self.period(incidents, earlier, town, category, month, last)
                assert ratio == (None if before == 0 else pytest.approx((count - before) / before))
        assert any(row[3] is not None for row in rows.values()) or first > date(2026, 2, 1)

    def period(
        self, incidents: list[tuple[date, str, str]], month: date, town: str, category: str, of: date, last: date
    ) -> tuple[int, int]:
        """Days and incidents of a month, as far as the month `of` has gone."""
        whole = months_before(of, -1) <= last + timedelta(days=1)
        length = (months_before(month, -1) - month).days
        days = length if whole else min(length, last.day)
        inside = [
            1
            for day, grid, incident_class in incidents
            if month <= day < month + timedelta(days=days)
            and grid[:9] == town
            and taxonomy().category_of(incident_class) == category
        ]
        return days, len(inside)


def months_before(month: date, number: int) -> date:
    count = month.year * 12 + month.month - 1 - number
    return date(count // 12, count % 12 + 1, 1)


def test_nothing_stored_is_no_figure(store: Store, tmp_path: Path) -> None:
    assert tmp_path
    for view in ("v_response_levels", "v_response_departments", "v_response_tiers", "v_mediation", "v_incidents_change"):
        assert store.query(f"SELECT count() FROM {view}") == [(0,)]
