"""Years of the city, made fast, are the same bytes as the events told one by one."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from ingest.city import build_city
from ingest.city.history import history, long_plan
from ingest.city.plan import Plan
from ingest.outgoing import encode
from schemas.events import Kind

DAYS = 3
NOTHING: dict[Kind, int] = {"sensor": 0, "police": 0, "grid": 0}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return long_plan(build_city(1), datetime(2026, 11, 20, tzinfo=UTC), DAYS, 60_000)


@pytest.fixture(scope="module")
def one_by_one(plan: Plan) -> dict[Kind, list[bytes]]:
    found: dict[Kind, list[bytes]] = defaultdict(list)
    for event in plan.history():
        found[event.kind].append(encode(event).value)
    return found


def test_the_plan_has_at_least_as_many_records_as_asked(one_by_one: dict[Kind, list[bytes]]) -> None:
    assert 60_000 <= sum(map(len, one_by_one.values())) < 66_000


def test_every_record_is_the_same_in_bytes_order_and_number(plan: Plan, one_by_one: dict[Kind, list[bytes]]) -> None:
    found: dict[Kind, list[bytes]] = defaultdict(list)
    for run in history(plan, NOTHING):
        assert run.first == len(found[run.kind]) + 1
        found[run.kind] += run.values.to_pylist()

    assert found == one_by_one


@pytest.mark.parametrize("after", [1, 5_000, 15_000])
def test_it_goes_on_after_any_record_of_each_kind(plan: Plan, one_by_one: dict[Kind, list[bytes]], after: int) -> None:
    skipped = {kind: min(after, len(values) - 1) for kind, values in one_by_one.items()}
    found: dict[Kind, list[bytes]] = defaultdict(list)
    for run in history(plan, skipped):
        assert run.first == skipped[run.kind] + len(found[run.kind]) + 1
        found[run.kind] += run.values.to_pylist()

    assert found == {kind: values[skipped[kind] :] for kind, values in one_by_one.items()}
