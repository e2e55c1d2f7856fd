"""A city in a real chDB for tests of the view: events through the real kitchen, alerts and actions through their writer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import uvicorn

from citybrain.asking import asking_store
from ingest.city import build_city
from ingest.outgoing import Outgoing, encode
from schemas.alerts import AlertAction, AlertRaised, encode_alert
from schemas.block import encode_block
from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import shipped
from schemas.events import Kind
from schemas.places import Places
from schemas.topics import RAW
from sinks.alert_writer import AlertWriter
from sinks.ledger import Position
from sinks.migrate import fill_lookups, migrate
from sinks.store import Store
from sinks.writer import BlockWriter
from streams.cook import Kitchen, cook
from streams.locate import Locator
from streams.records import RawRecord
from streams.rules import shipped_rules
from streams.worker import header_of
from tests.alerts import raised
from view.app import build_app
from view.city import CityMap
from view.parts import Parts
from view.who import Token, Tokens, digest_of

ZONE: Final = ZoneInfo("Asia/Shanghai")
NOW: Final = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)  # 10:30 in the city
DAYS: Final = 16
COMMUNITY, OTHER = "150627001001", "150627004001"
SECRETS: Final = {
    "city-duty": ("city", True), "city-open": ("city", False), "own-duty": (f"community:{COMMUNITY}", True),
    "own-open": (f"community:{COMMUNITY}", False), "fire-duty": ("department:fire", True),
}  # fmt: skip
CLASSES: Final = ("O04", "O12", "D01", "D02", "S01", "S05", "S04", "C01", "P01", "U00")
WEIGHTS: Final = np.array([4, 8, 9, 3, 1, 30, 1, 1, 0.3, 6]) / 63.3
STAGES: Final = {"accepted": 40, "dispatched": 150, "arrived": 400, "resolved": 4000}


def places() -> Places:
    """A part of the simulated city: masks of the whole take seconds a day."""
    parts = (COMMUNITY[:11], OTHER[:9], "150627002")
    return Places.of(grid for grid in build_city(1).places.grids if grid.code.startswith(parts))


def tokens(catalogue: Catalogue | None = None) -> Tokens:
    """One token of each kind; the secret is the name with an x in front."""
    entries = (
        Token(name=name, sha256=digest_of(f"x{name}"), scope=scope, duty=duty, created=NOW)
        for name, (scope, duty) in SECRETS.items()
    )
    return Tokens(entries, catalogue or shipped())


def bearer(name: str | None) -> dict[str, str]:
    """Headers of a token; none: without one."""
    return {"Authorization": f"Bearer x{name}"} if name else {}


def incident(name: str, grid: str, at: datetime, incident_class: str = "D01", **data: Any) -> Outgoing:
    """One incident of the police; its case has its name."""
    return Outgoing(
        "police",
        "/110",
        name,
        at,
        {"grid": grid, "incident_class": incident_class, "case_id": name, "stage": "reported"} | data,
    )


class World:
    """The store, its writers, and a client of the API over it."""

    def __init__(self, folder: Path, places: Places, first_offset: int = 0) -> None:
        self.folder, self.places = folder, places
        self.store = Store.connect(str(folder))
        migrate(self.store, ZONE.key)
        fill_lookups(self.store, places)
        self.now = NOW
        self._offsets = dict.fromkeys(("risk", "alerts", "police", "sensor", "grid"), first_offset)
        self._writer, self._alerts = BlockWriter(self.store), AlertWriter(self.store)
        locator = Locator(places)
        self._kitchens: dict[Kind, Kitchen] = {kind: Kitchen(kind, locator, shipped_rules()) for kind in RAW}
        self.published: list[AlertAction] = []
        self.loading = True

    def write(self, kind: Kind, events: list[Outgoing], delay: timedelta | None = None) -> None:
        """Store events as one block. They came together an hour from now, or each so long after it happened."""
        first = self._offsets[kind]
        self._offsets[kind] += len(events)
        arrived = int((self.now + timedelta(hours=1)).timestamp() * 1000)
        came = [arrived if delay is None else int((event.at + delay).timestamp() * 1000) for event in events]
        records = [RawRecord(first + number, came[number], encode(event).value, ()) for number, event in enumerate(events)]
        cooked = cook(self._kitchens[kind], records)
        headers = header_of(cooked, RAW[kind].name, f"raw-{kind}", 0).to_kafka()
        self._writer.write(Position("risk-1", 0, self._next("risk")), headers, encode_block(cooked.table))

    def tell(self, event: AlertRaised | AlertAction) -> None:
        """Store an alert or an action."""
        received = int(self.now.timestamp() * 1000)
        self._alerts.write(Position("alerts-1", 0, self._next("alerts")), encode_alert(event).value, received)

    def storm(self, events: list[AlertRaised]) -> None:
        """Store many alerts."""
        for event in events:
            self.tell(event)

    def publish(self, event: AlertAction) -> None:
        """The log: it keeps what it gets, and while `loading` the loader stores it at once."""
        self.published.append(event)
        if self.loading:
            self.tell(event)

    def catch_up(self) -> None:
        """The loader stores what it had left."""
        for event in self.published:
            self.tell(event)

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """An answer of ClickHouse itself."""
        return self.store.query(sql, dict(values or {}))

    def parts(self, **changes: Any) -> Parts:
        """Parts of an API over this store."""
        made: dict[str, Any] = {
            "ask": asking_store(lambda: Store.connect(str(self.folder), readonly=True)), "publish": self.publish,
            "city": CityMap(self.places), "zone": ZONE, "tokens": tokens(), "now": lambda: self.now,
        } | changes  # fmt: skip
        return Parts(**made)

    @contextmanager
    def client(self, **changes: Any) -> Iterator[httpx.Client]:
        """A client of an API that a real server runs."""
        with serving(self.parts(**changes)) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client

    def _next(self, name: str) -> int:
        self._offsets[name] += 1
        return self._offsets[name] - 1


@contextmanager
def serving(parts: Parts) -> Iterator[str]:
    """Address of uvicorn in a thread, over these parts."""
    config = uvicorn.Config(build_app(parts, tick_seconds=0.1), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)  # so that who does not read is seen soon
    listening.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def build_world(folder: Path) -> World:
    """`DAYS` days of incidents, today's morning, cases with their stages, sensors, and three alerts."""
    world = World(folder, places())
    chance = np.random.default_rng(7)
    shares = chance.gamma(0.7, 1.0, len(world.places.grids))
    shares /= shares.sum()
    midnight = datetime(2026, 11, 21, tzinfo=ZONE) - timedelta(days=DAYS)
    told: list[Outgoing] = []
    for day in range(DAYS + 1):
        hours = 24.0 if day < DAYS else 10.0
        for number in range(int(500 * hours / 24)):
            at = midnight + timedelta(days=day, hours=float(chance.uniform(0, hours)))
            grid = world.places.grids[int(chance.choice(len(shares), p=shares))].code
            told += _case(f"{day}-{number}", at, grid, str(chance.choice(CLASSES, p=WEIGHTS)), chance)
    world.write("police", told)
    world.write("sensor", [
        Outgoing("sensor", "/sensors", f"s{hour}", midnight + timedelta(hours=hour), {
            "device": "d1", "grid": world.places.grids[0].code, "readings": [{"metric": "air.pm25", "value": 12.0}],
        })
        for hour in range(24 * DAYS + 10)
    ])  # fmt: skip
    for area in (COMMUNITY + "001", OTHER + "002", "150627004"):
        world.tell(raised(area))
    return world


def _case(name: str, at: datetime, grid: str, incident_class: str, chance: np.random.Generator) -> Iterator[Outgoing]:
    common = {"grid": grid, "incident_class": incident_class, "case_id": f"case-{name}", "department": "police, station 1"}
    if incident_class.startswith("D") and (level := crc32(name.encode()) % 4):
        common["mediation_level"] = ("community", "town", "banner")[level - 1]
    yield Outgoing("police", "/110", f"{name}-reported", at, common | {"stage": "reported"})
    if chance.random() > 0.4:
        return
    for stage, seconds in STAGES.items():
        at += timedelta(seconds=float(chance.exponential(seconds)))
        if at.astimezone(UTC) < NOW:
            yield Outgoing("police", "/110", f"{name}-{stage}", at, common | {"stage": stage})
