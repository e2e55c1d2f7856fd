"""Where events happened: the same answers as asking every polygon in turn, and a stated rule where two could answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
import shapely.geometry
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.city import build_city
from schemas.places import Grid, Places
from streams.locate import Locator

CITY = build_city(1).places
SHAPES = [(grid.code, shapely.geometry.shape(grid.geometry)) for grid in CITY.grids]
LOCATOR = Locator(CITY)
CORNERS = [corner for _, shape in SHAPES for corner in shape.exterior.coords]

Row = tuple[float | None, float | None, str | None, str | None]


def located(rows: list[Row], locator: Locator = LOCATOR) -> list[tuple[str, str, bool]]:
    """(grid, located_by, swapped) of each (lon, lat, grid, place)."""
    lon, lat = (np.array([np.nan if row[i] is None else row[i] for row in rows], float) for i in (0, 1))
    grid, place = (pl.Series([row[i] for row in rows], dtype=pl.String) for i in (2, 3))
    found = locator.locate(lon, lat, grid, place)
    return list(zip(found.grid, found.located_by, found.swapped.tolist(), strict=True))


def naive(lon: float, lat: float) -> str:
    """The first grid in code order that covers the point, "" for none."""
    return next((code for code, shape in SHAPES if shape.covers(shapely.Point(lon, lat))), "")


inside = st.tuples(st.floats(109.0, 110.4), st.floats(38.9, 39.8))
corner = st.sampled_from(CORNERS)
edge = st.builds(lambda a, b: ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), corner, corner)
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
swapped = inside.map(lambda point: (point[1], point[0]))


@given(st.lists(st.one_of(inside, corner, edge, anywhere, swapped), min_size=1, max_size=12))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_batch_is_located_as_asking_every_polygon_would(points: list[tuple[float, float]]) -> None:
    """Corners lie on several polygons: the lowest code takes them. Swapped: in the city only when exchanged."""
    expected = []
    for lon, lat in points:
        code = naive(lon, lat)
        expected.append((code, "coordinates" if code else "outside", not code and naive(lat, lon) != ""))
    assert located([(lon, lat, None, None) for lon, lat in points]) == expected


def square(code: str, west: float, south: float, name: str = "", **names: str) -> Grid:
    ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1], [west, south]]
    geometry: dict[str, Any] = {"type": "Polygon", "coordinates": [ring]}
    return Grid(code, name, names.get("community", ""), names.get("town", ""), names.get("banner", ""), geometry)


A, B, C, D = "150602001001001", "150602001001002", "150602002001001", "150603001001001"
SQUARES = Places.of([
    square(A, 109, 39, "first", community="c1", town="t1", banner="b1"),
    square(B, 110, 39, "second", community="c1", town="t1", banner="b1"),
    square(C, 109, 40, "first", community="c2", town="t2", banner="b1"),
    Grid(D, "nameless land", "c3", "t1", "b2", None),
])  # fmt: skip
FOUR = Locator(SQUARES)


@pytest.mark.parametrize(
    ("row", "grid", "how"),
    [
        ((109.5, 39.5, None, None), A, "coordinates"),
        ((110.0, 39.5, None, None), A, "coordinates"),  # on the edge between A and B
        ((110.0, 40.0, None, None), A, "coordinates"),  # on the corner of three
        ((109.5, 40.0, None, None), A, "coordinates"),
        ((111.0, 40.0, None, None), B, "coordinates"),
        ((109.5, 39.5, B, "c2"), A, "coordinates"),  # coordinates before grid before place
        ((100.0, 39.5, B, "c2"), B, "grid"),
        ((None, None, B, "c2"), B, "grid"),
        ((None, None, "150602001001009", "c2"), "150602002001000", "place"),
        ((100.0, 39.5, "150602001001009", "c2"), "150602002001000", "place"),
        ((None, None, None, "b1"), "150602000000000", "place"),
        ((None, None, None, "t2"), "150602002000000", "place"),
        ((None, None, None, "second"), B, "place"),
        ((None, None, D, None), D, "grid"),  # known by code and name, without a polygon
        ((None, None, None, "nameless land"), D, "place"),
        ((None, None, None, "first"), "", "outside"),  # two grids are called so
        ((None, None, None, "t1"), "", "outside"),  # so are two towns
        ((None, None, None, "Second"), "", "outside"),
        ((None, None, None, ""), "", "outside"),
        ((100.0, 39.5, None, None), "", "outside"),
        ((None, None, "150602001001009", None), "", "outside"),
        ((None, None, None, "Atlantis"), "", "outside"),
        ((None, None, None, None), "", "none"),
    ],
)
def test_coordinates_then_grid_then_place(row: Row, grid: str, how: str) -> None:
    assert located([row], FOUR) == [(grid, how, False)]
    assert located([(None, None, None, None), row, row], FOUR)[1:] == [(grid, how, False)] * 2


def test_where_levels_share_a_name_the_finer_wins() -> None:
    places = Places.of(
        [
            square(A, 109, 39, "x", community="x", town="x", banner="b"),
            square(B, 110, 39, "y", community="z", town="x", banner="b"),
        ]
    )
    assert located([(None, None, None, "x")], Locator(places)) == [(A, "place", False)]


def test_coordinates_in_the_city_only_when_exchanged_are_swapped() -> None:
    assert located([(39.5, 109.5, None, None), (39.5, 109.5, A, None), (39.5, 50.0, None, None)], FOUR) == [
        ("", "outside", True), (A, "grid", True), ("", "outside", False),
    ]  # fmt: skip


def test_where_both_orders_lie_in_the_city_the_point_stands() -> None:
    """A city across the diagonal: nothing says that such a point is swapped."""
    places = Places.of([square(A, 10, 11), square(B, 11, 10)])
    assert located([(10.5, 11.5, None, None), (11.5, 10.5, None, None)], Locator(places)) == [
        (A, "coordinates", False), (B, "coordinates", False),
    ]  # fmt: skip


def test_multipolygons_and_holes() -> None:
    ring = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    hole = [[1, 1], [1, 3], [3, 3], [3, 1], [1, 1]]
    far = [[10, 10], [11, 10], [11, 11], [10, 11], [10, 10]]
    places = Places.of([Grid(A, "", "", "", "", {"type": "MultiPolygon", "coordinates": [[ring, hole], [far]]})])
    rows: list[Row] = [(0.5, 0.5, None, None), (2, 2, None, None), (10.5, 10.5, None, None), (1, 2, None, None)]
    assert [grid for grid, _, _ in located(rows, Locator(places))] == [A, "", A, A]


@pytest.mark.parametrize("places", [Places(()), Places.of([Grid(A, "only a name", "", "", "", None)])])
def test_a_city_without_polygons_flags_every_point(places: Places) -> None:
    assert located([(109.5, 39.5, None, None), (None, None, None, "nowhere"), (None, None, None, None)], Locator(places)) == [
        ("", "outside", False), ("", "outside", False), ("", "none", False),
    ]  # fmt: skip


def test_an_empty_batch_has_an_empty_answer() -> None:
    assert located([]) == []
