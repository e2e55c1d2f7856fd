"""A plan is the same every time, in order, in known numbers, and reads as it should."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from ingest.city import Plan, build_city, make_plan
from ingest.city.cases import STAGES, Shard
from ingest.city.faults import BROKEN_A_DAY, FAULTS, REPEATED_A_DAY, broken
from ingest.city.plan import KINDS, merged
from ingest.outgoing import Wire, encode
from schemas.events import EVENT_MODELS, Kind
from schemas.person_fields import PERSON_FIELDS
from streams.cook import Kitchen, cook
from streams.locate import Locator
from streams.records import RawRecord
from streams.rules import shipped_rules

DAY = datetime(2026, 11, 22, tzinfo=ZoneInfo("Asia/Shanghai"))
ARRIVED = int(datetime(2026, 11, 24, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)


@cache
def small() -> Plan:
    """Three days of history and the played day."""
    return make_plan(build_city(1), DAY, 80_000)


@cache
def played() -> tuple[Wire, ...]:
    return tuple(merged(small(), played=True))


def test_the_default_plan_has_a_million_records_over_six_weeks_and_a_day() -> None:
    plan = make_plan(build_city(1), DAY, 1_000_000)
    total = sum(sum(plan.expected(played=part)) for part in (False, True))

    assert plan.history_days == 42
    assert 1_000_000 <= total < 1_005_000
    assert plan.start.isoformat() == "2026-10-11T00:00:00+08:00"


@pytest.mark.parametrize("total", [1, 20_000, 100_000, 3_000_000])
def test_a_plan_has_at_least_what_is_asked(total: int) -> None:
    plan = make_plan(build_city(1), DAY, total)

    assert sum(sum(plan.expected(played=part)) for part in (False, True)) >= total


@pytest.mark.parametrize("part", [False, True])
@pytest.mark.parametrize("kinds", [KINDS, ("police",), ("grid",), ("sensor",)])
def test_counts_are_known_before(kinds: tuple[Kind, ...], part: bool) -> None:
    plan = small()
    counts = plan.expected(kinds, played=part)
    wires = list(plan.wires(kinds, played=part))
    days = 1 if part else plan.history_days
    keys = Counter(wire.key for wire in wires)

    assert len(wires) == sum(counts)
    assert counts.events == sum(1 for _ in (plan.played_day if part else plan.history)(kinds))
    assert sum(key.startswith(b"/broken\n") for key in keys) == counts.broken == BROKEN_A_DAY * len(kinds) * days
    assert sum(number - 1 for number in keys.values()) == counts.repeated == REPEATED_A_DAY * len(kinds) * days


def test_the_same_seed_gives_the_same_bytes() -> None:
    """And another seed others."""

    def digest(seed: int) -> str:
        plan = make_plan(build_city.__wrapped__(seed), DAY, 40_000)
        return hashlib.sha256(b"\n".join(wire.value for wire in merged(plan, played=True))).hexdigest()

    assert digest(1) == digest(1) != digest(2)


def test_events_come_in_the_order_of_time_with_the_citys_offset() -> None:
    times = [event.at for event in small().events(0, 4)]

    assert times == sorted(times)
    assert times[0].utcoffset() == timedelta(hours=8)
    assert times[0] >= small().start
    assert times[-1] < DAY + timedelta(days=1)


def test_history_and_played_day_are_the_whole() -> None:
    """Each event in exactly one of them; stages of an old case may lie in the played day."""
    whole = [event.id for event in small().events(0, 4)]
    day = [event.id for event in small().played_day()]

    assert [event.id for event in small().history()] + day == whole
    assert len(set(whole)) == len(whole)
    assert any(name.startswith("grid-20261121") for name in day)


def test_shards_are_disjoint_and_together_the_whole() -> None:
    """Repeats and broken records too, and no case is in two shards."""
    parts = [list(merged(small(), played=True, shard=Shard(number, 3))) for number in range(3)]
    cases = [{event.data.get("case_id") for event in small().played_day(shard=Shard(n, 3))} - {None} for n in range(3)]

    assert sorted(wire for part in parts for wire in part) == sorted(played())
    assert not cases[0] & cases[1] | cases[1] & cases[2] | cases[0] & cases[2]
    assert max(map(len, parts)) < 1.2 * min(map(len, parts))


def test_stages_of_a_case_come_in_order() -> None:
    stages: dict[str, list[int]] = defaultdict(list)
    for event in small().events(0, 4, ("police", "grid")):
        if "stage" in event.data:
            stages[event.data["case_id"]].append(STAGES.index(event.data["stage"]))

    assert len(stages) > 5_000
    assert all(steps == list(range(len(steps))) for steps in stages.values())


def test_every_event_is_what_the_contract_wants() -> None:
    """All 20,000 and more of the played day; person fields are sent by a few, and no model has a field for them."""
    shown = 0
    for event in small().played_day():
        EVENT_MODELS[event.kind].model_validate_json(encode(event).value)
        shown += not PERSON_FIELDS.isdisjoint(event.data)

    assert 1 <= shown <= 20


def test_disputes_are_mediated_at_three_levels() -> None:
    levels = Counter(event.data.get("mediation_level") for event in small().played_day(("police", "grid")))

    assert levels["community"] > levels["town"] > levels["banner"] > 0


def test_the_worker_rejects_what_is_broken_and_nothing_else() -> None:
    """With the reasons that FAULTS names; everything else finds a place or is known to lie outside."""
    reasons: Counter[str] = Counter()
    located: Counter[str] = Counter()
    for kind in KINDS:
        kitchen = Kitchen(kind, Locator(small().city.places), shipped_rules())
        values = [wire.value for wire in played() if wire.kind == kind]
        cooked = cook(kitchen, [RawRecord(i, ARRIVED, value, ()) for i, value in enumerate(values)])
        reasons.update(reject.reason for reject in cooked.rejects)
        located.update(word for word in cooked.table["located_by"].to_pylist() if word)
    names = list(FAULTS)
    numbers = range(small().history_days * BROKEN_A_DAY, (small().history_days + 1) * BROKEN_A_DAY)

    assert reasons == Counter(FAULTS[names[number % len(names)]] for number in numbers for _ in KINDS)
    assert set(located) == {"coordinates", "grid", "place", "outside"}
    assert located["outside"] < 0.005 * sum(located.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_each_fault_has_its_reason(kind: Kind, number: int) -> None:
    value = broken(kind, number, DAY).value
    kitchen = Kitchen(kind, Locator(small().city.places), shipped_rules())

    with pytest.raises(ValidationError):
        EVENT_MODELS[kind].model_validate_json(value)
    assert [r.reason for r in cook(kitchen, [RawRecord(0, ARRIVED, value, ())]).rejects] == [list(FAULTS.values())[number]]


@pytest.mark.parametrize("index", range(3))
def test_a_burst_stands_out(index: int) -> None:
    """The worker finds all of its extra incidents, where one or none is usual at that time of another day."""
    burst = small().bursts[index]
    found = {DAY.date(): 0, (DAY - timedelta(days=1)).date(): 0}
    for kind in KINDS:
        kitchen = Kitchen(kind, Locator(small().city.places), shipped_rules())
        events = [e for e in small().events(2, 4, (kind,)) if burst.start.time() <= e.at.time() < burst.end.time()]
        table = cook(kitchen, [RawRecord(i, ARRIVED, encode(e).value, ()) for i, e in enumerate(events)]).table
        classes, grids, stages = (table[name].to_pylist() for name in ("incident_class", "grid", "stage"))
        for event, code, grid, stage in zip(events, classes, grids, stages, strict=True):
            if code == burst.incident_class and grid.startswith(burst.area) and stage in {None, "reported"}:
                found[event.at.date()] += 1

    assert burst.extra >= 12
    assert found[DAY.date()] in range(burst.extra, burst.extra + 3)
    assert found[(DAY - timedelta(days=1)).date()] <= 1


@pytest.mark.parametrize("day", [datetime(2026, 11, 22), DAY + timedelta(hours=1)])  # noqa: DTZ001 - naive on purpose
def test_a_played_day_starts_at_a_midnight_with_an_offset(day: datetime) -> None:
    with pytest.raises(ValueError, match="wanted a midnight with an offset"):
        make_plan(build_city(1), day, 1)


def test_streaming_starts_at_once() -> None:
    """A plan of a hundred million records is no list: the first come before the rest is thought of."""
    plan = make_plan(build_city(1), DAY.astimezone(timezone(timedelta(hours=8))), 100_000_000)

    assert len(list(islice(merged(plan, played=False), 1_000))) == 1_000
