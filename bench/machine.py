"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("faust-streaming", "aiokafka", "kafka-python", "chdb", "clickhouse-connect", "pyarrow", "polars", "pydantic")


def machine() -> dict[str, str]:
    """Processor count, Python and library versions."""
    return {
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def commit() -> str:
    """What is measured, shortened; with a plus when files differ from it."""
    told = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    found = subprocess.run(told, capture_output=True, text=True, check=False).stdout.strip()
    return found or "unknown"
