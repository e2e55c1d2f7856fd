"""Prometheus metrics on one loopback port. Parts of one deployment share a folder, so that one server answers for all."""

from __future__ import annotations

import os
from pathlib import Path

from schemas.errors import BadSettings

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client reads this when it is imported: set it before `schemas.metrics` is. Nothing here imports it at once."""
METRICS = "metrics"
"""The shared folder's name in a data folder."""


def clear_metrics(folder: Path) -> None:
    """Forget what processes that are gone have counted; this process keeps its own files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.db"):
        if not stale.stem.endswith(f"_{os.getpid()}"):
            stale.unlink()


def share_metrics(folder: Path) -> None:
    """Let this process's metrics be served by the deployment that runs in a data folder: the verdict of an audit, say."""
    if (folder / METRICS).is_dir():
        os.environ.setdefault(SHARED, str((folder / METRICS).absolute()))


def serve_metrics(port: int) -> None:
    """Serve this process's metrics, or those of all processes that share the folder. 0: do not. BadSettings: port taken."""
    if not port:
        return
    from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if os.environ.get(SHARED):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    try:
        start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        message = f"CITYBRAIN_METRICS__PORT {port}: {error}; set it to a free port, or to 0"
        raise BadSettings(message) from error
