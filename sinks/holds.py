"""Holds: maintenance keeps all loaders waiting between two records. The protocol, over two tables; no Kafka.

A hold stands until its newest row expires, by the store's own clock: an owner that died holds nobody for long. The first
hold that stands is the one in force; later ones wait for it. Why this way: docs/decisions/0035.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import Final, NamedTuple

import pyarrow as pa

from schemas.errors import CitybrainError, StoreUnavailable
from sinks.boot_clock import boot_clock
from sinks.store import Store

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often a loader looks for a hold."""
LASTS_SECONDS: Final = 30.0
"""A hold that nobody keeps up ends after this long."""
KEEP_SECONDS: Final = 5.0
"""How often its owner keeps it up."""

IN_FORCE = """
SELECT hold_id, argMax(reason, written_at) AS reason FROM holds GROUP BY hold_id
HAVING argMax(written_at + toIntervalMillisecond(lasts_ms), written_at) > now64(6) ORDER BY min(written_at), hold_id LIMIT 1
"""


class HoldLost(CitybrainError):
    """A hold could not be kept up: loaders may be working again, so the maintenance stops before its next change."""

    retryable = True


class Standing(NamedTuple):
    """The hold in force."""

    hold_id: str
    reason: str


class Holds:
    """The two tables, through one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def in_force(self) -> Standing | None:
        """The hold that loaders and other maintenance wait for."""
        rows = self._store.query(IN_FORCE)
        return Standing(*rows[0]) if rows else None

    def write(self, hold_id: str, reason: str, lasts_seconds: float) -> None:
        """Take, keep up (again), or with 0 give back a hold."""
        row = {"hold_id": [hold_id], "reason": [reason], "lasts_ms": pa.array([int(lasts_seconds * 1000)], pa.uint32())}
        self._store.insert("holds", pa.table(row), f"hold/{uuid.uuid4()}")

    def acknowledge(self, hold_id: str, member: str) -> None:
        """A loader says that it waits."""
        self._store.insert("holds_seen", pa.table({"hold_id": [hold_id], "member": [member]}), f"{hold_id}/{member}")

    def acknowledged(self, hold_id: str) -> set[str]:
        """Loaders that wait."""
        rows = self._store.query("SELECT DISTINCT member FROM holds_seen WHERE hold_id = {hold:String}", {"hold": hold_id})
        return {str(member) for (member,) in rows}


class Watcher:
    """A loader's eye on the holds: it looks once a second and acknowledges what it sees."""

    def __init__(self, store: Store, member: str) -> None:
        self._holds, self._member = Holds(store), member
        self._looked = float("-inf")
        self._seen = ""
        self._held = False

    def held(self, *, now: bool = False) -> bool:
        """Whether to wait. `now` looks again whatever the time. A store that cannot say it is no leave to write."""
        if not now and time.monotonic() - self._looked < LOOK_SECONDS:
            return self._held
        self._looked = time.monotonic()
        try:
            standing = self._holds.in_force()
            if standing and standing.hold_id != self._seen:
                self._holds.acknowledge(standing.hold_id, self._member)
                log.info("waiting: the store is held for %s", standing.reason)
                self._seen = standing.hold_id
        except StoreUnavailable as error:
            log.warning("cannot see whether the store is held: %s", error)
            self._held = True
        else:
            self._held = standing is not None
        return self._held


class Hold:
    """A hold of ours, kept up in the background through a connection of its own until `release`."""

    def __init__(self, store: Store, reason: str) -> None:
        self.hold_id, self.reason = str(uuid.uuid4()), reason
        self._store = store
        self._holds = Holds(store)
        self._over = threading.Event()
        self._holds.write(self.hold_id, reason, LASTS_SECONDS)
        self._kept = boot_clock()
        self._keeper = threading.Thread(target=self._keep, name="hold", daemon=True)
        self._keeper.start()

    def in_force(self) -> bool:
        """Whether no earlier hold stands."""
        standing = self._holds.in_force()
        return standing is not None and standing.hold_id == self.hold_id

    def acknowledged(self) -> set[str]:
        """Loaders that wait for us."""
        return self._holds.acknowledged(self.hold_id)

    def check(self) -> None:
        """HoldLost unless the hold was kept up lately. To be called before every change that loaders must not see."""
        if (age := boot_clock() - self._kept) > LASTS_SECONDS / 2:
            message = f"the hold for {self.reason} was last kept up {age:.0f} s ago (it lasts {LASTS_SECONDS:.0f} s); run the command again"
            raise HoldLost(message)

    def release(self) -> None:
        """Let the loaders go on. A store that does not answer lets them go on when the hold expires."""
        self._over.set()
        self._keeper.join()
        try:
            self._holds.write(self.hold_id, self.reason, 0)
        except StoreUnavailable as error:
            log.warning("the hold for %s ends by itself in %.0f s: %s", self.reason, LASTS_SECONDS, error)

    def _keep(self) -> None:
        store = self._store.again()
        try:
            while not self._over.wait(KEEP_SECONDS):
                started = boot_clock()
                try:
                    Holds(store).write(self.hold_id, self.reason, LASTS_SECONDS)
                except CitybrainError as error:
                    log.warning("cannot keep up the hold for %s: %s", self.reason, error)
                else:
                    self._kept = started
        finally:
            store.close()
