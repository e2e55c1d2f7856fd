"""The model city's places fit together and can be found again."""

from __future__ import annotations

import pytest
import shapely
import shapely.geometry

from ingest.city.geography import GRIDS, OUTLINE, City, build_city
from schemas.places import Places

SEEDS = range(1, 9)


def shapes(city: City) -> list[shapely.Polygon]:
    return [shapely.geometry.shape(grid.geometry) for grid in city.places.grids]


@pytest.mark.parametrize("seed", SEEDS)
def test_grids_cover_the_banner_without_gaps_or_overlaps(seed: int) -> None:
    """Rounded to six decimals, every polygon is valid and neighbours share their vertices."""
    cells = shapes(build_city(seed))

    assert all(cell.is_valid and cell.geom_type == "Polygon" for cell in cells)
    assert shapely.coverage_is_valid(cells)
    assert sum(cell.area for cell in cells) == pytest.approx(OUTLINE.area, abs=1e-5)
    assert shapely.union_all(cells).interiors[:] == []


def test_polygons_are_as_geojson_wants_them() -> None:
    """Longitude first, six decimals, exterior ring closed and counter-clockwise (RFC 7946)."""
    for cell in shapes(build_city(1)):
        ring = list(cell.exterior.coords)

        assert shapely.is_ccw(cell.exterior)
        assert ring[0] == ring[-1]
        assert all(109.0 <= lon <= 110.4 and 38.9 <= lat <= 39.8 for lon, lat in ring)
        assert all(round(number, 6) == number for vertex in ring for number in vertex)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_are_245_grids_in_7_towns_and_about_40_communities(seed: int) -> None:
    places = build_city(seed).places
    levels = [level for level, _, _ in places.areas()]

    assert len(places.grids) == levels.count("grid") == GRIDS == 245
    assert levels.count("town") == 7
    assert 36 <= levels.count("community") <= 46
    assert all(grid.code.startswith("150627") for grid in places.grids)


def test_a_name_stands_for_one_area_only() -> None:
    """So that a place can be found by its name."""
    names = [name for _, _, name in build_city(1).places.areas()]

    assert len(names) == len(set(names))


def test_the_core_is_dense_and_the_pasture_wide() -> None:
    city = build_city(1)
    areas = [cell.area for cell in shapes(city)]
    core = [areas[index] for index in city.grids_of("150627001")]

    assert max(areas) > 50 * sorted(core)[len(core) // 2]


def test_points_lie_inside_their_grid() -> None:
    city = build_city(1)

    assert all(shapely.contains_xy(cell, city.inside[i]).all() for i, cell in enumerate(shapes(city)))
    assert city.shares.sum() == pytest.approx(1)


def test_the_same_seed_gives_the_same_city() -> None:
    first, again = build_city.__wrapped__(3), build_city.__wrapped__(3)

    assert first.places == again.places
    assert (first.inside == again.inside).all()
    assert first.places != build_city(4).places


def test_places_survive_the_way_through_geojson() -> None:
    places = build_city(1).places

    assert [g.code for g in Places.from_geojson(places.to_geojson()).grids] == [g.code for g in places.grids]
