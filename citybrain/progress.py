"""How far a deployment is: what the log holds against what the ledger covers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from citybrain.audit.raw_log import log_ends
from schemas.kafka_options import Broker
from schemas.topic_ids import topic_ids
from schemas.topics import RAW

LEDGER = (
    "SELECT source_topic, source_topic_id, source_partition, max(last_offset) + 1 AS next, sum(stored) AS stored, sum(rejected) AS rejected, "
    "sum(repeated + conflict) AS repeated, sum(redelivered) AS redelivered, count() AS blocks "
    f"FROM blocks WHERE source_topic IN ({', '.join(repr(topic.name) for topic in RAW.values())}) GROUP BY source_topic_id, source_topic, source_partition"
)


class Progress(NamedTuple):
    """Records in the raw log, and what became of those that the ledger covers."""

    sent: int
    stored: int
    rejected: int
    repeated: int
    redelivered: int
    blocks: int
    behind: int


def measure(broker: Broker, query: Callable[[str, str], bytes]) -> Progress:
    """Ask the log and the ledger once."""
    names = [topic.name for topic in RAW.values()]
    ids, ends = topic_ids(broker, names), log_ends(broker, names)
    rows = [json.loads(line) for line in query(LEDGER, "JSONEachRow").splitlines()]
    now = [row for row in rows if row["source_topic_id"] == ids[row["source_topic"]]]  # else of an earlier life of the topic
    covered = {(row["source_topic"], row["source_partition"]): int(row["next"]) for row in now}
    totals = {name: sum(int(row[name]) for row in rows) for name in ("stored", "rejected", "repeated", "redelivered", "blocks")}
    behind = sum(max(0, end - covered.get(partition, 0)) for partition, end in ends.items())
    return Progress(sent=sum(ends.values()), behind=behind, **totals)
