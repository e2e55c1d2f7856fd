"""The four view targets and the published views against a plain recount."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from ingest.outgoing import Outgoing, encode
from schemas.events import Kind
from sinks.store import Store
from sinks.writer import BlockWriter
from streams.records import RawRecord
from tests.sinks.blocks import at, block

ZONE = ZoneInfo("Asia/Shanghai")
STAGES = ["reported", "accepted", "dispatched", "arrived", "resolved", "closed", None]
GRIDS = ["150627001001001", "150627001001002", "150627002003001", None]


def some_events(seed: int) -> dict[Kind, list[Outgoing]]:
    """Three kinds over two months, around midnights."""
    chance = random.Random(seed)
    midnight = datetime(2026, 10, 31, 16, tzinfo=UTC)  # where the day and the month change in Shanghai
    made: dict[Kind, list[Outgoing]] = {"police": [], "grid": [], "sensor": []}
    for number in range(240):
        kind = chance.choice(list(made))
        when = midnight + timedelta(seconds=chance.randint(-90_000, 90_000))
        data: dict[str, Any] = {"incident_class": chance.choice(["O04", "D01", "S04"])}
        if grid := chance.choice(GRIDS):
            data["grid"] = grid
        if kind == "sensor":
            metrics = chance.sample(["ch4_lel", "pm2_5"], chance.randint(1, 2))
            data |= {"device": chance.choice("ab"), "readings": [{"metric": m, "value": chance.random() / 3} for m in metrics]}
        elif stage := chance.choice(STAGES):
            data |= {"case_id": f"case{chance.randrange(20)}", "stage": stage}
            if chance.random() < 0.3:
                data["mediation_level"] = chance.choice(["community", "town", "banner"])
        made[kind].append(Outgoing(kind, "/v", f"{seed}-{number}", when, data))
    return made


@pytest.fixture(params=[1, 2])
def filled(request: pytest.FixtureRequest, store: Store) -> tuple[Store, list[Outgoing]]:
    """A store filled block by block in an order of its own, and what went in."""
    chance, made = random.Random(request.param), some_events(5)
    writer = BlockWriter(store)
    parts = [(kind, events[i : i + 25]) for kind, events in made.items() for i in range(0, len(events), 25)]
    chance.shuffle(parts)
    sent = dict.fromkeys(made, 0)
    for offset, (kind, part) in enumerate(parts):
        arrived = int(max(event.at for event in part).timestamp() * 1000)
        records = [RawRecord(sent[kind] + i, arrived, encode(event).value, ()) for i, event in enumerate(part)]
        sent[kind] += len(part)
        writer.write(at(offset), *block(records, kind, topic_id=f"id-{kind}"))
    return store, [event for events in made.values() for event in events]


def incident(event: Outgoing) -> bool:
    return event.data.get("stage") in {None, "reported"}


def test_days_begin_where_the_city_is(filled: tuple[Store, list[Outgoing]]) -> None:
    store, events = filled
    keys = [
        (event.at.astimezone(ZONE).date(), event.data.get("grid", ""), event.data["incident_class"], event.kind)
        for event in events
    ]
    found = store.query("SELECT day, grid, incident_class, kind, sum(events), sum(incidents) FROM v_counts_day GROUP BY ALL")

    assert {row[:4]: row[4] for row in found} == Counter(keys)
    opened = Counter(key for key, event in zip(keys, events, strict=True) if incident(event))
    assert {row[:4]: row[5] for row in found if row[5]} == opened


def test_hours_and_categories_are_sums_of_minutes(filled: tuple[Store, list[Outgoing]]) -> None:
    store, events = filled
    found = store.query("SELECT toString(hour), category, sum(events) FROM v_counts_hour GROUP BY hour, category")
    names = {"O": "public_order", "D": "disputes", "S": "public_safety"}
    wanted = Counter((f"{event.at:%Y-%m-%d %H}:00:00", names[event.data["incident_class"][0]]) for event in events)

    assert {(hour, category): count for hour, category, count in found} == wanted


@pytest.mark.parametrize(("level", "digits"), [("community", 12), ("town", 9), ("banner", 6)])
def test_upper_levels_are_prefixes(filled: tuple[Store, list[Outgoing]], level: str, digits: int) -> None:
    store, events = filled
    found = dict(store.query(f"SELECT {level}, sum(events) FROM v_counts_day GROUP BY {level}"))

    assert found == Counter(event.data.get("grid", "")[:digits] for event in events)


def test_a_case_is_followed_through_its_stages(filled: tuple[Store, list[Outgoing]]) -> None:
    store, events = filled
    cases: dict[tuple[str, str], list[Outgoing]] = {}
    for event in events:
        if "case_id" in event.data:
            cases.setdefault((f"citybrain.{event.kind}", event.data["case_id"]), []).append(event)
    found = store.query(
        "SELECT source_topic, case_id, incident_class, grid, reported, accepted, dispatched, arrived, resolved, closed, mediation, "
        "case_events FROM v_cases"
    )
    assert len(found) == len(cases)
    for topic, case_id, incident_class, grid, *stages, mediation, count in found:
        of_case = cases[topic, case_id]
        first = min(of_case, key=lambda event: (_millis(event.at), event.id))
        assert (incident_class, grid) == (first.data["incident_class"], first.data.get("grid", ""))
        for stage, when in zip(STAGES, stages, strict=False):
            times = [_millis(event.at) for event in of_case if event.data["stage"] == stage]
            assert (when and _millis(when.replace(tzinfo=UTC))) == min(times, default=None)
        ranks = {"community": 1, "town": 2, "banner": 3}
        assert mediation == max(ranks.get(event.data.get("mediation_level", ""), 0) for event in of_case)
        assert count == len(of_case)


def test_sums_of_readings_do_not_depend_on_their_order(filled: tuple[Store, list[Outgoing]]) -> None:
    store, events = filled
    wanted: dict[tuple[str, str, str, str], list[float]] = {}
    for event in events:
        for reading in event.data.get("readings", []):
            key = (f"{event.at:%Y-%m-%d %H}:00:00", event.data["device"], reading["metric"], event.data.get("grid", ""))
            wanted.setdefault(key, []).append(orjson.loads(orjson.dumps(reading["value"])))
    found = store.query(
        "SELECT toString(hour), device, metric, grid, sum(n), toString(sum(total)), min(low), max(high) FROM sensor_rollup "
        "GROUP BY hour, device, metric, grid"
    )
    assert {row[:4]: row[4] for row in found} == {key: len(values) for key, values in wanted.items()}
    for hour, device, metric, grid, _, total, low, high in found:
        values = wanted[hour, device, metric, grid]
        exact = sum(Decimal(int(value * 10**6)) / 10**6 for value in values)
        assert abs(Decimal(total) - exact) <= Decimal(len(values)) / 10**6
        assert (low, high) == (min(values), max(values))


def _millis(when: datetime) -> int:
    return int(when.timestamp() * 1000)
