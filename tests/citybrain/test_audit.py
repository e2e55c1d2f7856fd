"""The audit: clean over what is whole, and red, with topic, partition and offset, over each way a fact can be wrong."""

from __future__ import annotations

import dataclasses
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from citybrain.audit import AuditReport, run, run_audit
from citybrain.audit.raw_log import UNREADABLE, event_key, log_ends
from citybrain.local_kafka import LocalKafka
from citybrain.report import audit_lines
from citybrain.topics import ensure_topics
from ingest.city import City, make_plan
from ingest.outgoing import CONTENT_TYPE, Outgoing, encode
from ingest.producer import EventProducer
from schemas.block import SCHEMA_VERSION, BlockHeader, encode_block
from schemas.events import Kind
from schemas.kafka_options import Broker, common, producer, reader
from schemas.topic_ids import topic_ids
from schemas.topics import RAW, RISK
from sinks import repeats
from sinks.ledger import Position
from sinks.loader import Loader
from sinks.migrate import GUARDED, migrate
from sinks.repeats import RecentEvents, Verdict
from sinks.store import Store
from sinks.writer import BlockWriter
from streams.cook import Kitchen, cook
from streams.locate import Locator
from streams.records import RawRecord
from streams.rules import shipped_rules
from tests.sinks.blocks import keys_of

