"""What is running, how far it is, what lags. What does not answer is told, the rest is shown all the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    KafkaError,
    NotCoordinatorError,
)

from citybrain.audit.raw_log import log_ends
from citybrain.coverage import NAMES, Coverage, coverage
from citybrain.raw_records import Place, fetch
from citybrain.reading import Query
from citybrain.running import running_in
from citybrain.settings import Settings
from schemas.errors import CitybrainError
from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, busy_share, common
from schemas.topics import ALERTS, RISK

TOTALS: Final = (
    "SELECT count() AS blocks, sum(stored) AS stored, sum(rejected) AS rejected, sum(repeated) AS repeated, sum(conflict) AS conflict, "
    "sum(redelivered) AS redelivered, max(stored_at) AS newest, dateDiff('second', max(stored_at), now64(3)) AS seconds_since FROM blocks"
)
GROUPS: Final = {"citybrain-work": NAMES, "citybrain-load": [RISK.name, ALERTS.name]}
"""Consumer groups and what they read."""
TRIES: Final = 10
PAUSE_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 60.0
"""A record is stored within seconds, also after any part was killed; longer is no progress."""


def status(settings: Settings, query: Callable[[], Query]) -> dict[str, Any]:
    """One object: deployment, parts, topics, ledger, groups, problems.

    Green is no field of it: `behind`, `holes` and `waiting_seconds`, the age of the oldest record that is not stored (0: none is
    behind), tell progress; one that waits for longer than STUCK_SECONDS is a problem. They are None, and so are topics, ledger
    and groups, when Kafka or the store does not answer; `problems` says which.
    """
    problems: list[str] = []

    def tried(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except (CitybrainError, KafkaError) as error:
            if str(error) not in problems:
                problems.append(str(error))
            return None

    note = running_in(settings.data_dir)
    asked = tried(query)
    groups = tried(lambda: _groups(settings.broker))
    found = tried(lambda: coverage(asked, settings.broker)) if asked and groups else None
    waiting = tried(lambda: _waiting(settings.broker, found)) if found else None
    if waiting is not None and waiting > STUCK_SECONDS:
        problems.append(
            f"the oldest record that is not stored waits for {waiting:.0f} s: nothing gets on; see the logs of work and load"
        )
    return {
        "deployment": note,
        "parts": parts_of(note["pid"], settings.data_dir) if note else [],
        "broker": settings.broker.bootstrap,
        "behind": None if found is None else sum(part.behind for part in found),
        "waiting_seconds": waiting,
        "holes": None if found is None else sum(part.missing for part in found),
        "topics": None if found is None else [
            {**{n: v for n, v in part._asdict().items() if n != "holes"}, "behind": part.behind, "holes": part.missing}
            for part in found
        ],
        "ledger": tried(lambda: _ledger(asked)) if asked else None,
        "groups": groups,
        "problems": problems,
    }  # fmt: skip


def _waiting(broker: Broker, found: list[Coverage]) -> float:
    """Seconds since the oldest record arrived that comes after the stored ones of its partition."""
    places = [Place(part.topic, part.partition, part.next) for part in found if part.behind]
    arrived = [record.timestamp / 1000 for record in fetch(broker, places)]
    return round(max(0.0, time.time() - min(arrived)), 1) if arrived else 0.0


def parts_of(pid: int, folder: Path) -> list[dict[str, Any]]:
    """Child processes of a deployment: what each does, for how long (seconds), in how much memory (MB)."""
    found = []
    try:
        children = psutil.Process(pid).children()
    except psutil.Error:
        return []
    for child in children:
        try:
            command = child.cmdline()
            if "kafka.Kafka" in command and f"-Dkafka.logs.dir={folder.absolute() / 'kafka'}" in command:
                name = "kafka"
            elif "citybrain" in command and child.environ().get("CITYBRAIN_DATA_DIR") == str(folder.absolute()):
                name = command[command.index("citybrain") + 1]
            else:
                continue
            seconds, memory = round(time.time() - child.create_time()), round(child.memory_info().rss / 1e6)
            found.append({"part": name, "pid": child.pid, "seconds": seconds, "memory_mb": memory})
        except psutil.Error:
            continue  # gone meanwhile
    return found


def _ledger(query: Query) -> dict[str, Any]:
    (totals,) = [json.loads(line) for line in query(TOTALS, "JSONEachRow").splitlines()]
    newest = totals.pop("newest")
    ledger: dict[str, Any] = {name: int(value) for name, value in totals.items()}
    # Of an empty ledger ClickHouse gives the newest time as 1970.
    return ledger | ({"newest": newest} if ledger["blocks"] else {"newest": None, "seconds_since": None})


def _groups(broker: Broker) -> dict[str, Any]:
    """Of each consumer group its members and its lag in records; how busy the loader says it is (0 to 1)."""
    found: dict[str, Any] = {"members": {}, "lag": {}, "loader_busy": None}
    admin = open_admin(common(broker))
    try:
        for group, topics in GROUPS.items():
            members, committed = _group(admin, group)
            found["members"][group] = members
            at = {(partition.topic, partition.partition): offset.offset for partition, offset in committed.items()}
            ends = log_ends(broker, topics)
            found["lag"][group] = sum(max(0, end - max(0, at.get(partition, 0))) for partition, end in ends.items())
            shares = [share for offset in committed.values() if (share := busy_share(offset.metadata)) is not None]
            found["loader_busy"] = max(shares, default=found["loader_busy"])
    finally:
        admin.close()
    return found


def _group(admin: KafkaAdminClient, group: str) -> tuple[int, dict[TopicPartition, OffsetAndMetadata]]:
    """Members and committed offsets; none of a group that nobody has joined yet, as on a broker that is new."""
    for _ in range(TRIES):
        try:
            return len(admin.describe_groups([group])[group]["members"]), admin.list_group_offsets(group).get(group, {})
        except (CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError):
            time.sleep(PAUSE_SECONDS)
        except GroupIdNotFoundError:
            break
    return 0, {}
