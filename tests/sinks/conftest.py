"""One migrated chDB a module, emptied between tests: opening one costs a second, and a process may hold one path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from citybrain.local_kafka import LocalKafka
from ingest.city import build_city
from schemas.kafka_options import Broker
from schemas.topics import RISK
from sinks.migrate import fill_lookups, migrate
from sinks.store import Store
from tests.life import recreate
from tests.serving import serving
from tests.sinks.blocks import empty


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of this module's chDB."""
    return tmp_path_factory.mktemp("clickhouse")


@pytest.fixture(scope="module")
def store_kind() -> str:
    """How the module's store is reached. A module that holds for both `embedded` and `http` overrides this with params."""
    return "embedded"


@pytest.fixture(scope="module")
def store_url(store_kind: str, store_path: Path) -> Iterator[str]:
    """Where the module's store is: the folder, or the HTTP face over it."""
    if store_kind == "embedded":
        yield str(store_path)
        return
    with serving(store_path) as url:
        yield url


@pytest.fixture(scope="module")
def module_store(store_url: str) -> Iterator[Store]:
    """This module's chDB; `store` is the one to use where a test wants it empty."""
    store = Store.connect(store_url)
    migrate(store, "Asia/Shanghai")
    fill_lookups(store, build_city(1).places)
    yield store
    store.close()


@pytest.fixture
def store(module_store: Store) -> Store:
    """A migrated chDB without facts."""
    empty(module_store)
    return module_store


@pytest.fixture(scope="module")
def module_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka of this module's own."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield Broker(bootstrap=running.bootstrap)


@pytest.fixture
def kafka(module_kafka: Broker) -> Broker:
    """The same with an empty risk topic. It has a new id, so nothing that an earlier test committed counts."""
    recreate(module_kafka, RISK.name)
    return module_kafka
