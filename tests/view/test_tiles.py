"""The map of equal tiles: every area once, and neighbours near."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.city import build_city
from view.city import CityMap
from view.tiles import tiles

NEAR = 4


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=40))
def test_no_two_areas_share_a_tile(points: list[tuple[float, float]]) -> None:
    assert len(set(tiles(points))) == len(points)


def test_neighbours_stay_near() -> None:
    """Of the four nearest grids nine in ten lie within two tiles; at random it would be one in eleven."""
    city = CityMap(build_city(1).places)
    points = np.array(list(city.label_points.values()))
    places = np.array(list(city.tile_places.values()))
    away = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    nearest = away.argsort(axis=1)[:, 1 : NEAR + 1]
    steps = np.abs(places[nearest] - places[:, None]).max(axis=2)

    assert (steps <= 2).mean() > 0.9
    assert places.max(axis=0).tolist() == [14, 16]
