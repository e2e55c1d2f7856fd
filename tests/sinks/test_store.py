"""What the engine promises under a token, and how errors come out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.block import BlockHeader, decode_block
from schemas.errors import StoreRefused, StoreUnavailable, StoreUnsafe
from sinks.covered import Covered
from sinks.migrate import GUARDED, check_store, migrate, migrations
from sinks.repeats import RecentEvents
from sinks.sorting import sort_block
from sinks.store import Store
from tests.sinks.blocks import TARGETS, at, block, one, raw, rows_in


def some_events(kind: str = "sensor") -> pa.Table:
    made = (
        block(
            [raw(n, kind="sensor", device="d1", readings=[{"metric": "co_ppm", "value": n / 10}]) for n in range(5)], "sensor"
        )
        if kind == "sensor"
        else block(raw(n) for n in range(5))
    )
    header = BlockHeader.from_kafka(made.headers)
    return sort_block(decode_block(made.value), header, at(0), Covered(), RecentEvents(), lambda _: {}).events


class TestTokens:
    @pytest.mark.parametrize("kind", ["sensor", "police"])
    def test_the_same_insert_again_changes_nothing_anywhere(self, store: Store, kind: str) -> None:
        for _ in range(3):
            store.insert("events", some_events(kind), "token")

        counted = {name for name, count in rows_in(store).items() if count == 5}
        assert counted == {"events", "counts_minute", "counts_day", "sensor_rollup" if kind == "sensor" else "cases"}

    @pytest.mark.parametrize("target", list(TARGETS))
    def test_a_crash_before_one_view_is_healed_by_the_repeat(self, store: Store, target: str) -> None:
        """The table has the rows, the view does not: the repeat fills the view and doubles nothing."""
        rows = some_events("police" if target == "cases" else "sensor")
        store.command(f"DETACH TABLE {target}_mv")
        store.insert("events", rows, "token")
        assert rows_in(store)[target] == 0
        store.command(f"ATTACH TABLE {target}_mv")
        store.insert("events", rows, "token")

        counted = rows_in(store)
        assert counted["events"] == counted[target] == counted["counts_day"] == counted["counts_minute"] == 5

    def test_another_token_is_another_insert(self, store: Store) -> None:
        store.insert("events", some_events(), "one")
        store.insert("events", some_events(), "two")

        assert rows_in(store)["counts_minute"] == 10


class TestErrors:
    def test_what_the_store_never_takes_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreRefused, match="no_such_table"):
            store.query("SELECT * FROM no_such_table")
        with pytest.raises(StoreRefused, match="blocks"):
            store.insert("blocks", pa.table({"no_such_column": [1]}), "t")

    def test_what_may_pass_is_unavailable_and_says_so(self, store: Store) -> None:
        with pytest.raises(StoreUnavailable, match="command") as caught:
            store.command("SELECT throwIf(1, 'busy')")

        assert caught.value.retryable

    def test_a_server_that_does_not_answer_is_named_without_its_password(self) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            Store.connect("http://loader:secret@127.0.0.1:9/city")

        assert "127.0.0.1:9" in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_a_readonly_store_reads_and_cannot_write(self, store: Store, tmp_path: Path) -> None:
        reader = Store.connect(f"{tmp_path}/clickhouse", readonly=True)
        assert one(reader, "SELECT count() FROM events") == 0
        with pytest.raises(StoreRefused, match="readonly"):
            reader.command("CREATE TABLE t (x Int8) ENGINE = Memory")
        store.insert("events", some_events(), "t")
        assert one(reader, "SELECT count() FROM events") == 5


class TestMigrate:
    def test_it_is_safe_to_repeat(self, store: Store) -> None:
        assert migrate(store, "Asia/Shanghai") == []
        assert one(store, "SELECT count() FROM migrations") == len(migrations("Asia/Shanghai"))

    def test_a_file_that_changed_after_it_ran_is_refused(self, store: Store) -> None:
        store.command("ALTER TABLE migrations UPDATE sha256 = 'other' WHERE version = 2 SETTINGS mutations_sync = 2")
        with pytest.raises(StoreUnsafe, match="0002_views"):
            migrate(store, "Asia/Shanghai")

    @pytest.mark.parametrize("table", GUARDED)
    def test_a_window_too_small_for_a_retry_is_refused_with_the_fix(self, store: Store, table: str) -> None:
        check_store(store)
        store.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 100")
        with pytest.raises(StoreUnsafe, match=rf"table {table}: .* is 100, wanted at least 10000.*ALTER TABLE {table}"):
            check_store(store)

    def test_an_empty_store_is_told_to_migrate(self, new_store: Callable[[], Store]) -> None:
        with pytest.raises(StoreUnsafe, match="table events is missing; run `citybrain migrate`"):
            check_store(new_store())


@pytest.fixture
def new_store(tmp_path: Path) -> Callable[[], Store]:
    return lambda: Store.connect(f"{tmp_path}/empty")
