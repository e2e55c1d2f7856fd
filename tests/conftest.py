"""The real parts that tests share: one Kafka a session, one whole deployment a module. Nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from citybrain.local_kafka import LocalKafka
from citybrain.topics import ensure_topics
from ingest.city import City, build_city
from schemas.kafka_options import Broker
from sinks.migrate import fill_lookups, migrate
from sinks.store import Store
from tests.faults.results import NAMED, Recorder, bare
from tests.faults.seeds import seed_of
from tests.pipeline import Pipeline


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the fault tests (docs/faults.md)."""
    group = parser.getgroup("faults")
    group.addoption("--full", action="store_true", help="all crash points and many kills, instead of the short form")
    group.addoption("--seed", type=int, help="of moments, sizes and kills; printed, so that a failure can be repeated")
    group.addoption(
        "--faults", action="store_true", help="only tests/faults and tests that docs/faults.md names; what those say is kept"
    )
    group.addoption("--kills", type=int, help="random kill -9 during the storm")


def pytest_configure(config: pytest.Config) -> None:
    """Keep what the tests of docs/faults.md say, when they are what is run."""
    if config.getoption("--faults"):
        config.pluginmanager.register(Recorder(datetime.now(UTC).date().isoformat(), seed_of(config)))


def pytest_report_header(config: pytest.Config) -> str:
    """What repeats a run."""
    return f"faults: --seed {seed_of(config)}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --faults, what breaks something, here or elsewhere, alone."""
    if config.getoption("--faults"):
        config.hook.pytest_deselected(items=[item for item in items if not _breaks(item)])
        items[:] = [item for item in items if _breaks(item)]


def _breaks(item: pytest.Item) -> bool:
    return bare(item.nodeid) in NAMED or item.nodeid.startswith("tests/faults/")


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
