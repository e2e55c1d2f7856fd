"""Devices that fell silent: grouped so that one broken gateway is one alert. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.places import PREFIX, Level

NAME: Final = "device_silence"
SILENT_HOURS: Final = 6
"""Whole hours without a reading after which a device counts as silent."""
ACTIVE_HOURS: Final = 24
"""Hours with readings in the week before that make a device one whose silence means something."""
LOOK_BACK_HOURS: Final = 7 * 24
TOGETHER: Final[tuple[tuple[Level, int], ...]] = (("banner", 20), ("town", 5), ("grid", 1))
"""So many devices of an area that fall silent in the same hour are told as one, widest area first."""
MOST_NAMED: Final = 20


class Silent(NamedTuple):
    """A device whose last of SILENT_HOURS silent hours is `hour` (since 1970)."""

    hour: int
    device: str
    grid: str


class SilentGroup(NamedTuple):
    """Devices of one area that fell silent in the same hour, by name."""

    hour: int
    level: Level
    area: str
    devices: tuple[str, ...]


def grouped(silent: Sequence[Silent]) -> list[SilentGroup]:
    """In the order of time and area; every device is in exactly one group."""
    found = []
    for hour in sorted({one.hour for one in silent}):
        left = sorted({(one.grid, one.device) for one in silent if one.hour == hour})
        for level, least in TOGETHER:
            areas: dict[str, list[str]] = {}
            for grid, device in left:
                areas.setdefault(grid[: PREFIX[level]], []).append(device)
            told = {area: devices for area, devices in areas.items() if len(devices) >= least}
            found += [SilentGroup(hour, level, area, tuple(devices)) for area, devices in told.items()]
            left = [(grid, device) for grid, device in left if grid[: PREFIX[level]] not in told]
    return found


def silence_query(first: int, end: int) -> str:
    """Rows (hour, device, grid) of devices whose SILENT_HOURS-th silent hour lies in [first, end), hours since 1970.

    Only gaps leave the store, however many readings there are.
    """
    since = first - SILENT_HOURS - LOOK_BACK_HOURS
    return (
        f"SELECT h + {SILENT_HOURS} AS hour, device, grid FROM (SELECT device, argMax(grid, sensor_rollup.hour) AS grid, "
        "arraySort(groupUniqArray(toInt64(intDiv(toUnixTimestamp(sensor_rollup.hour), 3600)))) AS heard "
        f"FROM sensor_rollup WHERE sensor_rollup.hour >= toDateTime({since * 3600}, 'UTC') "
        f"AND sensor_rollup.hour < toDateTime({end * 3600}, 'UTC') GROUP BY device) "
        f"ARRAY JOIN arrayFilter((x, n) -> n - x > {SILENT_HOURS} AND x + {SILENT_HOURS} >= {first} AND x + {SILENT_HOURS} < {end}, "
        f"heard, arrayPushBack(arrayPopFront(heard), toInt64({end}))) AS h "
        f"WHERE grid != '' AND arrayCount(x -> x <= h AND x > h - {LOOK_BACK_HOURS}, heard) >= {ACTIVE_HOURS} ORDER BY hour, device"
    )
