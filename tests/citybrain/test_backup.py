"""`citybrain backup` and `restore` over one store; with Kafka and processes: tests/faults/test_restore.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from citybrain.audit.aggregates import recounts
from citybrain.backup import access, put_back, save
from citybrain.backup.manifest import BackupUnusable, Manifest
from citybrain.backup.put_back import StoreNotEmpty
from citybrain.settings import Settings
from schemas.alerts import encode_alert
from schemas.errors import CitybrainError, StoreUnavailable, StoreUnsafe
from sinks.alert_writer import AlertWriter
from sinks.ledger import Ledger, Position
from sinks.maintenance import NotHeld
from sinks.migrate import check_store, migrate
from sinks.restoring import check_restored
from sinks.store import Store
from sinks.writer import BlockWriter
from tests.alerts import action, raised
from tests.sinks.blocks import ARRIVED_MS, at, bad, block, one, raw, rows_in

ZONE = "Asia/Shanghai"
TABLES = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name"
ALERT = raised()


@contextmanager
def nobody_else() -> Iterator[Callable[[], None]]:
    """One process owns the folder: nothing to hold."""
    yield lambda: None


def write(store: Store, offset: int, records: int = 20) -> None:
    """The loader's own way: one record of citybrain.risk, a hole of nothing, one reject in it."""
    first = offset * records
    rows = [*(raw(first + n, status="online", kind="police") for n in range(records - 1)), bad(first + records - 1)]
    made = block(rows)
    BlockWriter(store).write(at(offset), made.headers, made.value)


def tell(store: Store, offset: int, value: bytes) -> None:
    AlertWriter(store).write(Position("alerts-1", 0, offset), value, ARRIVED_MS)


@pytest.fixture
def filled(store: Store) -> Store:
    """Three records and an alert."""
    for offset in range(3):
        write(store, offset)
    tell(store, 0, encode_alert(ALERT).value)
    return store


def content(store: Store) -> dict[str, Any]:
    return {
        "rows": rows_in(store),
        "events": store.query("SELECT * EXCEPT (stored_at) FROM events ORDER BY source_offset"),
        "cases": store.query("SELECT * FROM v_cases ORDER BY case_id"),
        "alerts": store.query("SELECT * FROM v_alerts"),
        "places": store.query("SELECT * FROM areas FINAL ORDER BY ALL"),
        "wrong buckets": {table: one(store, sql) for table, sql in recounts(ZONE).items()},
    }


def test_what_comes_after_the_backup_is_stored_again_and_once(filled: Store, tmp_path: Path) -> None:
    """The old tables know the tokens of records 3 and 4; restored ones may not, or these records would be dropped in silence."""
    save(filled, nobody_else, tmp_path / "b", ZONE)
    for offset in (3, 4):
        write(filled, offset)
    tell(filled, 1, encode_alert(action(ALERT, "ack", "a")).value)
    wanted = content(filled)
    tables = filled.query(TABLES)

    done = put_back(filled, nobody_else, tmp_path / "b", ZONE, replace=True)

    assert done.removed > 0
    assert Ledger(filled).next_offset("risk-1", 0) == 3
    assert filled.query(TABLES) == tables, "tables, views and their settings are as they were, and nothing is left over"
    check_store(filled)
    for offset in (3, 4):
        write(filled, offset)
    tell(filled, 1, encode_alert(action(ALERT, "ack", "a")).value)
    assert content(filled) == wanted


def test_a_store_with_rows_is_not_overwritten(filled: Store, tmp_path: Path) -> None:
    save(filled, nobody_else, tmp_path / "b", ZONE)
    before = content(filled)

    with pytest.raises(StoreNotEmpty, match=r"has \d+ rows.*wanted an empty store, or --replace"):
        put_back(filled, nobody_else, tmp_path / "b", ZONE)

    assert content(filled) == before


