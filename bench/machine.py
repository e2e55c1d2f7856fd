"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import psutil

LIBRARIES = ("faust-streaming", "aiokafka", "kafka-python", "chdb", "clickhouse-connect", "pyarrow", "polars", "pydantic")


def machine() -> dict[str, str]:
    """Processor count, file system of the scratch folder, Python and library versions."""
    return {
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "scratch": file_system(Path(tempfile.gettempdir())),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def file_system(folder: Path) -> str:
    """Type of the file system that holds `folder`: a store makes a dozen files for each part, so it decides (docs/decisions/0061)."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    return next((mounts[place] for place in (folder.resolve(), *folder.resolve().parents) if place in mounts), "unknown")


def commit() -> str:
    """What is measured, shortened; with a plus when files differ from it."""
    told = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    found = subprocess.run(told, capture_output=True, text=True, check=False).stdout.strip()
    return found or "unknown"
