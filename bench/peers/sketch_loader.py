"""Second half of the sketch: one Kafka record is one ClickHouse block, under its offset as token."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
from kafka import KafkaConsumer

from bench.peers.tables import counted, make_tables

ONCE = {"deduplicate_blocks_in_dependent_materialized_views": 1, "max_partitions_per_insert_block": 1000}


def main() -> None:
    """Insert blocks until they hold `--events` rows; a line when ready, a JSON line at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--blocks", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--ours", action="store_true")
    asked = parser.parse_args()
    client = clickhouse_connect.get_client(interface="chdb", path=str(asked.store))
    if not asked.ours:
        make_tables(client)
        for table in ("events", "counts"):
            client.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 10000")
    consumer = KafkaConsumer(
        asked.blocks, bootstrap_servers=asked.broker, group_id=f"{asked.blocks}.loader", enable_auto_commit=False,
        auto_offset_reset="earliest", max_partition_fetch_bytes=8 << 20, fetch_max_bytes=32 << 20, max_poll_records=8,
    )  # fmt: skip
    while not consumer.assignment():
        consumer.poll(200)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    taken, cpu = 0, sum(os.times()[:2])
    while taken < asked.events:
        for partition, records in consumer.poll(500).items():
            for record in records:
                block = pa.ipc.open_stream(record.value).read_all()
                insert(client, block, f"{partition.topic}/{partition.partition}/{record.offset}")
                taken += block.num_rows
            consumer.commit()
    ended = time.time()
    rows = client.query("SELECT sum(events) FROM counts_day").result_rows[0][0] if asked.ours else counted(client)
    figures = {"at": ended, "counted": int(rows), "cpu_seconds": sum(os.times()[:2]) - cpu}
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(0)


def insert(client: Any, block: pa.Table, token: str) -> None:
    """One block."""
    client.insert_arrow(
        "events", block, settings={"insert_deduplication_token": token, "input_format_null_as_default": 1, **ONCE}
    )


if __name__ == "__main__":
    main()