def test_a_restore_that_was_cut_off_lets_nobody_write_and_is_begun_anew(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Died between two renames: the ledger may be gone while events are there, so a loader would store the log twice."""
    before = content(filled)
    save(filled, nobody_else, tmp_path / "b", ZONE)
    run, renames = filled.command, iter(range(5))

    def dies(sql: str) -> None:
        if sql.startswith("RENAME") and next(renames, None) is None:
            raise StoreUnavailable("command", 0, "cut off")
        run(sql)

    monkeypatch.setattr(filled, "command", dies)
    with pytest.raises(StoreUnavailable):
        put_back(filled, nobody_else, tmp_path / "b", ZONE, replace=True)
    monkeypatch.undo()

    for refuses in (lambda: check_restored(filled), lambda: migrate(filled, ZONE)):
        with pytest.raises(StoreUnsafe, match="citybrain restore SRC --replace"):
            refuses()
    with pytest.raises(StoreUnsafe, match="has not ended"):
        save(filled, nobody_else, tmp_path / "c", ZONE)
    assert not (tmp_path / "c.partial").exists()
    put_back(filled, nobody_else, tmp_path / "b", ZONE)
    check_restored(filled)
    assert content(filled) == before


def test_a_merge_while_tables_are_filled_is_no_lost_row(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(filled)
    save(filled, nobody_else, tmp_path / "b", ZONE)
    insert = filled.insert_raw

    def insert_and_merge(table: str, data: bytes, fmt: str, token: str) -> None:
        insert(table, data, fmt, token)
        with suppress(CitybrainError):  # it may be told not to
            filled.command(f"OPTIMIZE TABLE {table} FINAL")

    monkeypatch.setattr(filled, "insert_raw", insert_and_merge)
    put_back(filled, nobody_else, tmp_path / "b", ZONE, replace=True)
    assert content(filled) == before


def test_an_older_backup_is_brought_up_to_date(filled: Store, tmp_path: Path) -> None:
    """Its tables are as they were then; the migrations since are applied to them."""
    filled.command("ALTER TABLE events DROP INDEX by_stored_at")
    filled.command("ALTER TABLE migrations DELETE WHERE version = 10 SETTINGS mutations_sync = 2")
    save(filled, nobody_else, tmp_path / "b", ZONE)

    done = put_back(filled, nobody_else, tmp_path / "b", ZONE, replace=True)

    assert done.migrated == ["0010_stored_at"]
    assert "by_stored_at" in dict(filled.query(TABLES))["events"]


def test_a_record_half_stored_is_a_reason_to_refuse(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its repeat is harmless by its tokens only, and those do not come along."""
    monkeypatch.setattr(Ledger, "write", lambda *_: None)
    write(filled, 3)
    monkeypatch.undo()

    with pytest.raises(NotHeld, match=r"1 records are half stored.*citybrain up"):
        save(filled, access._alone(filled, saving=True), tmp_path / "b", ZONE)

    assert not (tmp_path / "b").exists()


def test_a_backup_that_was_killed_is_no_backup_and_is_in_nobodys_way(filled: Store, tmp_path: Path) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(filled, nobody_else, tmp_path / "b", ZONE, dies)
    filled.command("CREATE TABLE backup_events AS events")
    assert (tmp_path / "b.partial").is_dir()
    with pytest.raises(BackupUnusable, match=r"no manifest\.json.*\.partial"):
        put_back(filled, nobody_else, tmp_path / "b.partial", ZONE, replace=True)

    made = save(filled, nobody_else, tmp_path / "b", ZONE)

    assert not (tmp_path / "b.partial").exists()
    assert one(filled, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE 'backup%'") == 0
    assert made.rows > 60
    with pytest.raises(BackupUnusable, match="exists; wanted the name of a new folder"):
        save(filled, nobody_else, tmp_path / "b", ZONE)


class TestDamage:
    """Whatever is wrong with a backup is found before anything is changed."""

    @pytest.fixture
    def saved(self, filled: Store, tmp_path: Path) -> Path:
        save(filled, nobody_else, tmp_path / "b", ZONE)
        return tmp_path / "b"

    def refused(self, store: Store, saved: Path, match: str, zone: str = ZONE) -> None:
        before = content(store)
        with pytest.raises(BackupUnusable, match=match):
            put_back(store, nobody_else, saved, zone, replace=True)
        assert content(store) == before

    def test_a_file_that_was_changed(self, filled: Store, saved: Path) -> None:
        path = saved / "events" / "000000.native.zst"
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        self.refused(filled, saved, r"events/000000\.native\.zst: SHA-256 is [0-9a-f]{12}, wanted")

    def test_a_file_that_is_gone(self, filled: Store, saved: Path) -> None:
        (saved / "blocks" / "000000.native.zst").unlink()
        self.refused(filled, saved, r"blocks/000000\.native\.zst: No such file")

    def test_a_manifest_cut_off(self, filled: Store, saved: Path) -> None:
        path = saved / "manifest.json"
        path.write_text(path.read_text()[:-50])
        self.refused(filled, saved, r"manifest\.json: the file: Invalid JSON")

    def test_a_file_of_somebody_else(self, filled: Store, saved: Path) -> None:
        self.change(saved, lambda text: text.replace("events/000000", "../../000000"))
        self.refused(filled, saved, "lies outside the backup")

    def test_a_later_format(self, filled: Store, saved: Path) -> None:
        self.change(saved, lambda text: text.replace('"format": 1', '"format": 2'))
        self.refused(filled, saved, "format 2, wanted 1")

    def test_days_of_another_time_zone(self, filled: Store, saved: Path) -> None:
        self.refused(filled, saved, "counts days in Asia/Shanghai, the settings say UTC; set CITYBRAIN_CITY__TIME_ZONE", "UTC")

    def test_a_later_migration(self, filled: Store, saved: Path) -> None:
        made = Manifest.model_validate_json((saved / "manifest.json").read_text())
        later = made.model_copy(update={"migrations": made.migrations | {9999: "f" * 64}})
        (saved / "manifest.json").write_text(later.model_dump_json())
        self.refused(filled, saved, "has migration 9999 as ffffffffffff, this City brain has none")

    def change(self, saved: Path, by: Callable[[str], str]) -> None:
        path = saved / "manifest.json"
        path.write_text(by(path.read_text()))


def test_the_commands_over_a_folder_that_nobody_owns(tmp_path: Path) -> None:
    """Into a new folder, as on a new machine: no Kafka runs, and none is needed."""

    def citybrain(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "citybrain", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    old, new = tmp_path / "old", tmp_path / "new"
    store = Store.connect(str(old / "clickhouse"))
    migrate(store, Settings().city.time_zone)
    write(store, 0)
    wanted = rows_in(store)
    store.close()

    assert "no store at" in citybrain("backup", tmp_path / "b", "--data-dir", new).stderr
    made = citybrain("backup", tmp_path / "b", "--data-dir", old, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["rows"]["events"] == wanted["events"]
    again = citybrain("restore", tmp_path / "b", "--data-dir", new)
    assert again.returncode == 0, again.stderr
    assert "0 rows were removed" in again.stdout
    refused = citybrain("restore", tmp_path / "b", "--data-dir", new)
    assert (refused.returncode, "or --replace" in refused.stderr) == (1, True)
    store = Store.connect(str(new / "clickhouse"))
    assert rows_in(store) == wanted
    store.close()
