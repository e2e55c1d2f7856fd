"""Records of citybrain.alerts stored by the real engine: each event once, the state as the actions say."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from schemas.alerts import encode_alert
from schemas.errors import StoreUnavailable
from sinks.alert_writer import AlertWriter
from sinks.ledger import Position, Tally
from sinks.store import Store
from streams.redact import redact_note
from tests.alerts import action, raised
from tests.sinks.blocks import one

RECEIVED_MS = 1_795_000_000_000
ALERT = raised()
STORED, REJECTED = Tally(1, 0, 0, 0, 0), Tally(0, 1, 0, 0, 0)
REPEATED, CONFLICT = Tally(0, 0, 1, 0, 0), Tally(0, 0, 0, 1, 0)


def here(offset: int) -> Position:
    return Position("alerts-1", 0, offset)


def write(store: Store, offset: int, event: Any, **options: Any) -> Tally:
    value = event if isinstance(event, bytes) or event is None else encode_alert(event).value
    return AlertWriter(store, **options).write(here(offset), value, RECEIVED_MS)


def current(store: Store) -> dict[str, Any]:
    columns = ("alert_id", "state", "version", "is_open", "acknowledged_at", "dispatched_at", "ended_at")
    (row,) = store.query(f"SELECT {', '.join(columns)} FROM v_alerts")
    return dict(zip(columns, row, strict=True))


class TestStored:
    def test_an_alert_stands_with_its_whole_evidence(self, store: Store) -> None:
        assert write(store, 0, ALERT) == STORED

        ((observed, expected, upper, p, q, baseline, neighbours, parameters),) = store.query(
            "SELECT observed, expected, upper, p, q, baseline, neighbours, parameters FROM v_alerts"
        )
        assert (observed, expected, upper, p, q, baseline) == (40.0, 1.5, 6.25, 1e-9, None, [1.0, 2.0, 1.5])
        assert [dict(neighbour) for neighbour in neighbours] == [{"area": "150627001002", "observed": 1.0, "expected": 1.25}]
        assert parameters == '{"alpha": 0.001, "baseline": 7}'
        assert current(store)["state"] == "open"
        assert current(store)["version"] == 1

    def test_actions_move_it_on_and_each_counts_once(self, store: Store) -> None:
        write(store, 0, ALERT)
        for offset, (kind, key, minutes) in enumerate([("ack", "a", 1), ("dispatch", "b", 3), ("ack", "c", 4)], 1):
            assert write(store, offset, action(ALERT, kind, key, minutes)) == STORED
        before = current(store)
        assert write(store, 4, action(ALERT, "ack", "a", 1)) == REPEATED
        assert write(store, 5, action(ALERT, "resolve", "a", 9)) == CONFLICT

        assert current(store) == before
        assert (before["state"], before["version"], before["is_open"]) == ("acknowledged", 4, 1)
        assert (before["acknowledged_at"].minute, before["dispatched_at"].minute, before["ended_at"]) == (11, 13, None)

    def test_the_first_ending_decides(self, store: Store) -> None:
        write(store, 0, ALERT)
        for offset, kind in enumerate(["false_alarm", "resolve", "ack"], 1):
            write(store, offset, action(ALERT, kind, kind, offset))

        assert (current(store)["state"], current(store)["is_open"], current(store)["version"]) == ("false_alarm", 0, 4)

    def test_the_same_alert_from_another_record_is_dropped_and_counted(self, store: Store) -> None:
        assert [write(store, offset, ALERT) for offset in range(3)] == [STORED, REPEATED, REPEATED]
        assert write(store, 3, raised(level=4)) == CONFLICT

        assert store.query("SELECT sum(stored), sum(repeated), sum(conflict), count() FROM blocks") == [(1, 2, 1, 4)]
        assert one(store, "SELECT count() FROM alerts") == 1

    def test_a_note_is_dropped_unless_the_deployment_keeps_text_and_then_redacted(self, store: Store) -> None:
        write(store, 0, ALERT)
        write(store, 1, action(ALERT, "ack", "a", note="电话13800000000"))
        write(store, 2, action(ALERT, "ack", "b", note="电话13800000000"), redact=redact_note)

        assert store.query("SELECT note FROM alert_actions ORDER BY source_offset") == [(None,), ("电话[phone]",)]
        assert "note" not in {
            name for (name,) in store.query("SELECT name FROM system.columns WHERE table = 'v_alert_actions'")
        }


class TestRejected:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [(None, "empty"), (b"{", "not_json"), (b"{}", "not_cloudevents"), (b'{"type":"x"}', "unknown_type")],
    )
    def test_what_cannot_be_read_is_kept_with_its_reason_and_no_bytes(
        self, store: Store, value: bytes | None, reason: str
    ) -> None:
        assert write(store, 7, value) == REJECTED

        row = store.query("SELECT reason, body, length, source_topic, source_offset, risk_topic_id, risk_offset FROM rejected")
        assert row == [(reason, "", len(value or b""), "citybrain.alerts", 7, "alerts-1", 7)]


class Cut(Store):
    """A store whose process dies before or after the insert into one table."""

    def __init__(self, store: Store, table: str, *, stored: bool) -> None:
        super().__init__(store._client)
        self._table, self._stored = table, stored

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        if table != self._table or self._stored:
            super().insert(table, rows, token)
        if table == self._table:
            raise StoreUnavailable(table, 1, "cut")


@pytest.mark.parametrize("table", ["alerts", "blocks"])
@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_death_between_any_two_steps_is_healed(store: Store, table: str, stored: bool, forgotten: bool) -> None:
    """Even when the tokens are forgotten: the row is found by its position."""
    with pytest.raises(StoreUnavailable):
        write(Cut(store, table, stored=stored), 0, ALERT)
    if forgotten:
        store.command("ALTER TABLE alerts MODIFY SETTING non_replicated_deduplication_window = 0")
        store.command("ALTER TABLE alerts MODIFY SETTING non_replicated_deduplication_window = 10000")

    assert write(store, 0, ALERT) == STORED
    assert (one(store, "SELECT count() FROM alerts"), one(store, "SELECT count() FROM blocks")) == (1, 1)
