"""A client that finds no broker leaves no thread and no file behind, however often somebody tries."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.kafka_clients import open_admin, open_consumer
from schemas.kafka_options import Broker, common, loader, producer, reader

QUICKLY = {"bootstrap_timeout_ms": 300}
WAYS: dict[str, tuple[Callable[[dict[str, Any]], Any], Callable[[Broker], dict[str, Any]]]] = {
    "admin": (open_admin, common),
    "reader": (open_consumer, reader),
    "loader": (open_consumer, lambda broker: loader(broker, "nobody")),
    "producer": (lambda options: KafkaProducer(**options), producer),
}


def held() -> tuple[int, int]:
    """Threads and open files of this process, without those of objects that nobody knows any more."""
    gc.collect()
    return threading.active_count(), psutil.Process().num_fds()


@pytest.fixture
def nowhere() -> Broker:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return Broker(bootstrap=f"127.0.0.1:{port}")


@pytest.mark.parametrize("way", WAYS)
def test_who_finds_no_broker_leaves_nothing_behind(nowhere: Broker, way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="kafka")  # what is logged holds the sockets that it tells of
    opened, options = WAYS[way]
    before = held()
    for _ in range(5):
        with pytest.raises(KafkaError):
            opened(options(nowhere) | QUICKLY)

    threads, files = held()
    assert threads == before[0]
    assert files <= before[1]


@pytest.mark.parametrize("way", ["admin", "reader"])
def test_who_finds_one_works_and_is_closed_as_ever(broker: Broker, way: str) -> None:
    opened, options = WAYS[way]
    before = threading.active_count()
    client = opened(options(broker))
    assert client.list_topics() if way == "admin" else client.topics()
    client.close()

    assert threading.active_count() == before
