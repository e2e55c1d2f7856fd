"""The watch over a real store: history played back raises the same alerts, in whatever pieces it comes, and none twice."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from ingest.city import build_city
from ingest.outgoing import Outgoing, encode
from schemas.alerts import AlertRaised, encode_alert
from schemas.errors import BrokerUnavailable, StoreRefused
from schemas.events import Kind
from schemas.topics import ALERTS, RAW
from sinks.alert_writer import AlertWriter
from sinks.ledger import Position
from sinks.store import Store
from sinks.writer import BlockWriter
from streams.records import RawRecord
from streams.watch import Watch, WatchOptions
from streams.watch_log import WatchLog
from tests.sinks.blocks import ARRIVED_MS, at, block, empty

DAYS = 14
START = datetime(2026, 11, 5, 16, tzinfo=UTC)
"""Midnight in Shanghai."""
GRIDS = [grid.code for grid in build_city(1).places.grids]
BURST_GRID, SECOND = GRIDS[7], "150627003"
SILENT = "ch4-1"
Record = tuple[Kind, int, RawRecord]
"""Kind, partition, record."""


def history(*, bursts: bool = True) -> list[Record]:
    """Two weeks: two calls an hour, three devices; then 30 reports in a grid, 12 scams in a town, and a device that stops."""
    events: list[tuple[datetime, Kind, int, dict[str, Any]]] = []
    for hour in range(24 * DAYS):
        moment = START + timedelta(hours=hour)
        for n in range(2):
            grid = GRIDS[(hour * 37 + n * 101) % len(GRIDS)]
            events.append((moment + timedelta(minutes=20 * n + 5), "police", 0, {"grid": grid, "incident_class": "O04"}))
        for n in range(3):
            if bursts and f"ch4-{n}" == SILENT and hour >= 24 * 12 + 3:
                continue
            reading = [{"metric": "ch4_lel", "value": 1.0}]
            place = {"device": f"ch4-{n}", "grid": GRIDS[n], "readings": reading}
            events.append((moment + timedelta(minutes=7 * n), "sensor", n % 2, place))
    if bursts:
        noon = START + timedelta(days=12, hours=14)
        town = [grid for grid in GRIDS if grid.startswith(SECOND)]
        leak, scam = {"grid": BURST_GRID, "incident_class": "S04"}, {"incident_class": "C01"}
        events += [(noon + timedelta(minutes=3 * n), "police", 0, leak) for n in range(30)]
        events += [(noon + timedelta(minutes=4 * n), "police", 0, {"grid": town[n % len(town)], **scam}) for n in range(12)]
    offsets: dict[tuple[str, int], int] = defaultdict(int)
    records: list[Record] = []
    for number, (moment, kind, partition, data) in enumerate(sorted(events, key=lambda event: event[0])):
        offset = offsets[kind, partition]
        offsets[kind, partition] += 1
        value = encode(Outgoing(kind, "/t", f"e{number}", moment, data)).value
        records.append((kind, partition, RawRecord(offset, ARRIVED_MS, value, ())))
    return records


class Log:
    """Kafka as the watch sees it: the raw log is whole from the start, and every alert sent is stored at once."""

    def __init__(self, store: Store, records: Sequence[Record]) -> None:
        self._store = store
        self._ends: dict[tuple[str, int], int] = defaultdict(int)
        for kind, partition, _ in records:
            self._ends[RAW[kind].name, partition] += 1
        self.sent: list[AlertRaised] = []
        self.kept: dict[Kind, int] = {}
        self.fails = 0

    def send(self, alerts: Sequence[AlertRaised]) -> None:
        for alert in alerts:
            AlertWriter(self._store).write(Position("alerts-1", 0, len(self.sent)), encode_alert(alert).value, ARRIVED_MS)
            self.sent.append(alert)

    def ends(self) -> dict[tuple[str, int], int]:
        if self.fails:
            self.fails -= 1
            raise BrokerUnavailable("away")
        return {**self._ends, (ALERTS.name, 0): len(self.sent)}

    def position(self) -> dict[Kind, int]:
        return dict(self.kept)

    def keep(self, position: dict[Kind, int]) -> None:
        self.kept = dict(position)


def watch(store: Store, log: Log, **options: Any) -> Watch:
    return Watch(store.raw, cast("WatchLog", log), WatchOptions(**options))


def play(store: Store, records: list[Record], pieces: int, *, restart: bool = False, forget: bool = False) -> Log:
    """Store a history in pieces and look after each; perhaps with a new watch every time, that perhaps knows no position."""
    empty(store)
    log = Log(store, records)
    writer, risk = BlockWriter(store), 0
    running = watch(store, log)
    size = -(-len(records) // pieces)
    for first in range(0, len(records), size):
        groups: dict[tuple[Kind, int], list[RawRecord]] = defaultdict(list)
        for kind, partition, record in records[first : first + size]:
            groups[kind, partition].append(record)
        for (kind, partition), raw in groups.items():
            writer.write(at(risk), *block(raw, kind, partition, f"id-{kind}"))
            risk += 1
        if restart:
            log.kept = {} if forget else log.kept
            running = watch(store, log)
        running.look()
    return log


@pytest.fixture(scope="module")
def played(module_store: Store) -> Log:
    """The history in one piece."""
    return play(module_store, history(), 1)


def test_what_was_planted_is_found_with_its_evidence_and_nothing_else(played: Log) -> None:
    told = {(alert.data.incident_class, alert.data.area, alert.data.detector): alert for alert in played.sent}

    assert set(told) == {("S04", BURST_GRID, "ears_c2"), ("C01", SECOND, "ears_c2"), ("S15", GRIDS[1], "device_silence")}
    assert len(played.sent) == 3, "each once: the next hour and the whole day are cooled down"
    leak = told["S04", BURST_GRID, "ears_c2"]
    assert leak.data.window_start == START + timedelta(days=12, hours=14)
    assert leak.time == leak.data.window_end + timedelta(minutes=10), (
        "the watermark that completed the window, whenever it was judged"
    )
    assert (leak.data.observed, leak.data.expected, leak.data.baseline) == (20.0, 0.0, [0.0] * 7)
    assert leak.data.parameters["source"] == "police"
    silent = told["S15", GRIDS[1], "device_silence"]
    assert silent.data.parameters["devices"] == [SILENT]
    assert silent.data.window_end == START + timedelta(days=12, hours=9)


@pytest.mark.parametrize(("pieces", "restart", "forget"), [(20, True, False), (4, True, True)])
def test_played_again_in_any_pieces_and_over_restarts_it_raises_the_same_alerts_once(
    played: Log, module_store: Store, pieces: int, restart: bool, forget: bool
) -> None:
    again = play(module_store, history(), pieces, restart=restart, forget=forget)

    assert sorted(again.sent, key=lambda alert: alert.id) == sorted(played.sent, key=lambda alert: alert.id)
    assert module_store.query("SELECT count(), uniqExact(alert_id) FROM alerts") == [(3, 3)]
    assert module_store.query("SELECT sum(repeated) FROM blocks") == [(0,)]


def test_a_partition_that_is_stored_last_changes_nothing(played: Log, module_store: Store) -> None:
    """The clock of sensors waits for it, that of the police does not."""
    records = history()
    late = [record for record in records if record[:2] == ("sensor", 1)]
    again = play(module_store, [record for record in records if record not in late] + late, 5)

    assert {alert.id for alert in again.sent} == {alert.id for alert in played.sent}
    assert [alert.data.incident_class for alert in again.sent][-1] == "S15"


def test_a_quiet_history_raises_nothing(module_store: Store) -> None:
    assert play(module_store, history(bursts=False), 3).sent == []


def test_nothing_stored_is_nothing_to_say(store: Store) -> None:
    log = Log(store, [])

    assert watch(store, log).look() == 0
    assert log.kept == {}


class TestTrouble:
    def test_it_looks_again_while_kafka_is_away_and_leaves_after_a_while(self, store: Store) -> None:
        log = Log(store, [])
        log.fails = 3
        stop = threading.Event()
        thread = threading.Thread(target=watch(store, log, look_seconds=0.01).run, args=(stop,))
        thread.start()
        while log.fails:
            stop.wait(0.01)
        stop.set()
        thread.join(10)
        assert not thread.is_alive()

        log.fails = 99
        with pytest.raises(BrokerUnavailable):
            watch(store, log, look_seconds=0.01).run(threading.Event())
        assert log.fails == 89

    def test_what_no_retry_heals_ends_it_at_once(self, store: Store) -> None:
        def query(sql: str, fmt: str) -> bytes:
            raise StoreRefused("query", f"no rights: {sql[:6]} {fmt}")

        with pytest.raises(StoreRefused):
            Watch(query, cast("WatchLog", Log(store, [])), WatchOptions(look_seconds=0.01)).run(threading.Event())
