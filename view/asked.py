"""Query parameters that several routes share: types with bounds, so that nothing else reaches a query."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from schemas.taxonomy import taxonomy
from view.city import CATEGORIES

EARLIEST: Final = datetime.fromisoformat("1971-01-01T00:00:00+00:00")
LATEST: Final = datetime.fromisoformat("2100-01-01T00:00:00+00:00")


RFC_3339: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")


def _in_range(at: datetime) -> datetime:
    """The time, or the nearest that the store can hold."""
    return min(max(at, EARLIEST), LATEST)


def _written_out(given: Any) -> Any:
    """Not a number of seconds, which pydantic would take as well."""
    if isinstance(given, str) and not RFC_3339.match(given):
        raise ValueError("wanted a time as 2026-11-25T08:00:00+08:00")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_range)]
Area = Annotated[
    str,
    Query(
        pattern=r"^[0-9]{6}([0-9]{3}){0,3}$",
        description="prefix of a grid code: banner 6, town 9, community 12, grid 15 digits",
    ),
]
Category = StrEnum("Category", {name: name for name in [*CATEGORIES, *taxonomy().classes]})  # type: ignore[misc]
"""A risk category or an incident class."""
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[
    str, Query(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the page before")
]
Identifier = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
AlertPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


Month = Annotated[
    str,
    Query(
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="month of the deployment's time zone, as 2026-11; else the newest"
    ),
]


def first_day(month: str) -> date:
    """The day a month begins with."""
    return date.fromisoformat(f"{month}-01")


class AreaLevel(StrEnum):
    """Which areas an answer lists."""

    GRID = "grid"
    COMMUNITY = "community"
    TOWN = "town"
    BANNER = "banner"


class Step(StrEnum):
    """Length of a step of a series; a day is a local day."""

    HOUR = "hour"
    DAY = "day"


LONGEST: Final = {Step.HOUR: timedelta(hours=2000), Step.DAY: timedelta(days=2000)}
"""At most 2,000 steps an answer."""
