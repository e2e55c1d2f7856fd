"""What is running, how far it is, what lags."""

from __future__ import annotations

import json
from typing import Any

from kafka.admin import KafkaAdminClient

from citybrain.coverage import coverage
from citybrain.reading import Query
from citybrain.running import running_in
from citybrain.settings import Settings
from schemas.kafka_options import busy_share, common
from schemas.topics import RISK

TOTALS = (
    "SELECT count() AS blocks, sum(stored) AS stored, sum(rejected) AS rejected, sum(repeated) AS repeated, sum(conflict) AS conflict, "
    "sum(redelivered) AS redelivered, max(stored_at) AS newest, dateDiff('second', max(stored_at), now64(3)) AS seconds_since FROM blocks"
)
GROUPS = ("citybrain-work", "citybrain-load")


def status(settings: Settings, query: Query) -> dict[str, Any]:
    """One object: deployment, topics, ledger, groups. Green is no field of it: `behind` and `holes` tell progress."""
    found = coverage(query, settings.broker)
    (totals,) = [json.loads(line) for line in query(TOTALS, "JSONEachRow").splitlines()]
    empty = not int(totals["blocks"])
    age = ("newest", "seconds_since")
    ledger = {name: int(value) for name, value in totals.items() if name not in age}
    return {
        "deployment": running_in(settings.data_dir),
        "broker": settings.broker.bootstrap,
        "behind": sum(part.behind for part in found),
        "holes": sum(part.missing for part in found),
        "topics": [
            {**{n: v for n, v in part._asdict().items() if n != "holes"}, "behind": part.behind, "holes": part.missing}
            for part in found
        ],
        "ledger": ledger | {name: None if empty else totals[name] for name in age},
        "groups": _groups(settings),
    }


def _groups(settings: Settings) -> dict[str, Any]:
    """Members of the worker and loader groups, and how busy the loader says it is (0 to 1)."""
    admin = KafkaAdminClient(**common(settings.broker))
    try:
        described = admin.describe_groups(list(GROUPS))
        committed = admin.list_group_offsets(GROUPS[1]).get(GROUPS[1], {})
    finally:
        admin.close()
    shares = [busy_share(offset.metadata) for partition, offset in committed.items() if partition.topic == RISK.name]
    busy = max((share for share in shares if share is not None), default=None)
    return {"members": {name: len(group["members"]) for name, group in described.items()}, "loader_busy": busy}
