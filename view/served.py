"""What routes share while an API runs: its parts, the published days, the hub, the desk, and what was computed already."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request

from view.actions import Desk
from view.answers import tag
from view.days import PublishedDays
from view.live import TICK_SECONDS, Hub
from view.meta import meta
from view.packed import Packed
from view.parts import Parts


class Served:
    """One running API."""

    def __init__(self, parts: Parts, tick_seconds: float = TICK_SECONDS) -> None:
        self.parts = parts
        self.days = PublishedDays(parts.ask, parts.city, parts.zone)
        self.hub = Hub(parts, self.days, tick_seconds)
        self.desk = Desk(parts)
        self.bodies = parts.kept

    @cached_property
    def words(self) -> tuple[dict[str, Any], str]:
        """The body of `/meta` without its stamp, and its ETag: neither changes while the API runs."""
        body = meta(self.parts.city, self.parts.catalogue, self.parts.tiers, self.parts.zone, self.parts.version)
        return body, tag(body)

    @cached_property
    def outlines(self) -> Packed:
        """The GeoJSON of all grids."""
        return Packed.of(self.parts.city.geojson)


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


Api = Annotated[Served, Depends(_served)]
