"""A backfill that ends at any insert and is run again stores every record once, in tables, counts and ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from citybrain.audit.aggregates import recounts
from citybrain.backfill import run as module
from citybrain.backfill.check import check
from citybrain.backfill.cooking import Recipe, blocks_of
from citybrain.backfill.run import Backfill, SpoolLost
from citybrain.backfill.sources import KINDS, Source, file_source
from ingest.city import build_city, make_plan
from ingest.mapping import load_mapping
from ingest.outgoing import encode
from schemas.block import BlockHeader
from schemas.events import Kind
from sinks.holds import Hold
from sinks.migrate import migrate
from sinks.store import Store

ZONE = "Asia/Shanghai"
RECORDS = 310
ROWS = 150
NOW_MS = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp() * 1000)
DAYS_BACK = count()


class Ended(BaseException):
    """As if the process had been killed."""


class Fragile(Store):
    """A store in which the process ends before or after the insert with a given number."""

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        super().__init__(store._client, store._reopen)
        self._left, self._after = at, after

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        if self._left == 0 and not self._after:
            raise Ended
        super().insert(table, rows, token)
        if self._left == 0:
            raise Ended
        self._left -= 1


def nobody_holds() -> AbstractContextManager[Hold]:
    pytest.fail("no block was begun long ago")


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cook here and once: a process for each of many short runs would take minutes. A spooled block is never cooked again."""
    cooked: dict[tuple[str, int], list[tuple[BlockHeader, bytes]]] = {}

    def beside(source: Source, recipe: Recipe, after: Mapping[Kind, int]) -> Iterator[tuple[BlockHeader, bytes]]:
        key = (source.topic_id, recipe.received_ms)
        if key not in cooked:
            cooked[key] = list(blocks_of(source, recipe, dict.fromkeys(after, 0)))
        for header, value in cooked[key]:
            if header.first_offset > after[KINDS[header.source_partition]]:
                yield header, value

    monkeypatch.setattr(module, "cooked_beside", beside)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.connect(str(tmp_path_factory.mktemp("store") / "clickhouse"))
    migrate(store, ZONE)
    yield store
    store.close()


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(build_city(1).places, None, False, NOW_MS, ROWS)


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Events of all kinds, some sent twice, some broken; every test has others, so that no file is known already."""
    day = datetime(2026, 11, 20, tzinfo=UTC) - timedelta(days=next(DAYS_BACK))
    events = make_plan(build_city(1), day, 20_000).played_day()
    lines = [encode(event).value for event in islice(events, RECORDS - 10)]
    lines += [*lines[5:10], b'{"type": "nobody"}', b"no json", lines[0][:-4], b"[]", b"1"]
    path = tmp_path / f"{request.node.name}.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def counted(store: Store, source: Source) -> dict[str, int]:
    """Rows of a source by table, and distinct events."""
    where = f"WHERE source_topic_id = '{source.topic_id}'"
    ((events, distinct),) = store.query(f"SELECT count(), uniqExact(source, id) FROM events {where}")
    ((rejected,),) = store.query(f"SELECT count() FROM rejected {where}")
    ((covered,),) = store.query(f"SELECT sum(stored + rejected + repeated + conflict + redelivered) FROM blocks {where}")
    return {"events": events, "distinct": distinct, "rejected": rejected, "covered": covered}


def assert_whole(store: Store, source: Source) -> None:
    report = check(source, store.query_arrow)
    assert report.clean, report
    assert report.checked == RECORDS
    assert counted(store, source)["covered"] == RECORDS
    differing = {table: pc.sum(store.query_arrow(sql).column(0)).as_py() or 0 for table, sql in recounts(ZONE).items()}
    assert not any(differing.values()), differing


def test_a_file_of_events_is_stored_whole_with_its_rejects_and_without_its_repeats(
    store: Store, recipe: Recipe, file: Path, tmp_path: Path
) -> None:
    source = file_source(file, None)

    report = Backfill(source, store, tmp_path / "spool", nobody_holds).run(recipe)

    assert report.records == RECORDS
    assert report.repeated == 5
    assert report.rejected == 5
    assert_whole(store, source)


def test_the_same_file_again_stores_nothing(store: Store, recipe: Recipe, file: Path, tmp_path: Path) -> None:
    source = file_source(file, None)
    Backfill(source, store, tmp_path / "spool", nobody_holds).run(recipe)
    copied = tmp_path / "another name.ndjson"
    copied.write_bytes(file.read_bytes())

    report = Backfill(file_source(copied, None), store, tmp_path / "spool", nobody_holds).run(recipe)

    assert (report.records, report.blocks) == (0, 0)
    assert_whole(store, source)


@pytest.mark.parametrize("after", [False, True])
def test_ended_at_every_insert_and_run_again_it_is_whole(
    store: Store, recipe: Recipe, file: Path, tmp_path: Path, after: bool
) -> None:
    """Runs end at the first to the fourth insert in turn; a block has three at most, so it ends between any two steps."""
    source = file_source(file, None)
    for attempt in count():
        try:
            Backfill(source, Fragile(store, attempt % 4, after=after), tmp_path / "spool", nobody_holds).run(recipe)
        except Ended:
            continue
        break

    assert attempt > 2
    assert_whole(store, source)


def test_a_block_begun_with_other_rules_goes_on_as_it_was_begun(
    store: Store, recipe: Recipe, file: Path, tmp_path: Path
) -> None:
    """Places known only later change what is cooked, and the block that was begun keeps its bytes."""
    source = file_source(file, None)
    blind = Recipe(build_city(2).places, None, False, NOW_MS - 5_000, ROWS)
    with pytest.raises(Ended):
        Backfill(source, Fragile(store, 0, after=True), tmp_path / "spool", nobody_holds).run(blind)

    Backfill(source, store, tmp_path / "spool", nobody_holds).run(recipe)

    assert_whole(store, source)


def test_rows_of_a_block_whose_spool_is_gone_are_not_added_to(store: Store, recipe: Recipe, file: Path, tmp_path: Path) -> None:
    source = file_source(file, None)
    with pytest.raises(Ended):
        Backfill(source, Fragile(store, 0, after=True), tmp_path / "spool", nobody_holds).run(recipe)

    with pytest.raises(SpoolLost, match="half stored and its spool is gone"):
        Backfill(source, store, tmp_path / "other", nobody_holds).run(recipe)

    Backfill(source, store, tmp_path / "spool", nobody_holds).run(recipe)
    assert_whole(store, source)


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_files_by_a_mapping_give_the_same_events(store: Store, recipe: Recipe, tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [
        {"number": f"{ending}-{n}", "when": f"2026-11-{n % 20 + 1:02d} 08:15", "type": "BURG", "what": "door forced"}
        for n in range(50)
    ]
    path = tmp_path / f"calls.{ending}"
    match ending:
        case "csv":
            lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        case "ndjson":
            path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
        case _:
            pq.write_table(pa.Table.from_pylist(rows), path)
    mapping = tmp_path / "calls.yaml"
    mapping.write_text(
        "about: Calls\nkind: police\nsource: urn:example:calls\ntime_zone: Asia/Shanghai\nid: number\n"
        "at: {columns: [when], zone: Asia/Shanghai}\nfields: {code: type, text: what}\nconstants: {stage: reported}\n",
        encoding="utf-8",
    )
    source = file_source(path, load_mapping(str(mapping)))

    report = Backfill(source, store, tmp_path / "spool", nobody_holds).run(recipe)

    assert (report.stored, report.rejected) == (50, 0)
    assert check(source, store.query_arrow).clean
    ((ids,),) = store.query(f"SELECT count() FROM events WHERE id LIKE '{ending}-%' AND code = 'BURG'")
    assert ids == 50
