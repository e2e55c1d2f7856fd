"""Which deployment runs in a data folder: a lock that only one can hold, and a note of where its parts are."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any

from citybrain.settings import Settings
from schemas.errors import CitybrainError
from schemas.kafka_options import Broker

NOTE = "deployment.json"
LOCK = "deployment.lock"
LOADER_LOCK = "loader.lock"
TRIES = 10
PAUSE_SECONDS = 0.05


class AlreadyRunning(CitybrainError):
    """Another process works in the folder."""

    def __init__(self, folder: Path, pid: object) -> None:
        super().__init__(folder, pid)
        self.folder, self.pid = folder, pid

    def __str__(self) -> str:
        return f"{self.folder} is in use by process {self.pid}; end that one first, or give another --data-dir"


def hold(folder: Path, name: str = LOCK) -> IO[str]:
    """Take a lock of the folder; it is given back when the file is closed or the process ends. AlreadyRunning names the holder."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / name).open("a+", encoding="utf-8")
    for _ in range(TRIES):  # who only looks whether the lock is held has it for a moment
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        else:
            return lock
    lock.close()
    note = running_in(folder) or {}
    raise AlreadyRunning(folder, note.get("pid", "unknown"))


def write_note(folder: Path, broker: Broker, metrics_url: str) -> None:
    """Say where the parts are."""
    note = {"pid": os.getpid(), "bootstrap": broker.bootstrap, "metrics": metrics_url, "started": time.time()}
    (folder / NOTE).write_text(json.dumps(note), encoding="utf-8")


def remove_note(folder: Path) -> None:
    """Nothing runs here any more."""
    (folder / NOTE).unlink(missing_ok=True)


def running_in(folder: Path) -> dict[str, Any] | None:
    """The note of a deployment that runs now; None when none does. The lock decides: a process id is used again by others."""
    if not _held(folder / LOCK):
        return None
    try:
        note: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note


def _held(lock: Path) -> bool:
    try:
        with lock.open(encoding="utf-8") as probe:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def located(settings: Settings, data_dir: Path | None) -> Settings:
    """The settings, turned to the deployment in `data_dir`, or in the settings' folder while no broker is set.

    With --data-dir the folder decides: its ClickHouse always, its Kafka while it runs.
    """
    folder = data_dir or settings.data_dir
    changes: dict[str, Any] = {"data_dir": folder}
    if data_dir:
        changes["clickhouse"] = settings.clickhouse.model_copy(update={"url": str(data_dir / "clickhouse")})
    note = running_in(folder)
    if note and (data_dir or settings.broker.bootstrap == Broker().bootstrap):
        changes["broker"] = settings.broker.model_copy(update={"bootstrap": note["bootstrap"]})
    return settings.model_copy(update=changes)
