"""One deployment a module, a printed seed, and the command that repeats a failure."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from itertools import chain, count, islice
from pathlib import Path

import pytest

from ingest.city import City, make_plan
from ingest.outgoing import Wire
from tests.faults.parts import Parts
from tests.faults.seeds import seed_of

BATCH = 300
FIGURES = "figures"
SHORT = {
    "test_crash_points.py": 5,
    "test_store_faults.py": 4,
    "test_members.py": 3,
    "test_broker_faults.py": 1,
    "test_full_disk.py": 0,
    "test_restore.py": 1,
    "test_uncommitted.py": 2,
}
"""How many tests of a module the short form takes, drawn by the seed; of the others all."""
LAST = "test_storm.py"
"""Every check is of everything that was sent so far, and the storm sends a million records."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [number for number, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ordered = sorted((items[number] for number in ours), key=lambda item: item.path.name == LAST)
    for number, item in zip(ours, ordered, strict=True):
        items[number] = item
    if config.getoption("--full") or config.getoption("-k"):
        return
    draw = random.Random(seed_of(config))
    dropped: set[str] = set()
    for name, most in SHORT.items():
        mine = [item.nodeid for item in items if item.path.name == name]
        dropped |= set(mine) - set(draw.sample(mine, min(most, len(mine))))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in dropped])
    items[:] = [item for item in items if item.nodeid not in dropped]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    parts = getattr(item, "funcargs", {}).get("parts")
    if report.when == "call" and isinstance(parts, Parts) and parts.recovered is not None:
        report.user_properties.append(("recovery_seconds", round(parts.recovered, 1)))
        parts.recovered = None
    if report.failed:
        report.sections.append(("repeat it by", f"make test-faults ARGS=\"--seed {seed_of(item.config)} -k '{item.name}'\""))
    return report


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The processes end with the last fault test, not with the whole session."""
    if nextitem is None or nextitem.path.parent != Path(__file__).parent:
        Parts.end_all()


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say what was measured: it stands at the end of the run, passed or not."""
    return lambda line: record_property(FIGURES, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, line in report.user_properties:
            if name == FIGURES and report.when == "call":
                terminalreporter.write_line(f"{report.head_line}: {line}")


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> random.Random:
    """Moments and sizes, from the run's seed and the test's name."""
    return random.Random(f"{seed_of(request.config)}/{request.node.name}")


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Parts]:
    """Kafka and a store behind the fault proxy; tests start workers and loaders. All fault tests share it until the last one."""
    with Parts(tmp_path_factory.mktemp("faults"), city.places) as running:
        yield running


class Traffic:
    """Records of the simulated city, each once, with a broken one in every batch; counts what was sent."""

    def __init__(self, parts: Parts, city: City) -> None:
        plan = make_plan(city, datetime(2026, 3, 2, tzinfo=UTC), 1_000_000)
        self._wires, self._parts, self._bad = plan.wires(played=False), parts, count()
        self.sent = 0

    def records(self, number: int = BATCH) -> list[Wire]:
        """The next records, counted as sent."""
        bad = Wire("police", b"bad", f"{{not json {next(self._bad)}".encode())
        records = list(chain(islice(self._wires, number - 1), [bad]))
        self.sent += len(records)
        return records

    def send(self, number: int = BATCH) -> list[Wire]:
        """Send a batch by the real producer."""
        records = self.records(number)
        self._parts.send(records)
        return records


@pytest.fixture(scope="session")
def traffic(parts: Parts, city: City) -> Traffic:
    """What all tests send together: every check is of everything so far."""
    return Traffic(parts, city)
