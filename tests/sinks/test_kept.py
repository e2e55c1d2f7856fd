"""Response figures are the same whatever is kept of them, however a pass ends, and whatever happens beside it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

import sinks.kept
from ingest.outgoing import Outgoing, encode
from schemas.response import ResponseTiers, shipped_tiers
from sinks.holds import Hold
from sinks.kept import Overtaken, keep
from sinks.ledger import Position
from sinks.migrate import migrations
from sinks.rebuild import rebuild, replace_partition, targets
from sinks.store import Store
from sinks.tiers import fill_tiers
from sinks.writer import BlockWriter
from streams.records import RawRecord
from tests.sinks.blocks import block, one

BEGIN = datetime(2026, 9, 25, 12, tzinfo=UTC)
STAGES = ("reported", "accepted", "dispatched", "arrived", "resolved", "closed")
PLACES: tuple[dict[str, str], ...] = ({"grid": "150627001001001"}, {"grid": "150627002003001"}, {})
URGENT = ResponseTiers.model_validate(
    {
        "axis": "urgency",
        "tiers": [{"tier": "now", "of": ["D01"], "minutes": {"arrive": 1}}, {"tier": "all", "minutes": {"arrive": 9}}],
    }
)
COLUMNS = (
    "case_id, source_topic, incident_class, category, grid, community, town, banner, department, reported, accepted, dispatched, "
    "arrived, resolved, closed, mediation, opened_at, day, month, tier, accept_limit_ms, dispatch_limit_ms, arrive_limit_ms, "
    "resolve_limit_ms"
)
NOW_KEPT = "SELECT count() FROM response_kept WHERE case_id NOT IN (SELECT case_id FROM response_touched)"
USABLE = "SELECT toUnixTimestamp(since) > 0 FROM response_since"


@pytest.fixture(scope="module", params=["embedded", "http"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """Passes run against both."""
    return str(request.param)


@pytest.fixture
def city(store: Store) -> Iterator[City]:
    """A store whose view of before, which judges every case at the question, is there to compare with."""
    (first,) = [step for step in migrations("Asia/Shanghai") if step.version == 5]
    (judged,) = [sql for sql in first.statements if "VIEW v_response_cases" in sql]
    store.command(judged.replace("VIEW v_response_cases", "VIEW every_case_judged"))
    fill_tiers(store, shipped_tiers())
    yield City(store)
    store.command("DROP VIEW every_case_judged")


class City:
    """Cases over three months, written block by block in whatever order."""

    def __init__(self, store: Store) -> None:
        self.store, self.writer, self.chance = store, BlockWriter(store), random.Random(6)
        self.blocks = self.records = 0
        self.topic_id = str(uuid4())  # a table whose partition was replaced keeps its tokens when it is emptied

    def add(self, number: int, cases: range = range(60)) -> None:
        """One block of events of any of these cases, of any stage, at any time near the case's own."""
        self.tell([self.event(self.chance.choice(cases)) for _ in range(number)])

    def event(self, case: int, stage: str | None = None, days: float | None = None) -> Outgoing:
        """One event of a case; `days` from the first: without it near a day of the case's own."""
        self.records += 1
        apart = self.chance.gauss(0, 0.2) if self.chance.random() < 0.9 else self.chance.gauss(0, 20)
        when = BEGIN + timedelta(days=case * 1.2 + apart if days is None else days)
        data = {
            "case_id": f"c{case}", "stage": stage or self.chance.choice(STAGES), "incident_class": self.chance.choice(["O04", "D01"]),
            **self.chance.choice(PLACES), "department": self.chance.choice(["东街派出所", "消防"]),
        }  # fmt: skip
        return Outgoing("police", "/kept", str(self.records), when, data)

    def tell(self, events: list[Outgoing]) -> None:
        """Store them."""
        arrived = int(max(event.at for event in events).timestamp() * 1000)
        first = self.records - len(events)
        records = [RawRecord(first + n, arrived, encode(event).value, ()) for n, event in enumerate(events)]
        self.writer.write(Position(self.topic_id, 0, self.blocks), *block(records))
        self.blocks += 1

    def check(self) -> None:
        """The view tells what judging every case tells."""
        told, judged = (
            sorted(map(repr, self.store.query(f"SELECT {COLUMNS} FROM {of}")))
            for of in ("v_response_cases", "every_case_judged")
        )
        assert told == judged
        assert told

    def kept(self) -> int:
        """Cases that are not judged at the question."""
        return one(self.store, NOW_KEPT) if one(self.store, USABLE) else 0


def test_cases_that_go_on_or_change_their_month(city: City) -> None:
    months = set()
    for _ in range(12):
        city.add(25)
        city.check()
        done = keep(city.store, margin_seconds=0)
        assert done
        months |= {*done.months}
        city.check()
        assert city.kept() == one(city.store, "SELECT count() FROM every_case_judged")
    assert len(months) >= 4
    city.tell([city.event(7, "reported", days=-30)])
    assert city.kept() == one(city.store, "SELECT count() FROM every_case_judged") - 1
    city.check()
    done = keep(city.store, margin_seconds=0)
    assert done
    assert (done.cases, len(done.months)) == (1, 2)
    city.check()


def test_only_what_was_touched_is_judged_again(city: City) -> None:
    city.add(200)
    keep(city.store, margin_seconds=0)
    assert keep(city.store, margin_seconds=0) is None
    city.tell([city.event(3, "closed", days=4)])
    done = keep(city.store, margin_seconds=0)
    assert done
    assert done.cases == 1
    assert len(done.months) == 1


