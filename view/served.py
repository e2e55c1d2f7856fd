"""What routes share while an API runs: its parts, the published days, the hub, the desk, and states already computed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from view.actions import Desk
from view.answers import tag
from view.days import PublishedDays
from view.live import TICK_SECONDS, Hub
from view.meta import meta
from view.parts import Parts

KEPT: Final = 256


class Once:
    """Computes a body once for each key, however many ask at the same time; keeps the last ones."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, dict[str, Any]] = OrderedDict()
        self._locks: OrderedDict[Hashable, threading.Lock] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The body of a key."""
        with self._guard:
            if key in self._known:
                return self._known[key]
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._known:
                body = make()
                with self._guard:
                    self._known[key] = body
                    self._locks.pop(key, None)
                    while len(self._known) > KEPT:
                        self._known.popitem(last=False)
                return body
            return self._known[key]


class Served:
    """One running API."""

    def __init__(self, parts: Parts, tick_seconds: float = TICK_SECONDS) -> None:
        self.parts = parts
        self.days = PublishedDays(parts.ask, parts.city, parts.zone)
        self.hub = Hub(parts, self.days, tick_seconds)
        self.desk = Desk(parts)
        self.bodies = Once()

    @cached_property
    def words(self) -> tuple[dict[str, Any], str]:
        """The body of `/meta` without its stamp, and its ETag: neither changes while the API runs."""
        body = meta(self.parts.city, self.parts.catalogue, self.parts.tiers, self.parts.version)
        return body, tag(body)


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


Api = Annotated[Served, Depends(_served)]
