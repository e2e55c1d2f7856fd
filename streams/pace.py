"""How old a block may become: as young as half of the loader's time allows.

An insert costs the same few dozen milliseconds for ten rows as for thousands (docs/decisions/0008), so younger blocks cost
the loader time. It says how much of its time went into storing in the metadata of the offsets it commits; the age
follows that share. A loader with a backlog is busy all the time: it gets fewer and larger blocks until it has caught up.
"""

from __future__ import annotations

from typing import Final

from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, busy_share, common
from schemas.topics import RISK

OLDEST_MS: Final = 4_000
WANTED: Final = 0.5
"""Share of its time that the loader should spend on storing."""
GAIN: Final = 0.25
"""Part of the way to the wanted age that is gone in one step. What the loader says is up to three steps old (its commit, our
question, the fetch on its way): going all the way makes the age swing between its bounds (measured: p95 4.0 s where a steady age gives 1.4 s)."""


def next_block_age(now_ms: int, busy: float, least_ms: int) -> int:
    """The next block age, milliseconds, from the share (0 to 1) of its time that the busiest loader spends on storing."""
    step = 1 + GAIN * (busy / WANTED - 1)
    return round(min(max(OLDEST_MS, least_ms), max(least_ms, now_ms * step)))


class Limit:
    """Holds a worker to so many records a second, whatever waits: for a machine that others need too. 0: it is not held."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._free = 0.0

    def most(self, records: int) -> int:
        """So many records at a time: a second's worth, so that the worker is seen to get on."""
        return min(records, self.per_second) if self.per_second else records

    def wait(self, records: int, now: float) -> float:
        """Seconds to wait before these records, by a clock that does not go back; their time is taken then."""
        if not self.per_second:
            return 0.0
        begins = max(now, self._free)
        self._free = begins + records / self.per_second
        return begins - now


class LoaderLoad:
    """Asks how busy the loaders are. Blocking: call it in a thread."""

    def __init__(self, broker: Broker, group: str) -> None:
        self._admin = open_admin(common(broker))
        self._group = group

    def measure(self) -> float | None:
        """Share of the busiest loader; None while no loader has said anything."""
        committed = self._admin.list_group_offsets(self._group).get(self._group, {})
        shares = [busy_share(offset.metadata) for partition, offset in committed.items() if partition.topic == RISK.name]
        return max((share for share in shares if share is not None), default=None)

    def close(self) -> None:
        """Give the connection back."""
        self._admin.close()
