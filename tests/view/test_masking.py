"""Without a duty token: everything that is answered, put together, gives no small count away."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from tests.view.test_numbers import get, recount
from tests.view.world import COMMUNITY, NOW, OTHER, World, bearer
from view.attack import System, bounds
from view.city import CATEGORIES, CityMap
from view.days import ALL, table_sums
from view.suppress import LEAST_SHOWN

DAY = "2026-11-20"
LEVELS = ("grid", "community", "town", "banner")


@pytest.fixture(scope="module")
def city(world: World) -> CityMap:
    return CityMap(world.places)


@pytest.fixture(scope="module")
def truth(world: World, city: CityMap) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The day as it was: areas by category and their sum, from the facts."""
    found = np.zeros((len(city.codes), ALL + 1), dtype=np.int64)
    for row, code in enumerate(city.codes):
        counts = recount_of(world, len(code))
        found[row, :ALL] = [counts.get((code, category), 0) for category in CATEGORIES]
    found[:, ALL] = found[:, :ALL].sum(axis=1)
    return found


_COUNTED: dict[int, dict[tuple[str, str], int]] = {}


def recount_of(world: World, digits: int) -> dict[tuple[str, str], int]:
    if digits not in _COUNTED:
        _COUNTED[digits] = recount(world, digits, "2026-11-19 16:00:00", "2026-11-20 16:00:00")
    return _COUNTED[digits]


@pytest.fixture(scope="module")
def told(api: httpx.Client, city: CityMap) -> dict[tuple[int, int], int]:
    """Every number about the day that any route tells without a duty token, by row and column of the truth."""
    row = {code: at for at, code in enumerate(city.codes)}
    found: dict[tuple[int, int], int] = {}

    def note(area: str, column: int, n: int | None) -> None:
        if n is not None:
            assert found.setdefault((row[area], column), n) == n, "two answers about one cell differ"

    for token in (None, "city-open", "own-open"):
        for level in LEVELS:
            body = get(api, "state", token, level=level, at=f"{DAY}T12:00:00+08:00")
            assert body["window"]["day"] == DAY
            for at, area in enumerate(body["areas"]):
                for column in range(ALL):
                    note(area, column, body["n"][at][column])
            for column, n in enumerate(body["sum"]):
                note(COMMUNITY if token == "own-open" else "", column, n)  # noqa: S105 - a name
            table = api.get(
                "/api/v1/export/grids.csv", params={"level": level, "at": f"{DAY}T12:00:00+08:00"}, headers=bearer(token)
            )
            for line in csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))):
                note(line["area"], CATEGORIES.index(line["category"]), int(line["n"]) if line["n"] else None)
            for item in get(api, "movers", token, level=level, limit=500)["items"]:
                note(item["area"], CATEGORIES.index(item["cat"]), item["obs"])
    for area in ("", COMMUNITY, OTHER, OTHER[:9]):
        for column, cat in enumerate([*CATEGORIES, None]):
            asked = {"from": f"{DAY}T00:00:00+08:00", "to": f"{DAY}T23:59:00+08:00"} | ({"area": area} if area else {})
            body = get(api, "series", None, **asked, **({"cat": cat} if cat else {}))
            note(area, column, body["obs"][0])
    for at in range(len(city.codes)):  # who reads all categories of an area knows their sum
        if all((at, column) in found for column in range(ALL)):
            found.setdefault((at, ALL), sum(found[at, column] for column in range(ALL)))
    return found


def test_what_is_told_is_true(told: dict[tuple[int, int], int], truth: Any) -> None:
    assert told
    assert {cell: n for cell, n in told.items() if truth[cell] != n} == {}


def test_no_small_number_is_told_and_zero_is(told: dict[tuple[int, int], int]) -> None:
    assert {n for n in told.values() if 0 < n < 5} == set()
    assert 0 in told.values()


def test_the_attack_finds_no_small_cell(told: dict[tuple[int, int], int], truth: Any, city: CityMap) -> None:
    """A linear program over everything told, for each cell that was small: it may always have been 5 or more.

    So none is known, and none is known to be small. Of all those the smallest and some by chance, each cell alone.
    """
    hidden = np.ones(truth.shape, dtype=bool)
    for cell in told:
        hidden[cell] = False
    system = System(truth.ravel(), table_sums(city), hidden.ravel())
    small = np.flatnonzero(((truth > 0) & (truth < 5)).ravel())
    assert hidden.ravel()[small].all()
    assert len(small) > 50
    for cell in np.random.default_rng(3).choice(small, 40, replace=False):
        least, most = bounds(system, int(cell))
        assert least < truth.ravel()[cell] + 1e-6 < most
        assert most > 5 - 1e-6


