"""Random kill -9 of random processes while records pour in."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from tests.faults.conftest import Traffic
from tests.faults.parts import Parts

SHORT_KILLS, FULL_KILLS = 6, 200
RECORDS_A_KILL = 5_000
"""In the full form: a million for two hundred kills. The short form sends a tenth."""
VICTIMS = ("work-1", "load-1", "load-2", "store")
LONGEST_PAUSE_SECONDS = 4.0
SETTLE_SECONDS = 900.0
"""While records come as fast as they do here, and parts die every few seconds, much waits at the end."""


class Stream(threading.Thread):
    """Sends batches, so many for each kill that was done, until it is told that the last one was."""

    def __init__(self, traffic: Traffic, records: int) -> None:
        super().__init__(daemon=True)
        self._traffic, self._records = traffic, records
        self._wanted = threading.Semaphore(0)
        self._over = False
        self._asked = self._sent = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while self._wanted.acquire() and not self._over:
                for _ in range(5):
                    self._traffic.send(self._records // 5)
                self._sent += 1
        except BaseException as error:  # shown by the test
            self.error = error

    @property
    def waiting(self) -> int:
        """Shares that are not sent yet."""
        return self._asked - self._sent

    def more(self) -> None:
        """Let another kill's share flow."""
        self._asked += 1
        self._wanted.release()

    def end(self) -> None:
        """Wait until all is sent."""
        while self.waiting and self.is_alive():
            time.sleep(0.1)
        self._over = True
        self._wanted.release()
        self.join(120)
        assert self.error is None, self.error
        assert not self.is_alive()


@pytest.mark.timeout(3_600)
def test_random_kills(
    parts: Parts, traffic: Traffic, draw: random.Random, request: pytest.FixtureRequest, figures: Callable[[str], None]
) -> None:
    full = request.config.getoption("--full")
    kills = request.config.getoption("--kills") or (FULL_KILLS if full else SHORT_KILLS)
    parts.want("work-1", "load-1", "load-2")
    stream = Stream(traffic, RECORDS_A_KILL if full else RECORDS_A_KILL // 10)
    stream.start()
    killed: set[int] = set()
    for _ in range(kills):
        stream.more()
        parts.tend(draw.uniform(0.1, LONGEST_PAUSE_SECONDS))
        while stream.waiting > 2 and stream.is_alive():  # kills come while records pour in, not all before them
            parts.tend(0.2)
        victim = draw.choice(VICTIMS)
        while parts.process(victim).poll() is not None:
            parts.tend(0.2)
        killed.add(parts.process(victim).pid)
        parts.kill(victim)
    stream.end()
    started = time.monotonic()
    parts.check(traffic.sent, SETTLE_SECONDS)
    parts.recovered = None  # that is how long a backlog of the storm took; how soon work goes on, the crash points say

    figures(f"{len(killed)} kills, {traffic.sent:,} records, settled and audited in {time.monotonic() - started:.0f} s")
    assert len(killed) == kills
    parts.end("load-2")
