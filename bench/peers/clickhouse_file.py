"""The limit: ClickHouse itself reads the same events from a file, classifies and stores them; one thread, no Kafka, no Python."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

import clickhouse_connect

from bench.peers.lexicon import LEXICON
from bench.peers.tables import make_tables

READ = (
    "file('{file}', JSONEachRow, 'specversion String, id String, source String, type String, time String, data Tuple(text String, "
    "grid String, position Tuple(lon Float64, lat Float64), severity UInt8, incident_class String, code String, department String, "
    "case_id String, stage String, mediation_level String, device String, status String, readings Array(Tuple(metric String, "
    "value Float64)))')"
)
SETTINGS = (
    "SETTINGS max_threads = 1, max_insert_threads = 1, input_format_parallel_parsing = 0, input_format_skip_unknown_fields = 1, "
    "max_partitions_per_insert_block = 1000"
)
VALID = "specversion = '1.0' AND id != '' AND data.position.lat BETWEEN -90 AND 90 AND data.position.lon BETWEEN -180 AND 180"


def category() -> str:
    """The category of the first word of the lexicon in the text, as SQL."""
    pairs = [(term, name) for name, terms in LEXICON.items() for term in terms]
    words = ", ".join(f"'{term}'" for term, _ in pairs)
    names = ", ".join(f"'{name}'" for _, name in pairs)
    return f"['unclassified', {names}][multiSearchFirstIndex(data.text, [{words}]) + 1]"


def simple(file: Path) -> str:
    """Into the tables of the peers."""
    return (
        f"INSERT INTO events SELECT id, parseDateTime64BestEffort(time, 3, 'UTC'), {category()}, data.grid, data.position.lon, "
        f"data.position.lat, data.severity, data.text FROM {READ.format(file=file)} WHERE {VALID} {SETTINGS}"
    )


def ours(file: Path) -> str:
    """Into `events` of City brain, whose views count minutes, days, cases and sensors."""
    return (
        "INSERT INTO events (kind, source, id, at, received_at, category, incident_class, grid, lon, lat, code, severity, department, "
        "case_id, stage, mediation_level, device, status, metrics, values, body_hash, source_topic, source_offset) "
        f"SELECT splitByChar('.', type)[2], source, id, parseDateTime64BestEffort(time, 3, 'UTC'), now64(3), {category()}, "
        "if(data.incident_class = '', 'U00', data.incident_class), data.grid, data.position.lon, data.position.lat, data.code, "
        "data.severity, data.department, data.case_id, data.stage, data.mediation_level, data.device, data.status, "
        "data.readings.metric, data.readings.value, xxh3(id), 'file', rowNumberInAllBlocks() "
        f"FROM {READ.format(file=file)} WHERE {VALID} {SETTINGS}"
    )


def main() -> None:
    """Load the file and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="one event a line")
    parser.add_argument("--store", type=Path, required=True, help="folder of the chDB store")
    parser.add_argument("--events", type=int, required=True, help="lines of the file")
    parser.add_argument("--ours", action="store_true", help="into the tables of City brain, which are there already")
    asked = parser.parse_args()
    client = clickhouse_connect.get_client(interface="chdb", path=str(asked.store))
    if not asked.ours:
        make_tables(client)
    client.query("SELECT 1")
    started, cpu = time.perf_counter(), sum(os.times()[:2])
    client.command((ours if asked.ours else simple)(asked.file))
    seconds, used = time.perf_counter() - started, sum(os.times()[:2]) - cpu
    counts = "SELECT sum(events) FROM counts_day" if asked.ours else "SELECT sum(n) FROM counts"
    figures = {
        "peer": "clickhouse_file_ours" if asked.ours else "clickhouse_file", "version": version("chdb"), "events": asked.events,
        "counted": int(client.query(counts).result_rows[0][0]), "seconds": round(seconds, 3),
        "events_per_second": round(asked.events / seconds), "cpu_us": round(used / asked.events * 1e6, 2),
    }  # fmt: skip
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
