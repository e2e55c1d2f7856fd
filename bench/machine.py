"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

LIBRARIES = ("faust-streaming", "aiokafka", "kafka-python", "chdb", "clickhouse-connect", "pyarrow", "polars", "pydantic")


def machine() -> dict[str, str]:
    """Processor count, Python and library versions."""
    return {
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }
