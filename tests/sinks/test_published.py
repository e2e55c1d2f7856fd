"""What is published is of one moment, is written in one step, and by one loader alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ingest.outgoing import Outgoing
from sinks.keeper import Keeper
from sinks.published import TAKEN, publish
from sinks.store import Store
from tests.sinks.blocks import one
from tests.sinks.test_kept import KilledHere, at_most
from tests.sinks.test_response import write

VIEWS = {table: view.removesuffix(" WHERE toYear(month) = {year}") for table, view in TAKEN.items()}


@pytest.fixture(scope="module", params=["embedded", "http"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """Published in both."""
    return str(request.param)


def cases(first: int, number: int) -> Iterator[Outgoing]:
    """Cases of two years, each told twice; some are disputes."""
    for case in range(first, first + number):
        at = datetime(2025, 12, 29, 1, tzinfo=UTC) + timedelta(hours=case)
        told = {"case_id": f"c{case}", "grid": "150627001001001", "incident_class": "S02", "department": "甲"}
        if not case % 5:
            told |= {"incident_class": "D01", "mediation_level": "community"}
        for stage, later in (("reported", 0), ("accepted", 20)):
            yield Outgoing("police", "/p", f"{case}{stage}", at + timedelta(seconds=later), told | {"stage": stage})


def rows(store: Store, view: str) -> list[str]:
    return sorted(map(repr, store.query(f"SELECT * FROM {view}")))


def is_of_now(store: Store) -> bool:
    return all(rows(store, table) == rows(store, view) for table, view in VIEWS.items())


def test_what_is_published_is_of_its_moment(store: Store) -> None:
    write(store, list(cases(0, 200)))
    assert rows(store, "v_public_response") == []
    published = publish(store)
    assert is_of_now(store)
    assert published.keys() == TAKEN.keys()
    assert published == {table: len(rows(store, table)) for table in TAKEN}
    assert min(published.values()) > 1
    before = [rows(store, table) for table in TAKEN]
    store.command("TRUNCATE TABLE counts_day")
    store.command("TRUNCATE TABLE cases")
    assert [rows(store, table) for table in TAKEN] == before
    assert set(publish(store).values()) == {0}
    assert rows(store, "v_public_incidents") == rows(store, "v_public_response") == []


def test_a_publication_may_end_anywhere(store: Store) -> None:
    """Each table is as it was, or of now."""
    write(store, list(cases(0, 200)))
    publish(store)
    before = {table: rows(store, table) for table in TAKEN}
    store.command("INSERT INTO counts_day SELECT * FROM counts_day")
    store.command("DELETE FROM cases WHERE case_id < 'c15'")
    now = {table: rows(store, view) for table, view in VIEWS.items()}
    assert all(now[table] != before[table] for table in TAKEN)
    for calls in range(20):
        try:
            publish(store, at_most(calls))
        except KilledHere:
            found = {table: rows(store, table) for table in TAKEN}
            assert found != now
            assert all(found[table] in (before[table], now[table]) for table in TAKEN)
            continue
        break
    assert calls == 16
    assert is_of_now(store)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_loader_that_has_the_first_partition_keeps_and_publishes(store: Store) -> None:
    write(store, list(cases(0, 20)))
    with Keeper(store, lambda: False, every_seconds=0.01):
        time.sleep(0.5)
    assert one(store, "SELECT count() FROM response_passes") == 0
    assert rows(store, "v_public_incidents") == []
    with Keeper(store, lambda: True, every_seconds=0.01):
        wait_for(lambda: is_of_now(store))
    assert one(store, "SELECT toUnixTimestamp(since) > 0 FROM response_since") == 1
    assert "keeper" not in {thread.name for thread in threading.enumerate()}


def test_a_store_that_fails_is_tried_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    write(store, list(cases(0, 20)))
    store.command("RENAME TABLE response_kept TO put_away")
    with Keeper(store, lambda: True, every_seconds=0.01):
        wait_for(lambda: "not kept" in caplog.text)
        store.command("RENAME TABLE put_away TO response_kept")
        wait_for(lambda: is_of_now(store))
