"""The sketch that City brain grew from: Faust with a coalescing transport, columns, one Arrow block a Kafka record.

Worker and loader are processes of their own; this one starts them and puts their figures together. It has no rejects, no
ledger and no second try: what it shows is what the design costs without them.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from kafka.admin import KafkaAdminClient

MOST_BYTES: Final = 8_388_608


def main() -> None:
    """Run both halves and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True, help="host:port")
    parser.add_argument("--topics", required=True, help="comma separated")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--store", type=Path, required=True, help="folder of the chDB store")
    parser.add_argument("--ours", action="store_true", help="into the tables of City brain, which are there already")
    asked = parser.parse_args()
    blocks = f"peer.blocks.{secrets.token_hex(4)}"
    admin = KafkaAdminClient(bootstrap_servers=asked.broker)
    widest = max(len(topic["partitions"]) for topic in admin.describe_topics(asked.topics.split(",")))
    options = {"num_partitions": widest, "replication_factor": 1, "configs": {"max.message.bytes": str(MOST_BYTES)}}
    admin.create_topics({blocks: options})
    common = ["--broker", asked.broker, "--blocks", blocks, "--events", str(asked.events)]
    common += ["--ours"] if asked.ours else []
    try:
        loader = _start("loader", [*common, "--store", str(asked.store)])
        assert loader.stdout  # noqa: S101 - a pipe was asked for
        loader.stdout.readline()  # it has its partitions
        worker = _start("worker", [*common, "--topics", asked.topics])
        told = worker.communicate()[0]
        if worker.returncode:
            loader.kill()
            raise SystemExit(worker.returncode)
        first = json.loads(told.strip().splitlines()[-1])  # Faust prints its banner before
        last = json.loads(loader.communicate()[0])
    finally:
        admin.delete_topics([blocks])
        admin.close()
    seconds = last["at"] - first["at"]
    figures = {
        "peer": "sketch_ours" if asked.ours else "sketch", "version": version("faust-streaming"), "events": asked.events,
        "counted": last["counted"], "seconds": round(seconds, 3), "events_per_second": round(asked.events / seconds),
        "cpu_us": round((first["cpu_seconds"] + last["cpu_seconds"]) / asked.events * 1e6, 2),
    }  # fmt: skip
    sys.stdout.write(json.dumps(figures) + "\n")


def _start(half: str, arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", f"bench.peers.sketch_{half}", *arguments], stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    main()