def test_cases_of_the_margin_are_judged_at_the_question(city: City) -> None:
    """An insert is seen after its `stored_at`: what a pass may have missed does not count as kept."""
    city.add(100, range(30))
    keep(city.store, margin_seconds=0)
    city.add(100, range(30, 60))
    time.sleep(0.01)
    keep(city.store, margin_seconds=60)
    assert city.kept() == 0
    city.check()
    keep(city.store, margin_seconds=0)
    assert city.kept() == one(city.store, "SELECT count() FROM every_case_judged")


@pytest.mark.parametrize("anew", [True, False])
def test_a_pass_may_end_anywhere(city: City, monkeypatch: pytest.MonkeyPatch, anew: bool) -> None:
    monkeypatch.setattr(sinks.kept, "BOUNDS", sinks.kept.BOUNDS.replace(str(sinks.kept.CASES_A_STATEMENT), "20"))
    city.add(300)
    if not anew:
        keep(city.store, margin_seconds=0)
    ended = 0
    while True:
        city.add(40)
        try:
            keep(city.store, at_most(ended), margin_seconds=0)
        except KilledHere:
            ended += 1
            city.check()
            continue
        break
    assert ended > 4
    city.check()
    assert city.kept() == one(city.store, "SELECT count() FROM every_case_judged")


def test_other_tiers_hold_at_once_and_for_all(city: City) -> None:
    city.add(200)
    keep(city.store, margin_seconds=0)
    fill_tiers(city.store, URGENT)
    assert city.kept() == 0
    city.check()
    assert city.store.query("SELECT DISTINCT tier FROM v_response_cases ORDER BY tier") == [("all",), ("now",)]
    keep(city.store, margin_seconds=0)
    city.check()
    assert city.kept() == one(city.store, "SELECT count() FROM every_case_judged")
    fill_tiers(city.store, shipped_tiers())
    assert city.kept() == 0
    city.check()


def test_tiers_that_change_in_the_middle_of_a_pass(city: City) -> None:
    city.add(200)
    with pytest.raises(Overtaken, match="tiers changed"):
        keep(city.store, lambda: fill_tiers(city.store, URGENT), margin_seconds=0)
    city.check()
    assert city.kept() == 0
    keep(city.store, margin_seconds=0)
    city.check()
    assert city.kept() > 0


def test_what_was_kept_before_a_hold_does_not_count(city: City) -> None:
    """Maintenance may take cases away, which no insert tells: here all events of one."""
    city.add(200)
    city.tell([city.event(99, "reported", days=2)])
    keep(city.store, margin_seconds=0)
    hold = Hold(city.store, "a test")
    try:
        assert keep(city.store, margin_seconds=0) is None
        city.store.command("DELETE FROM events WHERE case_id = 'c99'")
        (cases,) = [target for target in targets(city.store) if target.table == "cases"]
        rebuild(city.store, cases, check=hold.check)
        city.check()
    finally:
        hold.release()
    assert city.kept() == 0
    city.check()
    keep(city.store, margin_seconds=0)
    city.check()
    assert city.kept() == one(city.store, "SELECT count() FROM every_case_judged")
    assert one(city.store, "SELECT count() FROM response_kept WHERE case_id = 'c99'") == 0


def test_a_hold_in_the_middle_of_a_pass(city: City) -> None:
    city.add(200)
    keep(city.store, margin_seconds=0)
    city.add(20)

    def short_hold() -> None:
        Hold(city.store, "a test").release()

    keep(city.store, short_hold, margin_seconds=0)
    assert city.kept() == 0
    city.check()


def test_two_passes_at_once(city: City) -> None:
    """Two loaders, while the first partition goes from one to the other: the later one finds out and leaves."""
    city.add(200)
    begun: list[int] = []

    def another() -> None:
        begun.append(1)
        if len(begun) == 1:
            city.add(50)
            keep(city.store, margin_seconds=0)

    with pytest.raises(Overtaken, match="another pass"):
        keep(city.store, another, margin_seconds=0)
    assert city.kept() > 0
    city.check()


def test_two_passes_that_write_at_once(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one ends after this one has looked for it, so its months are overwritten: nothing kept counts."""
    city.add(200)
    keep(city.store, margin_seconds=0)
    city.tell([city.event(3, "closed", days=4)])

    def another_first(store: Store, table: str, beside: str, month: str) -> None:
        monkeypatch.setattr(sinks.kept, "replace_partition", replace_partition)
        city.tell([city.event(3, "arrived", days=3)])
        assert keep(store, margin_seconds=0)
        replace_partition(store, table, beside, month)

    monkeypatch.setattr(sinks.kept, "replace_partition", another_first)
    with pytest.raises(Overtaken, match="another pass"):
        keep(city.store, margin_seconds=0)
    assert city.kept() == 0
    city.check()
    keep(city.store, margin_seconds=0)
    assert city.kept() > 0
    city.check()


def test_nothing_to_keep(store: Store) -> None:
    assert keep(store, margin_seconds=0) is None


class KilledHere(Exception):
    """As if the process ended."""


def at_most(calls: int) -> Callable[[], None]:
    """A check that lets a pass go on so many times."""
    left = [calls]

    def check() -> None:
        if not left[0]:
            raise KilledHere
        left[0] -= 1

    return check
