"""Migrations run once, changed ones are refused, and a store that could count twice is not loaded into."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from schemas.errors import StoreUnsafe
from sinks.migrate import GUARDED, check_store, migrate, migrations, unsafe_tables
from sinks.store import Store
from sinks.writer import BlockWriter
from tests.sinks.blocks import at, block, one, raw, rows_in

WINDOW = "non_replicated_deduplication_window"


def forget(store: Store, version: int) -> None:
    store.command(f"ALTER TABLE migrations DELETE WHERE version = {version} SETTINGS mutations_sync = 2")


@pytest.fixture
def changed(store: Store) -> Iterator[Store]:
    """A store to which the second file was applied with another text."""
    store.command("ALTER TABLE migrations UPDATE sha256 = 'feedfacefeedface' WHERE version = 2 SETTINGS mutations_sync = 2")
    yield store
    forget(store, 2)
    migrate(store, "Asia/Shanghai")


def test_it_is_safe_to_repeat(store: Store) -> None:
    BlockWriter(store).write(at(0), *block([raw(0)]))
    before = rows_in(store)

    assert migrate(store, "Asia/Shanghai") == []
    assert one(store, "SELECT count() FROM migrations") == len(migrations("Asia/Shanghai"))
    assert rows_in(store) == before


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_crash_between_a_file_and_its_note_is_healed_by_the_next_run(store: Store, version: int) -> None:
    """The statements ran, the row in `migrations` is missing: they run again and change nothing."""
    BlockWriter(store).write(at(0), *block([raw(0)]))
    before = rows_in(store)
    forget(store, version)

    assert [name[:4] for name in migrate(store, "Asia/Shanghai")] == [f"{version:04}"]
    assert rows_in(store) == before
    check_store(store)


def test_a_file_that_changed_after_it_ran_is_refused(changed: Store) -> None:
    with pytest.raises(
        StoreUnsafe, match=r"0002_views was applied as feedfacefeed and is .* now; .* write the change as a new number"
    ):
        migrate(changed, "Asia/Shanghai")


def test_versions_are_numbered_once_and_in_order() -> None:
    versions = [migration.version for migration in migrations("UTC")]
    assert versions == sorted(set(versions))


def test_the_day_begins_in_the_time_zone_given_and_the_checksum_does_not_depend_on_it() -> None:
    here, there = migrations("Asia/Shanghai"), migrations("America/Chicago")

    assert [migration.sha256 for migration in here] == [migration.sha256 for migration in there]
    assert sum("toDate(at, 'America/Chicago')" in statement for statement in there[1].statements) == 1
    assert not any("{time_zone}" in statement for migration in here for statement in migration.statements)


def test_a_window_too_small_for_a_retry_is_refused_with_the_fix(store: Store) -> None:
    """The fix in the message is run as it stands and is enough."""
    check_store(store)
    for table in GUARDED:
        store.command(f"ALTER TABLE {table} MODIFY SETTING {WINDOW} = 100")
        with pytest.raises(StoreUnsafe, match=rf"table {table}: {WINDOW} is 100, wanted at least 10000") as caught:
            check_store(store)
        store.command(str(caught.value).split("run: ")[1])
    check_store(store)


def test_a_missing_table_is_told_to_migrate(store: Store) -> None:
    store.command("RENAME TABLE cases TO put_away")
    with pytest.raises(StoreUnsafe, match="table cases is missing; run `citybrain migrate`"):
        check_store(store)
    store.command("RENAME TABLE put_away TO cases")
    check_store(store)


def test_a_replicated_engine_is_judged_by_its_own_window() -> None:
    good = f"ReplicatedMergeTree('/a', 'b') ORDER BY x SETTINGS replicated_{WINDOW.removeprefix('non_replicated_')} = 10000"
    tables = dict.fromkeys(GUARDED, good)
    assert unsafe_tables(tables) == []

    tables["events"] = f"ReplicatedMergeTree('/a', 'b') ORDER BY x SETTINGS {WINDOW} = 10000"
    (problem,) = unsafe_tables(tables)
    assert problem.startswith("table events: replicated_deduplication_window is 0, wanted at least 10000")


def test_every_table_is_named_when_the_store_is_empty() -> None:
    assert [problem.split()[1] for problem in unsafe_tables({})] == list(GUARDED)


def test_parts_wait_until_there_are_twelve(store: Store) -> None:
    """Each merge of a row costs more than its insert."""
    engines = dict(store.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"))
    for table in ("events", "counts_minute", "counts_day", "cases", "sensor_rollup"):
        assert "merge_selector_base = 12" in engines[table]


def test_a_migration_that_loaders_work_beside_touches_no_row_and_no_view_of_theirs() -> None:
    """It takes no hold (docs/decisions/0057): the first two made all views, and none after them may change what an insert does."""
    later = [migration for migration in migrations("UTC") if migration.version > 2]
    changing = re.compile(r"\b(MATERIALIZED VIEW|INSERT|UPDATE|DELETE|DROP|TRUNCATE|RENAME|EXCHANGE|REPLACE PARTITION)\b")
    assert later
    assert not [
        (migration.name, statement) for migration in later for statement in migration.statements if changing.search(statement)
    ]