def test_the_attack_would_find_them_without_complements(truth: Any, city: CityMap) -> None:
    """The test can fail: of cells hidden only because they are small, some are known exactly."""
    plain = ((truth > 0) & (truth < 5)).ravel()
    system = System(truth.ravel(), table_sums(city), plain)
    exact = 0
    for cell in np.random.default_rng(3).choice(np.flatnonzero(plain), 40, replace=False):
        least, most = bounds(system, int(cell))
        exact += most - least < 1e-6
    assert exact > 0


def test_useful_numbers_are_left(told: dict[tuple[int, int], int], truth: Any) -> None:
    """Of the cells of 5 and more, a good part is told."""
    large = [(int(row), int(column)) for row, column in np.argwhere(truth[:, :ALL] >= LEAST_SHOWN)]
    assert len([cell for cell in large if cell in told]) >= len(large) / 5


@pytest.mark.parametrize("token", [None, "city-open", "own-open"])
class TestNothingFinerIsTold:
    @pytest.mark.parametrize(
        "path",
        [
            "state?window=1h", "state?window=24h", "state?window=7d", "series?step=hour", "series?cat=D03", "movers?window=24h", "events", "response/mediation", "response/change",
            "cases/case-1-1/timeline", "alerts?cat=D03", "export/grids.csv?window=6h", "export/grids.geojson?window=1h",
            "export/series.csv?step=hour", "alerts?area=150627001001001",
        ],
    )  # fmt: skip
    def test_it_needs_a_duty_token(self, api: httpx.Client, token: str | None, path: str) -> None:
        answer = api.get(f"/api/v1/{path}", headers=bearer(token))
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] == "urn:citybrain:problem:needs-duty-token"

    def test_a_day_that_is_not_over_is_not_told(self, api: httpx.Client, token: str | None) -> None:
        for at in (NOW, NOW + timedelta(days=3)):
            assert get(api, "state", token, at=at.isoformat())["window"]["day"] == DAY
        assert max(get(api, "series", token, to=(NOW + timedelta(days=9)).isoformat())["t"]) == DAY

    def test_alerts_have_no_number_no_id_and_no_small_area(self, api: httpx.Client, world: World, token: str | None) -> None:
        ids = {row[0] for row in world.rows("SELECT alert_id FROM alerts")}
        listed = get(api, "alerts", token)
        assert listed["items"]
        for item in [*listed["items"], *(get(api, f"alerts/{one['id']}", token) for one in listed["items"])]:
            assert item["masked"]
            assert item["id"] not in ids
            assert len(item["area"]) <= (12 if token == "own-open" else 9)  # noqa: S105 - a name
            assert not any(item[name] for name in ("observed", "expected", "upper", "p", "q", "incident_class", "window_start"))
            assert item.get("evidence") is None
            assert not item.get("actions")
            assert item["at"].endswith(":00:00Z")
        for one in ids:
            assert api.get(f"/api/v1/alerts/{one}", headers=bearer(token)).status_code == 404

    def test_levels_and_sources_tell_nothing_of_a_moment(self, api: httpx.Client, token: str | None) -> None:
        body = get(api, "state", token)
        assert body["level"] is None
        assert body["why"] == []
        assert {one["last"] for one in body["sources"]} == {None}


def test_response_figures_hide_small_rows_and_what_would_give_them_away(world: World) -> None:
    """October is not in the data, November is not over: a month later it is."""
    before, world.now = world.now, NOW + timedelta(days=31)
    try:
        with world.client() as later:
            shown = {by: get(later, "response", None, by=by)["items"] for by in ("tier", "dept", "street")}
            exact = {by: get(later, "response", by=by, month="2026-11")["items"] for by in ("tier", "dept", "street")}
    finally:
        world.now = before
    for by, rows in shown.items():
        true = {(row["key"], row["step"]): row for row in exact[by]}
        assert rows
        for row in rows:
            assert row["step"] == "arrive"
            real = true[row["key"], row["step"]]
            parts = (real["due"], real["met"], real["judged"] - real["met"], real["due"] - real["judged"])
            if row["masked"]:
                assert (row["due"], row["met"], row["judged"], row["share"]) == (None, None, None, None)
            else:
                assert (row["due"], row["met"], row["judged"]) == (real["due"], real["met"], real["judged"])
                assert not any(0 < n < 5 for n in parts)
