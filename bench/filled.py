"""A broker whose raw topics hold the traffic of a measurement before anything is measured.

A folder that was filled once is taken again for the same traffic: a second measurement begins at once.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from kafka.errors import KafkaError

from bench.traffic import Traffic
from citybrain.audit.raw_log import log_ends
from citybrain.children import tied_to_parent
from citybrain.local_kafka import LocalKafka
from citybrain.topics import describe, topic_config
from schemas.errors import CitybrainError
from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, common
from schemas.topics import ALL, RAW, RISK

SENDERS: Final = 2
NOTE: Final = "filled.json"
PATIENCE_SECONDS: Final = 120.0


class BenchFailed(CitybrainError):
    """A measurement did not do what it measures."""


class Filling(NamedTuple):
    """What the raw topics hold. `partitions` of each raw topic; 0: as many as a deployment starts with.

    Records shorter than `least_bytes` are made so long.
    """

    traffic: Traffic
    events: int
    partitions: int = 0
    least_bytes: int = 0


@contextmanager
def filled(folder: Path, filling: Filling) -> Iterator[LocalKafka]:
    """A running broker in `folder` with `filling.events` records in the raw topics."""
    note = folder / NOTE
    known = note.exists() and Filling(**orjson.loads(note.read_bytes())) == filling
    if folder.exists() and any(folder.iterdir()) and not known:
        message = f"{folder} holds something else than {filling._asdict()}; remove it, or name another folder"
        raise BenchFailed(message)
    with LocalKafka(folder / "kafka") as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        if not known:
            _make_topics(broker, filling.partitions)
            _fill(broker, filling)
            note.write_bytes(orjson.dumps(filling._asdict()))
        yield kafka


def renew_blocks(broker: Broker, partitions: int = 0) -> None:
    """An empty `citybrain.risk`: the next worker writes into it, and no loader finds older blocks."""
    before = describe(broker)[RISK.name].topic_id
    admin = open_admin(common(broker))
    try:
        admin.delete_topics([RISK.name])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while describe(broker)[RISK.name].topic_id in {before, ""}:
            if time.monotonic() > deadline:
                message = f"{RISK.name} did not come again within {PATIENCE_SECONDS:.0f} s after it was removed"
                raise BenchFailed(message)
            _try_to_make(broker, partitions)
            time.sleep(0.1)
    finally:
        admin.close()


def records_in(broker: Broker) -> int:
    """Records in the raw topics."""
    return sum(log_ends(broker, [topic.name for topic in RAW.values()]).values())


def _try_to_make(broker: Broker, partitions: int) -> None:
    """The broker may still be removing the old one."""
    try:
        _make_topics(broker, partitions)
    except KafkaError:
        time.sleep(0.2)


def _make_topics(broker: Broker, partitions: int) -> None:
    states = describe(broker)
    missing = [topic for topic in ALL if not states[topic.name].partitions]
    if not missing:
        return
    wide = {topic.name: partitions or topic.partitions for topic in (*RAW.values(), RISK)}
    admin = open_admin(common(broker))
    try:
        admin.create_topics(
            {
                topic.name: {
                    "num_partitions": wide.get(topic.name, topic.partitions), "replication_factor": 1, "configs": topic_config(topic),
                }
                for topic in missing
            }
        )  # fmt: skip
    finally:
        admin.close()


def _fill(broker: Broker, filling: Filling) -> None:
    senders = [
        subprocess.Popen(
            [
                sys.executable, "-m", "bench.traffic", "--broker", broker.bootstrap, "--traffic", filling.traffic,
                "--events", str(filling.events), "--shard", f"{number}/{SENDERS}", "--least-bytes", str(filling.least_bytes),
            ],
            stdout=subprocess.DEVNULL,
            preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
        )
        for number in range(SENDERS)
    ]  # fmt: skip
    codes = [sender.wait() for sender in senders]
    if any(codes) or records_in(broker) != filling.events:
        message = f"filling: codes {codes}; the raw topics hold {records_in(broker):,} records, wanted {filling.events:,}"
        raise BenchFailed(message)
