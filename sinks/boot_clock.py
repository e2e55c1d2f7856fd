"""The boot clock: unlike the monotonic one it runs on while the machine sleeps (docs/decisions/0012)."""

from __future__ import annotations

import time


def boot_clock() -> float:
    """Seconds since the machine started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
