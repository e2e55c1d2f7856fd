"""Tables beside others are gone after their block; those that killed processes left are found an hour later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sinks.beside import table_beside
from sinks.store import Store

LIKE = "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'response_kept_') ORDER BY name"


def left_at(at: datetime) -> str:
    return f"response_kept_{at:%Y%m%d_%H%M%S}_feed"


def test_two_may_have_one_each(store: Store) -> None:
    with table_beside(store, "response_kept") as one, table_beside(store, "response_kept") as other:
        assert store.query(LIKE) == sorted([(one,), (other,)])
    assert store.query(LIKE) == []


def test_it_is_gone_after_an_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), table_beside(store, "response_kept"):
        raise ZeroDivisionError
    assert store.query(LIKE) == []


def test_what_a_killed_process_left(store: Store) -> None:
    now = datetime.now(UTC)
    old, young = left_at(now - timedelta(minutes=61)), left_at(now - timedelta(minutes=50))
    for name in (old, young):
        store.command(f"CREATE TABLE {name} AS response_kept")
    try:
        with table_beside(store, "response_kept") as mine:
            assert store.query(LIKE) == [(young,), (mine,)]
    finally:
        for name in (old, young):
            store.command(f"DROP TABLE IF EXISTS {name}")
