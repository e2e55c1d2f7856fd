"""What the API is made of: callables and facts that wiring hands in. Nothing here opens a connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.alerts import AlertAction
from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import shipped
from schemas.response import ResponseTiers, shipped_tiers
from view.city import CityMap
from view.once import Once
from view.who import Tokens

Rows = list[dict[str, Any]]
Ask = Callable[[str, Mapping[str, Any]], Rows]
"""(SELECT with `{name:Type}`, values) -> rows by column name. Raises CitybrainError."""
Publish = Callable[[AlertAction], None]
"""Write an action to the log; returns when the broker has confirmed it. Raises CitybrainError."""

PULSE: Final = (
    "SELECT (SELECT count() FROM alerts) + (SELECT count() FROM alert_actions) AS alerts, (SELECT count() FROM blocks) + alerts AS seq, "
    "(SELECT toDateTime64(max(minute), 0, 'UTC') FROM counts_minute) AS newest, now64(3, 'UTC') AS store_at"
)
FRESH_SECONDS: Final = 2.0
"""A pulse younger than this answers for the present. The live stream's producer asks every second, so requests seldom have to."""


class Pulse(NamedTuple):
    """How far the store is. `seq` grows with every stored record; `watermark` is the end of the newest minute with an event.

    `watermark` is None while nothing is stored. `as_of` is when the store said so, `store_at` the same by the store's clock.
    `alerts` is the part of `seq` that alerts and actions make.
    """

    seq: int
    as_of: datetime
    watermark: datetime | None
    store_at: datetime
    alerts: int = 0


@dataclass
class Parts:
    """One running API. `anonymous`: who has no token is served the city, masked. `hosts`: names we answer to; None: any.

    `late_after`: what comes so long after it happened is late.
    """

    ask: Ask
    publish: Publish
    city: CityMap
    zone: ZoneInfo
    tokens: Tokens = field(default_factory=lambda: Tokens((), shipped()))
    catalogue: Catalogue = field(default_factory=shipped)
    tiers: ResponseTiers = field(default_factory=shipped_tiers)
    anonymous: bool = True
    hosts: frozenset[str] | None = None
    version: str = "0"
    late_after: timedelta = timedelta(minutes=10)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    kept: Once = field(default_factory=Once)
    _pulse: Pulse | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pulse(self) -> Pulse:
        """The present state of the store, at most `FRESH_SECONDS` old."""
        if known := self.fresh():
            return known
        with self._lock:
            return self.fresh() or self.look()

    def fresh(self) -> Pulse | None:
        """The same, if the store need not be asked for it."""
        known = self._pulse
        return known if known and (self.now() - known.as_of).total_seconds() < FRESH_SECONDS else None

    def look(self) -> Pulse:
        """Ask the store now."""
        as_of = self.now()
        (row,) = self.ask(PULSE, {})
        newest = row["newest"]
        # Of an empty table ClickHouse gives the greatest time as 1970.
        watermark = newest + timedelta(minutes=1) if newest and newest.year > 1970 else None
        self._pulse = found = Pulse(int(row["seq"]), as_of, watermark, row["store_at"], int(row["alerts"]))
        return found

    @property
    def last_pulse(self) -> Pulse | None:
        """The last one the store gave, however old."""
        return self._pulse
