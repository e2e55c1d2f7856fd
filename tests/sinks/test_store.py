"""What the engine promises under a token, and how errors come out."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.block import BlockHeader, decode_block
from schemas.errors import StoreRefused, StoreUnavailable
from sinks.covered import Covered
from sinks.repeats import RecentEvents
from sinks.sorting import sort_block
from sinks.store import Store
from tests.sinks.blocks import TARGETS, at, bad, block, keys_of, one, raw, rows_in


@pytest.fixture(scope="module", params=["embedded", "http"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """All of this holds for the engine in our process and for one behind HTTP."""
    return str(request.param)


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


class Failing:
    """A client whose every insert ends in one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def insert_arrow(self, *_: object, **__: object) -> None:
        raise self._error


class Bouncer(BaseHTTPRequestHandler):
    """Answers like a ClickHouse that does not know the password."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b"Code: 516. DB::Exception: loader: Authentication failed (AUTHENTICATION_FAILED)"
        self.send_response(403)
        self.send_header("X-ClickHouse-Exception-Code", "516")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


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

    def test_a_view_that_fails_fails_the_insert_and_is_whole_after_the_fix(self, store: Store) -> None:
        store.command("DETACH TABLE counts_day")
        with pytest.raises((StoreRefused, StoreUnavailable)):
            store.insert("events", some_events(), "token")
        store.command("ATTACH TABLE counts_day")
        store.insert("events", some_events(), "token")

        counted = rows_in(store)
        assert counted["events"] == counted["counts_day"] == counted["counts_minute"] == 5

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

    @pytest.mark.parametrize("code", [243, 252, 241, 159, 210, 999, None])
    def test_a_full_disk_a_busy_server_or_what_nobody_knows_may_pass(self, code: int | None) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            Store(Failing(DatabaseError("Code: words", code=code))).insert("events", some_events(), "t")

        assert (caught.value.table, caught.value.rows, caught.value.retryable) == ("events", 5, True)

    @pytest.mark.parametrize("code", [16, 53, 60, 164, 497])
    def test_a_wrong_schema_or_missing_right_never_passes(self, code: int) -> None:
        with pytest.raises(StoreRefused, match="events: refused for ever: words; fix the store") as caught:
            Store(Failing(DatabaseError("words\nmore words", code=code))).insert("events", some_events(), "t")

        assert not caught.value.retryable

    def test_a_lost_connection_may_pass(self) -> None:
        with pytest.raises(StoreUnavailable, match=r"5 rows not confirmed .*reset.*the same rows will be sent again"):
            Store(Failing(ConnectionResetError("reset by peer"))).insert("events", some_events(), "t")

    def test_a_wrong_password_is_refused_and_not_shown(self) -> None:
        """A server that answers as ClickHouse does: retrying would only lock the user out."""
        with HTTPServer(("127.0.0.1", 0), Bouncer) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            with pytest.raises(StoreRefused, match="Authentication failed") as caught:
                Store.connect(f"http://loader:secret@127.0.0.1:{server.server_port}/city")

        assert "secret" not in str(caught.value)

    def test_a_readonly_store_reads_and_cannot_write(self, store: Store, store_url: str) -> None:
        reader = Store.connect(store_url, readonly=True)
        assert one(reader, "SELECT count() FROM events") == 0
        with pytest.raises(StoreRefused, match="readonly"):
            reader.command("CREATE TABLE t (x Int8) ENGINE = Memory")
        store.insert("events", some_events(), "t")
        assert one(reader, "SELECT count() FROM events") == 5

    def test_a_question_that_takes_too_long_is_stopped(self, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """It can be asked again, shorter; and it cannot give itself more time."""
        monkeypatch.setattr("sinks.store.QUERY_SECONDS", 1)
        reader = Store.connect(store_url, readonly=True)
        with pytest.raises(StoreUnavailable, match="Timeout exceeded"):
            reader.query("SELECT sum(cityHash64(number)) FROM numbers(1000000000000)")
        with pytest.raises(StoreRefused, match="readonly"):
            reader.query("SELECT 1 SETTINGS max_execution_time = 100")
        assert one(reader, "SELECT 1") == 1


def test_the_table_takes_every_column_of_a_block(store: Store) -> None:
    made = block([raw(0), bad(1)])
    parts = sort_block(
        decode_block(made.value), BlockHeader.from_kafka(made.headers), at(0), Covered(), RecentEvents(), lambda _: {}
    )
    store.insert("events", parts.events, "t1")
    store.insert("rejected", parts.rejected, "t2")

    assert store.query("SELECT id, incident_class FROM events") == [("e0", "O04")]
    assert store.query("SELECT reason, source_offset FROM rejected") == [("not_json", 1)]


@pytest.mark.parametrize("event", [("/a", "1"), ("urn:x", "案件-7"), ("", ""), ("a\nb", "c")])
def test_the_key_of_an_event_is_the_one_the_table_computes(store: Store, event: tuple[str, str]) -> None:
    ((value,),) = store.query("SELECT xxh3(concat({s:String}, '\\n', {i:String}))", dict(zip("si", event, strict=True)))

    assert keys_of(event)[0] == value