A_KIND = 500
BLOCK = 400
REPEATED = 15
DAY = datetime(2026, 3, 2, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("sensor", "police", "grid")


WRONG = [
    ("counts_minute", "toUInt64(1) AS events, toUInt64(0) AS incidents", "kind = 'grid'"),
    ("counts_minute", "toUInt64(0) AS events, toUInt64(1) AS incidents", "kind = 'police'"),
    ("counts_day", "toUInt64(0) AS events, toUInt64(1) AS incidents", "kind = 'police'"),
    ("cases", "toUInt64(1) AS events", "case_id = (SELECT min(case_id) FROM cases)"),
    ("cases", "toUInt64(0) AS events, 7 AS mediation_rank", "case_id = (SELECT max(case_id) FROM cases)"),
    (
        "cases",
        "toUInt64(0) AS events, reported_at - INTERVAL 1 SECOND AS reported_at",
        "reported_at IS NOT NULL AND case_id NOT IN (SELECT arrayJoin([min(case_id), max(case_id)]) FROM cases)",
    ),
    (
        "sensor_rollup",
        "toUInt64(0) AS n, toDecimal128(0.000001, 6) AS total",
        "metric = (SELECT min(metric) FROM sensor_rollup)",
    ),
    (
        "sensor_rollup",
        "toUInt64(0) AS n, toDecimal128(0, 6) AS total, low - 1 AS low",
        "metric = (SELECT max(metric) FROM sensor_rollup)",
    ),
    (
        "sensor_rollup",
        "toUInt64(0) AS n, toDecimal128(0, 6) AS total, high + 1 AS high",
        "metric NOT IN (SELECT arrayJoin([min(metric), max(metric)]) FROM sensor_rollup)",
    ),
]
"""View target, columns that are changed in a row added to it, and which bucket: another one each time."""


class Block(NamedTuple):
    """One block as the worker would send it."""

    header: BlockHeader
    table: Any


@dataclasses.dataclass
class Log:
    """A broker with records, and the blocks of those."""

    broker: Broker
    blocks: list[Block]
    sent: int


def send_some(broker: Broker, city: City) -> int:
    """A morning of the simulated city: each hundredth record twice, one of each kind broken, one in a transaction.

    The mark that ends a transaction takes an offset of its own, so citybrain.grid has an offset that is no record.
    """
    plan = make_plan(city, DAY, 100_000)
    inside = KafkaProducer(**(producer(broker) | {"transactional_id": "test"}))
    inside.init_transactions()
    inside.begin_transaction()
    inside.send(RAW["grid"].name, encode(Outgoing("grid", "/transaction", "1", DAY, {})).value, headers=[CONTENT_TYPE])
    inside.commit_transaction()
    inside.close()
    with EventProducer(broker) as to:
        for kind in KINDS:
            for number, event in enumerate(islice(plan.played_day((kind,)), A_KIND)):
                to.send(event)
                if number % 100 == 50:
                    to.send(event)
            to.send_record(kind, b"k", b'{"not json', [CONTENT_TYPE])
        to.send_record("grid", b"k", None, [])
    return to.delivered + 1


def blocks_of(broker: Broker, city: City) -> list[Block]:
    """Every record of the raw log cooked, in blocks of BLOCK records."""
    ids = topic_ids(broker, [topic.name for topic in RAW.values()])
    consumer = KafkaConsumer(**reader(broker))
    locator, blocks = Locator(city.places), []
    for (topic, number), end in log_ends(broker, [topic.name for topic in RAW.values()]).items():
        partition = TopicPartition(topic, number)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        records: list[Any] = []
        while consumer.position(partition) < end:
            records += consumer.poll(500).get(partition, [])
        kind = next(kind for kind in KINDS if RAW[kind].name == topic)
        kitchen = Kitchen(kind, locator, shipped_rules())
        for first in range(0, len(records), BLOCK):
            part = [RawRecord(r.offset, r.timestamp, r.value, r.headers) for r in records[first : first + BLOCK]]
            cooked = cook(kitchen, part)
            header = BlockHeader(
                SCHEMA_VERSION, topic, ids[topic], number, part[0].offset, part[-1].offset, len(part), len(cooked.rejects)
            )
            blocks.append(Block(header, cooked.table))
    consumer.close()
    return blocks


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Log]:
    """A raw log that nobody else writes to."""
    with LocalKafka(tmp_path_factory.mktemp("audited")) as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        ensure_topics(broker)
        sent = send_some(broker, city)
        yield Log(broker, blocks_of(broker, city), sent)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all tests of this file: `empty` and `full` make it so."""
    store = Store.connect(str(tmp_path_factory.mktemp("audited") / "clickhouse"))
    migrate(store, "Asia/Shanghai")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on its way in these stores: a difference need not be asked for again after a while."""
    monkeypatch.setattr(run, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def empty(engine: Store) -> Store:
    """The store without a row. Its next blocks come from another life of citybrain.risk, so that old tokens do not count."""
    for table in GUARDED:
        engine.command(f"TRUNCATE TABLE {table}")
    return engine


@pytest.fixture
def full(empty: Store, log: Log) -> Store:
    """The store with the whole log."""
    fill(empty, log.blocks)
    return empty


def fill(store: Store, blocks: list[Block]) -> None:
    """Store blocks as the loader does."""
    writer, life = BlockWriter(store), str(uuid.uuid4())
    for offset, block in enumerate(blocks):
        headers: Any = block.header.to_kafka()
        writer.write(Position(life, 0, offset), headers, encode_block(block.table))


def audit(log: Log, store: Store) -> AuditReport:
    return run_audit(log.broker, store.query_arrow, "Asia/Shanghai")


def change(store: Store, sql: str) -> None:
    """A mutation, done when this returns."""
    store.command(f"{sql} SETTINGS mutations_sync = 2")


def one_event(store: Store, where: str = "1") -> dict[str, Any]:
    """Some stored event: where it came from."""
    rows = store.query(
        f"SELECT source_topic, source_topic_id, source_partition, source_offset FROM events WHERE {where} ORDER BY source_offset DESC LIMIT 1"
    )
    ((topic, topic_id, partition, offset),) = rows
    return {"topic": topic, "topic_id": topic_id, "partition": partition, "offset": offset}


def at(place: dict[str, Any]) -> str:
    return f"source_topic_id = '{place['topic_id']}' AND source_partition = {place['partition']} AND source_offset = {place['offset']}"


def copy_row(store: Store, place: dict[str, Any], **changed: str) -> None:
    """Insert a stored event once more past every safeguard, with columns changed (SQL)."""
    columns = [
        str(name)
        for (name,) in store.query(
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'events' AND default_kind = ''"
        )
    ]
    values = ", ".join(changed.get(column, f"`{column}`") for column in columns)
    names = ", ".join(f"`{column}`" for column in columns)
    store.command(
        f"INSERT INTO events ({names}) SELECT {values} FROM events WHERE {at(place)} LIMIT 1 SETTINGS insert_deduplicate = 0"
    )


def found(report: AuditReport, place: dict[str, Any]) -> list[str]:
    """What the examples say of one record."""
    return [
        example["what"]
        for example in report.examples
        if all(example[name] == place[name] for name in ("topic", "partition", "offset"))
    ]


class TestWhole:
    def test_what_is_whole_is_clean(self, log: Log, full: Store) -> None:
        report = audit(log, full)

        assert report.clean, report
        assert report.checked == log.sent
        assert report.repeated == REPEATED
        assert report.aggregate_differences == {"counts_minute": 0, "counts_day": 0, "cases": 0, "sensor_rollup": 0}
        assert (report.pending, report.not_checkable, report.examples) == (0, 0, [])

    def test_every_kind_of_aggregate_had_something_to_compare(self, full: Store) -> None:
        for table in ("counts_minute", "counts_day", "cases", "sensor_rollup"):
            assert full.query(f"SELECT count() > 10 FROM {table}") == [(True,)], table

    def test_what_is_on_its_way_is_pending_not_lost(self, log: Log, empty: Store) -> None:
        fill(empty, log.blocks[:-2])

        report = audit(log, empty)

        assert report.clean
        assert report.checked == sum(block.header.rows for block in log.blocks[:-2])
        assert report.pending >= log.sent - report.checked > 0

    def test_an_empty_store_is_all_pending(self, log: Log, empty: Store) -> None:
        report = audit(log, empty)

        assert (report.clean, report.checked, report.pending) == (True, 0, log.sent + 1), (
            "the transaction's mark is counted too"
        )

    def test_it_says_how_far_it_is(self, log: Log, full: Store) -> None:
        told: list[tuple[str, int, int]] = []

        run_audit(log.broker, full.query_arrow, "Asia/Shanghai", progress=lambda *step: told.append(step))

        assert [step for step in told if step[0] == "records"][-1] == ("records", log.sent, log.sent + 1)
        assert told[-1] == ("aggregates", 4, 4)


class TestHoles:
    def test_a_row_that_is_gone_is_a_hole_with_its_place(self, log: Log, full: Store) -> None:
        place = one_event(full, "source_offset > 100")
        change(full, f"ALTER TABLE events DELETE WHERE {at(place)}")

        report = audit(log, full)

        assert (report.clean, report.holes) == (False, 1)
        assert found(report, place) == ["in no table, and its event is stored nowhere"]
        assert report.ledger_differences == 1
        assert not report.aggregates_equal, "the views still count it"

    def test_a_reject_that_is_gone_is_a_hole_too(self, log: Log, full: Store) -> None:
        ((topic, offset),) = full.query("SELECT source_topic, source_offset FROM rejected WHERE reason = 'not_json' LIMIT 1")
        change(full, f"ALTER TABLE rejected DELETE WHERE source_offset = {offset} AND source_topic = '{topic}'")

        report = audit(log, full)

        assert (report.clean, report.holes, report.ledger_differences) == (False, 1, 1)
        ((example,),) = [report.examples]
        assert (example["topic"], example["offset"]) == (topic, offset)

    def test_a_block_that_was_passed_over_is_as_many_holes(self, log: Log, empty: Store) -> None:
        """The ledger goes on after it: only the log knows."""
        left_out = next(block for block in log.blocks if block.header.source_topic == "citybrain.police")
        fill(empty, [block for block in log.blocks if block is not left_out])

        report = audit(log, empty)

        assert report.holes > left_out.header.rows - 10, "all but those that were sent again in a later block"
        assert report.checked == log.sent
        assert report.ledger_differences == 0
        assert len(report.examples) == 50, "no more examples than anybody reads"

    def test_a_loader_that_drops_every_tenth_row_as_repeated_is_found_out(
        self, log: Log, empty: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its own books agree with its tables; the log does not."""
        honest = RecentEvents.judge

        def dropping(self: RecentEvents, rows: pa.Table, lookup: repeats.Lookup) -> Verdict:
            verdict = honest(self, rows, lookup)
            return Verdict(verdict.repeat | (np.arange(len(rows)) % 10 == 9), verdict.conflict)

        monkeypatch.setattr(RecentEvents, "judge", dropping)
        send_blocks(log)
        load(log, empty)
        report = audit(log, empty)
        ((dropped,),) = empty.query("SELECT sum(repeated) FROM blocks")

        assert report.holes == dropped - REPEATED > 100
        assert not report.clean
        assert report.ledger_differences == 0
        assert report.aggregates_equal
        assert any("in no table" in line for line in audit_lines(report))


class TestDoubles:
    def test_a_row_stored_twice_is_found(self, log: Log, full: Store) -> None:
        place = one_event(full)
        copy_row(full, place)

        report = audit(log, full)

        assert (report.clean, report.twice, report.holes) == (False, 1, 0)
        assert "stored more than once" in found(report, place)
        assert report.ledger_differences == 1

    def test_an_event_stored_from_two_records_is_found(self, log: Log, empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """A loader that forgets what it stored: each repeated event goes in again."""
        monkeypatch.setattr(
            RecentEvents,
            "judge",
            lambda _self, rows, _: Verdict(np.zeros(len(rows), bool), np.zeros(len(rows), bool)),
        )
        fill(empty, log.blocks)

        report = audit(log, empty)

        assert (report.clean, report.twice, report.repeated) == (False, REPEATED, 0)
        assert {example["what"] for example in report.examples} == {"its event is stored from another record too"}

    def test_a_record_both_stored_and_rejected_is_found(self, log: Log, full: Store) -> None:
        place = one_event(full)
        full.command(
            "INSERT INTO rejected (reason, source_topic, source_topic_id, source_partition, source_offset) "
            f"VALUES ('not_json', '{place['topic']}', '{place['topic_id']}', {place['partition']}, {place['offset']})"
        )

        report = audit(log, full)

        assert report.twice == 1
        assert found(report, place) == ["stored more than once"]


class TestInvented:
    def test_a_row_without_a_record_is_an_orphan(self, log: Log, full: Store) -> None:
        """Offset 1 of citybrain.grid is the mark of a transaction, which no reader is given."""
        copy_row(full, one_event(full, "source_topic = 'citybrain.grid'"), source_offset="1", id="'invented'")

        report = audit(log, full)

        assert (report.clean, report.orphans, report.twice, report.ledger_differences) == (False, 1, 0, 1)
        assert report.examples == [
            {"topic": "citybrain.grid", "partition": 0, "offset": 1, "what": "stored, but the log has no such record"}
        ]

    def test_a_row_that_says_another_event_than_its_record_is_an_orphan(self, log: Log, full: Store) -> None:
        place = one_event(full)
        copy_row(full, place, id="'invented'")
        change(full, f"ALTER TABLE events DELETE WHERE {at(place)} AND id != 'invented'")

        report = audit(log, full)

        assert (report.clean, report.orphans, report.twice) == (False, 1, 0)
        assert found(report, place) == ["the stored event is not the one in the log"]


class TestBooks:
    def test_each_bucket_that_is_wrong_is_counted(self, log: Log, full: Store) -> None:
        """One bucket after the other, each in one of its columns: all of them are seen."""
        for table, changed, where in WRONG:
            full.command(f"INSERT INTO {table} SELECT * REPLACE ({changed}) FROM {table} WHERE {where} LIMIT 1")

        report = audit(log, full)

        assert report.aggregate_differences == {"counts_minute": 2, "counts_day": 1, "cases": 3, "sensor_rollup": 3}
        assert not report.clean
        assert (report.holes, report.twice, report.ledger_differences) == (0, 0, 0)
        assert any("'sensor_rollup': 3" in line for line in audit_lines(report))

    def test_a_bucket_that_is_gone_is_counted(self, log: Log, full: Store) -> None:
        change(full, "ALTER TABLE counts_day DELETE WHERE kind = 'sensor'")

        assert audit(log, full).aggregate_differences["counts_day"] > 0

    def test_a_ledger_that_claims_more_than_there_is(self, log: Log, full: Store) -> None:
        change(full, "ALTER TABLE blocks UPDATE stored = stored + 1 WHERE risk_offset = 0")

        report = audit(log, full)

        assert (report.clean, report.ledger_differences, report.holes, report.twice) == (False, 1, 0, 0)


class TestPastRetention:
    """Last in this file: these take the log apart."""

    def test_what_the_log_no_longer_holds_is_not_checkable_never_right(self, log: Log, full: Store) -> None:
        """Half of a partition is past retention: its rows are told apart, and one that is missing there is no hole."""
        partition = TopicPartition("citybrain.grid", 0)
        admin = KafkaAdminClient(**common(log.broker))
        admin.delete_records({partition: 300})
        admin.close()
        ((gone,),) = full.query(
            "SELECT (SELECT count() FROM events WHERE source_topic = 'citybrain.grid' AND source_offset < 300) + "
            "(SELECT count() FROM rejected WHERE source_topic = 'citybrain.grid' AND source_offset < 300)"
        )

        report = audit(log, full)

        assert report.clean
        assert report.not_checkable == gone > 200
        assert report.checked == log.sent - 299, "one of the 300 offsets is no record"
        assert f"not checkable {gone:,}" in "\n".join(audit_lines(report))

        copy_row(full, one_event(full, "source_topic = 'citybrain.grid' AND source_offset < 300"))
        assert audit(log, full).twice == 1, "a double is a double without its record too"

    def test_rows_of_an_earlier_life_of_a_topic_are_not_checkable(self, log: Log, full: Store) -> None:
        ((events, rejects),) = full.query(
            "SELECT (SELECT count() FROM events WHERE source_topic = 'citybrain.police'), "
            "(SELECT count() FROM rejected WHERE source_topic = 'citybrain.police')"
        )
        before = audit(log, full).not_checkable
        recreate(log.broker, RAW["police"].name)
        with EventProducer(log.broker) as to:
            to.send(Outgoing("police", "/second-life", "1", DAY, {}))

        report = audit(log, full)

        assert report.not_checkable - before == events + rejects
        assert rejects > 0
        assert report.clean
        assert report.pending == 1


class TestWhileTheLoaderWorks:
    def test_an_insert_on_its_way_is_no_difference(self, log: Log, full: Store) -> None:
        """Rows stand in events a moment before they stand in the views and the ledger: a difference has to last."""
        asked: dict[str, int] = {}

        def in_the_middle_of_an_insert(sql: str) -> pa.Table:
            asked[sql] = asked.get(sql, 0) + 1
            return pa.table({"differing": [1]}) if "differing" in sql and asked[sql] == 1 else full.query_arrow(sql)

        report = run_audit(log.broker, in_the_middle_of_an_insert, "Asia/Shanghai")

        assert report.aggregates_equal
        assert report.ledger_differences == 0
        assert max(asked.values()) == 2


class TestItsOwnParser:
    def test_both_modes_name_the_same_event(self) -> None:
        structured = event_key(b'{"source": "/s", "id": "1", "specversion": "1.0"}', [])
        binary = event_key(b"{}", [("ce_specversion", b"1.0"), ("ce_source", b"/s"), ("ce_id", b"1")])

        assert structured == binary == keys_of(("/s", "1"))[0] != UNREADABLE

    def test_header_names_are_of_any_case(self) -> None:
        assert event_key(None, [("CE_SpecVersion", b"1.0"), ("Ce_Source", b"/s"), ("ce_ID", b"1")]) == keys_of(("/s", "1"))[0]

    @pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'"text"', b"1", b'{"source": "/s"}', b"\xff", b"null"])
    def test_what_names_no_event_is_unreadable(self, value: bytes | None) -> None:
        assert event_key(value, []) == UNREADABLE

    def test_binary_mode_without_an_id_is_unreadable(self) -> None:
        assert event_key(b'{"source": "/s", "id": "1"}', [("ce_specversion", b"1.0"), ("ce_source", b"/s")]) == UNREADABLE


def recreate(broker: Broker, name: str) -> None:
    """Delete a topic and create it again, under another UUID."""
    admin = KafkaAdminClient(**common(broker))
    before = topic_ids(broker, [name])[name]
    admin.delete_topics([name])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if name not in admin.list_topics():
            break
        time.sleep(0.1)
    admin.close()
    ensure_topics(broker)
    assert topic_ids(broker, [name])[name] != before


def send_blocks(log: Log) -> None:
    """The blocks, into citybrain.risk as the worker sends them."""
    to = KafkaProducer(**producer(log.broker))
    for block in log.blocks:
        to.send(RISK.name, encode_block(block.table), headers=block.header.to_kafka(), partition=block.header.source_partition)
    to.flush()
    to.close()


def load(log: Log, store: Store) -> None:
    """Run a loader until it has stored every block."""
    stop = threading.Event()
    loader = threading.Thread(target=Loader(log.broker, Store(store._client)).run, args=(stop,))
    loader.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and store.query("SELECT count() FROM blocks") != [(len(log.blocks),)]:
        time.sleep(0.2)
    stop.set()
    loader.join(30)
