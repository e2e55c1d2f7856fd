"""The real parts that tests share: one Kafka a session, one whole deployment a module. Nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from citybrain.local_kafka import LocalKafka
from citybrain.topics import ensure_topics
from ingest.city import City, build_city
from schemas.kafka_options import Broker
from sinks.migrate import fill_lookups, migrate
from sinks.store import Store
from tests.pipeline import Pipeline


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real one-node Kafka with our topics. Tests share it: use ids of your own and count what you sent."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        ensure_topics(broker)
        yield broker


@pytest.fixture(scope="session")
def city() -> City:
    """The simulated city of seed 1."""
    return build_city(1)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Pipeline]:
    """Kafka, worker and loader as processes of their own, over the simulated city's places."""
    with Pipeline(tmp_path_factory.mktemp("deployment"), city.places) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty chDB."""
    store = Store.connect(f"{tmp_path}/clickhouse")
    migrate(store, "Asia/Shanghai")
    fill_lookups(store, build_city(1).places)
    yield store
    store.close()
