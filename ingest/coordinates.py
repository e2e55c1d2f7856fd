"""GCJ-02 and BD-09 to WGS-84: Chinese map services shift coordinates, the city's polygons are not shifted.

Formulas   the ones every open converter uses, first published with `eviltransform` (github.com/googollee/eviltransform);
           ellipsoid SK-42 (a = 6378245 m, e2 = 0.00669342162296594323); the authors of GCJ-02 published none.
Inverse    by iteration on the forward formula until a step is below 1e-9 degrees (0.1 mm), so a round trip is exact far
           below 1e-6 degrees. How well the formula meets the real shift is not known to us; others report 1 to 2 m.
Bounds     outside lon 72.004 to 137.8347, lat 0.8293 to 55.8271 nothing is shifted and nothing is changed.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

System: TypeAlias = Literal["wgs84", "gcj02", "bd09"]
Degrees: TypeAlias = NDArray[np.float64] | float

AXIS_M: Final = 6_378_245.0
ECCENTRICITY2: Final = 0.006_693_421_622_965_943_23
BD_ANGLE: Final = np.pi * 3000.0 / 180.0
STEPS: Final = 30
CLOSE: Final = 1e-9


def to_wgs84(lon: Degrees, lat: Degrees, system: System) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees in `system` to degrees WGS-84; arrays of equal shape, or two numbers."""
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if system == "wgs84":
        return x.copy(), y.copy()
    if system == "bd09":
        x, y = bd09_to_gcj02(x, y)
    return gcj02_to_wgs84(x, y)


def wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shift itself."""
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    inside = _in_china(x, y)
    d_lon, d_lat = _shift(x, y)
    return np.where(inside, x + d_lon, x), np.where(inside, y + d_lat, y)


def gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Undo the shift by fixed-point iteration; it changes by under 1 % over its own length, so each step gains two digits."""
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    inside = _in_china(x, y)
    found_x, found_y = x.copy(), y.copy()
    for _ in range(STEPS):
        d_lon, d_lat = _shift(found_x, found_y)
        next_x, next_y = x - d_lon, y - d_lat
        step = np.where(inside, np.maximum(np.abs(next_x - found_x), np.abs(next_y - found_y)), 0.0)
        found_x, found_y = next_x, next_y
        if not np.any(step > CLOSE):
            break
    return np.where(inside, found_x, x), np.where(inside, found_y, y)


def gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Baidu's turn on top of GCJ-02."""
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * BD_ANGLE)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BD_ANGLE)
    inside = _in_china(x, y)
    return np.where(inside, radius * np.cos(angle) + 0.0065, x), np.where(inside, radius * np.sin(angle) + 0.006, y)


def bd09_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Undo Baidu's turn, by the same iteration: the usual closed form is off by 1e-6 degrees."""
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    inside = _in_china(x, y)
    found_x, found_y = x - 0.0065, y - 0.006
    for _ in range(STEPS):
        there_x, there_y = gcj02_to_bd09(found_x, found_y)
        miss_x, miss_y = x - there_x, y - there_y
        found_x, found_y = found_x + miss_x, found_y + miss_y
        if not np.any(np.where(inside, np.maximum(np.abs(miss_x), np.abs(miss_y)), 0.0) > CLOSE):
            break
    return np.where(inside, found_x, x), np.where(inside, found_y, y)


def _in_china(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    return inside


def _shift(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees that GCJ-02 adds to a WGS-84 point."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (waves + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (waves + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    radians = np.radians(lat)
    magic = 1.0 - ECCENTRICITY2 * np.sin(radians) ** 2
    meridian = AXIS_M * (1.0 - ECCENTRICITY2) / (magic * np.sqrt(magic))
    parallel = AXIS_M / np.sqrt(magic) * np.cos(radians)
    return np.degrees(east / parallel), np.degrees(north / meridian)
