"""Coordinates of Chinese map services against published pairs and their own round trip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.coordinates import gcj02_to_bd09, to_wgs84, wgs84_to_gcj02

CHINA = {"lon": st.floats(73.0, 135.0), "lat": st.floats(3.5, 53.5)}


def test_a_published_pair_of_the_shift() -> None:
    """Beijing, (116.404, 39.915) as the README of wandergis/coordtransform prints it."""
    lon, lat = wgs84_to_gcj02(116.404, 39.915)

    assert (float(lon), float(lat)) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)


def test_a_published_pair_of_baidus_turn() -> None:
    lon, lat = gcj02_to_bd09(116.404, 39.915)

    assert (float(lon), float(lat)) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@given(**CHINA)
def test_what_is_shifted_comes_back(lon: float, lat: float) -> None:
    """Within 1e-6 degrees (0.1 m) anywhere in China, from both systems."""
    shifted = wgs84_to_gcj02(lon, lat)
    turned = gcj02_to_bd09(*shifted)

    for x, y in (to_wgs84(*shifted, "gcj02"), to_wgs84(*turned, "bd09")):
        assert (float(x), float(y)) == pytest.approx((lon, lat), abs=1e-6)


def test_arrays_are_converted_like_single_points() -> None:
    lon, lat = np.array([109.8, 116.4, -87.6]), np.array([39.6, 39.9, 41.9])

    together = to_wgs84(lon, lat, "bd09")

    for i in range(3):
        assert (together[0][i], together[1][i]) == pytest.approx([float(v) for v in to_wgs84(lon[i], lat[i], "bd09")], abs=1e-8)


def test_the_shift_is_hundreds_of_metres_in_the_model_city() -> None:
    """So a converter that does nothing could not pass here."""
    lon, lat = to_wgs84(109.8, 39.6, "gcj02")

    assert 0.001 < abs(109.8 - float(lon)) < 0.02
    assert 0.0003 < abs(39.6 - float(lat)) < 0.02


@pytest.mark.parametrize("system", ["wgs84", "gcj02", "bd09"])
def test_outside_china_nothing_changes(system: str) -> None:
    lon, lat = to_wgs84(-87.6298, 41.8781, system)  # type: ignore[arg-type]

    assert (float(lon), float(lat)) == (-87.6298, 41.8781)
