"""ClickHouse's HTTP protocol over chDB, as clickhouse-connect speaks it and as a careless client might."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

import clickhouse_connect
import lz4.frame
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from citybrain.http_face.encodings import PACK, BadEncoding, pack, unpack
from citybrain.http_face.engine import Answer, EngineError
from citybrain.http_face.request import BadRequest, Request, read_request
from citybrain.http_face.server import Answering, FaceServer
from schemas.errors import StoreRefused, StoreUnavailable
from sinks.store import Store
from tests.serving import serving

TABLE = "CREATE TABLE IF NOT EXISTS {} (x UInt32, s String) ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100"


class Trouble:
    """Stands before the engine and spoils one INSERT: `before` it is stored, or `after`."""

    def __init__(self) -> None:
        self.before: Exception | None = None
        self.after: Exception | None = None
        self.late = threading.Event()
        self.late.set()
        self.seen: list[Request] = []

    def __call__(self, engine: Answering, request: Request) -> Answer:
        self.seen.append(request)
        if request.insert is None:
            return engine(request)
        before, self.before = self.before, None
        if before:
            raise before
        answer = engine(request)
        self.late.wait(60)
        after, self.after = self.after, None
        if after:
            raise after
        return answer


TROUBLE = Trouble()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("chdb"), TROUBLE) as address:
        yield address


@pytest.fixture
def client(url: str) -> Any:
    made = connect(url)
    made.command("DROP TABLE IF EXISTS t")
    made.command(TABLE.format("t"))
    return made


def connect(url: str, **options: Any) -> Any:
    parts = urlsplit(url)
    return clickhouse_connect.get_client(host=parts.hostname, port=parts.port, autogenerate_session_id=False, **options)


def rows(start: int, count: int) -> pa.Table:
    return pa.table({"x": pa.array(range(start, start + count), pa.uint32()), "s": ["中"] * count})


class TestClickhouseConnect:
    def test_it_finds_version_time_zone_and_settings(self, client: Any) -> None:
        assert client.server_version.split(".")[0].isdigit()
        assert str(client.server_tz)
        assert client.server_settings["max_threads"].readonly == 0

    def test_native_rows_go_in_and_come_out(self, client: Any) -> None:
        client.insert("t", [[1, "a"], [2, "中\n'\\"]], column_names=["x", "s"])

        assert client.query("SELECT x, s FROM t ORDER BY x").result_rows == [(1, "a"), (2, "中\n'\\")]

    @pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
    def test_arrow_goes_in_and_comes_out_packed_or_not(self, url: str, client: Any, compress: Any) -> None:
        packing = connect(url, compress=compress)
        packing.insert_arrow("t", rows(0, 5_000))

        assert client.query("SELECT count() FROM t").result_rows == [(5_000,)]
        assert packing.query_arrow("SELECT x, s FROM t ORDER BY x").num_rows == 5_000
        assert packing.query("SELECT sum(x) FROM t").result_rows == [(sum(range(5_000)),)]
        assert packing.query("SELECT x FROM t LIMIT 0").result_rows == []

    def test_parameters_are_values_never_sql_however_long(self, client: Any) -> None:
        """Long ones come as a form, short ones in the URL."""
        awkward = "x'); DROP TABLE t; --\t\n中"
        for value in (awkward, awkward * 2_000):
            assert client.query("SELECT {v:String} AS v", parameters={"v": value}).result_rows == [(value,)]
        assert client.query("SELECT length({v:Array(UInt64)}) AS n", parameters={"v": list(range(20_000))}).result_rows == [
            (20_000,)
        ]

    def test_a_token_makes_a_repeat_change_nothing(self, client: Any) -> None:
        settings = {"insert_deduplication_token": "a/0/1/t", "insert_deduplicate": 1}
        for _ in range(3):
            client.insert_arrow("t", rows(0, 10), settings=settings)
        client.insert_arrow("t", rows(0, 10), settings=settings | {"insert_deduplication_token": "a/0/2/t"})

        assert client.query("SELECT count() FROM t").result_rows == [(20,)]
        assert TROUBLE.seen[-2].settings["insert_deduplication_token"] == "a/0/2/t"  # noqa: S105

    def test_settings_and_database_of_one_request_are_not_those_of_the_next(self, client: Any) -> None:
        client.command("CREATE DATABASE IF NOT EXISTS other")

        assert client.query("SELECT getSetting('max_block_size') AS v", settings={"max_block_size": 7}).result_rows == [(7,)]
        assert client.query("SELECT getSetting('max_block_size') AS v").result_rows != [(7,)]
        assert client.raw_query("SELECT currentDatabase()") == b"default\n"

    def test_errors_carry_clickhouses_code(self, client: Any) -> None:
        with pytest.raises(DatabaseError) as missing:
            client.query("SELECT * FROM no_such_table")
        assert (missing.value.code, missing.value.name) == (60, "UNKNOWN_TABLE")
        with pytest.raises(DatabaseError) as wrong:
            client.insert_arrow("t", pa.table({"no_such_column": [1]}))
        assert wrong.value.code == 16

    def test_readonly_reads_and_cannot_write(self, url: str, client: Any) -> None:
        reader = connect(url, settings={"readonly": "1"})

        assert reader.query("SELECT count() FROM t").result_rows == [(0,)]
        for statement in ("DROP TABLE t", "SET max_threads = 1"):
            with pytest.raises(DatabaseError) as caught:
                reader.command(statement)
            assert caught.value.code == 164
        with pytest.raises(DatabaseError):
            reader.insert_arrow("t", rows(0, 1))
        assert client.query("SELECT count() FROM t").result_rows == [(0,)]

    def test_eight_clients_at_once(self, url: str, client: Any) -> None:
        """Each has a thread and a connection of its own; every block goes in once although each is sent twice."""

        def send(number: int) -> int:
            mine = connect(url)
            for block in range(6):
                for _ in range(2):
                    mine.insert_arrow("t", rows(block * 100, 100), settings={"insert_deduplication_token": f"{number}/{block}"})
            answer: int = mine.query("SELECT count() FROM t").result_rows[0][0]
            return answer

        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(send, range(8)))

        assert client.query("SELECT count() FROM t").result_rows == [(8 * 600,)]
        assert min(seen) >= 600
        assert all(count % 100 == 0 for count in seen), "a block is seen whole or not at all"


class TestTrouble:
    def test_the_clients_own_replay_after_a_lost_answer_stores_once(self, client: Any) -> None:
        """The engine has stored it, the connection is cut, clickhouse-connect sends it again by itself."""
        TROUBLE.seen.clear()
        TROUBLE.after = ConnectionResetError("cut by the test")
        settings = {"insert_deduplication_token": "replayed", "insert_deduplicate": 1}
        client.insert("t", [[n, ""] for n in range(10)], column_names=["x", "s"], settings=settings)

        assert len([request for request in TROUBLE.seen if request.insert]) == 2
        assert client.query("SELECT count() FROM t").result_rows == [(10,)]

    def test_a_lost_answer_to_an_arrow_block_is_unavailable_and_the_same_again_stores_once(self, url: str, client: Any) -> None:
        """clickhouse-connect replays rows by itself, Arrow blocks it does not: the loader does."""
        store = Store.connect(url)
        TROUBLE.after = ConnectionResetError("cut by the test")
        with pytest.raises(StoreUnavailable, match="3 rows not confirmed"):
            store.insert("t", rows(0, 3), "token")
        store.insert("t", rows(0, 3), "token")

        assert client.query("SELECT count() FROM t").result_rows == [(3,)]

    def test_a_silent_server_is_left_and_the_same_block_again_stores_once(self, url: str, client: Any) -> None:
        """It stores, but says so too late: the next try finds the token, whichever of the two comes first."""
        store = Store.connect(url, receive_seconds=1)
        TROUBLE.late.clear()
        with pytest.raises(StoreUnavailable, match="3 rows not confirmed"):
            store.insert("t", rows(0, 3), "token")
        TROUBLE.late.set()
        store.insert("t", rows(0, 3), "token")

        assert client.query("SELECT count() FROM t").result_rows == [(3,)]

    @pytest.mark.parametrize("code", [252, 241, 159])
    def test_what_may_pass_is_unavailable(self, url: str, client: Any, code: int) -> None:
        assert client.query("SELECT count() FROM t").result_rows == [(0,)]
        store = Store.connect(url)
        TROUBLE.before = EngineError(f"Code: {code}. DB::Exception: not now")
        with pytest.raises(StoreUnavailable, match="not now"):
            store.insert("t", rows(0, 3), "token")
        store.insert("t", rows(0, 3), "token")

        assert store.query("SELECT count() FROM t") == [(3,)]

    @pytest.mark.parametrize("code", [516, 60, 16])
    def test_what_never_passes_is_refused(self, url: str, code: int) -> None:
        store = Store.connect(url)
        TROUBLE.before = EngineError(f"Code: {code}. DB::Exception: never")
        with pytest.raises(StoreRefused, match="never"):
            store.insert("t", rows(0, 3), "token")


def ask(url: str, body: bytes = b"", **headers: str) -> tuple[int, str, bytes]:
    request = urllib.request.Request(url, data=body or None, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get("X-ClickHouse-Exception-Code", ""), answer.read()
    except HTTPError as error:
        return error.code, error.headers.get("X-ClickHouse-Exception-Code", ""), error.read()


class TestWire:
    def test_ping_and_a_plain_get(self, url: str) -> None:
        assert ask(f"{url}ping") == (200, "", b"Ok.\n")
        assert ask(f"{url}?query={quote('SELECT 1')}&default_format=JSONCompactEachRow") == (200, "", b"[1]\n")

    def test_a_get_cannot_write(self, url: str, client: Any) -> None:
        status, code, _ = ask(f"{url}?query={quote('DROP TABLE t')}")

        assert (status, code) == (500, "164")
        assert client.query("SELECT count() FROM t").result_rows == [(0,)]

    def test_an_insert_whose_statement_is_in_the_url_and_one_without_data(self, url: str, client: Any) -> None:
        statement = quote("INSERT INTO t (x, s) SETTINGS max_insert_threads = 1 FORMAT TSV")
        assert ask(f"{url}?query={statement}", b"1\ta\n2\tb\n")[0] == 200
        assert ask(url, b"INSERT INTO t VALUES (3, 'c FORMAT TSV\n')")[0] == 200
        assert ask(url, b"INSERT INTO t SELECT 4, 'd'")[0] == 200

        assert client.query("SELECT groupArray(x) FROM (SELECT x FROM t ORDER BY x)").result_rows == [([1, 2, 3, 4],)]

    def test_a_body_that_ends_early_is_not_run(self, url: str, client: Any) -> None:
        """What was cut off may be the half that matters."""
        parts = urlsplit(url)
        for head, rest in ((b"Content-Length: 1000", b""), (b"Transfer-Encoding: chunked", b"ff\r\n")):
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
            connection.connect()
            connection.sock.sendall(
                b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n" + rest + b"INSERT INTO t VALUES (1, '')"
            )
            connection.sock.shutdown(1)
            assert b"HTTP/1.1 413" in connection.sock.recv(1000)
            connection.close()

        assert client.query("SELECT count() FROM t").result_rows == [(0,)]

    @pytest.mark.parametrize(
        ("body", "headers", "wanted"),
        [
            (b"SELEKT 1", {}, (400, "62")),
            (b"   ", {}, (400, "62")),
            (b"SELECT 1", {"Content-Encoding": "snappy"}, (400, "62")),
            (gzip.compress(b"SELECT 1")[:-9], {"Content-Encoding": "gzip"}, (400, "62")),
            (b"SELECT 1", {"Origin": "http://example.org"}, (403, "516")),
            (b"SELECT 1", {"Host": "example.org"}, (403, "516")),
            (b"SELECT 1", {"Authorization": "Basic !"}, (200, "")),
        ],
    )
    def test_answers_to_careless_clients(self, url: str, body: bytes, headers: dict[str, str], wanted: tuple[int, str]) -> None:
        assert ask(url, body, **headers)[:2] == wanted

    def test_a_password_is_asked_for(self) -> None:
        asked: list[Request] = []

        def echo(request: Request) -> Answer:
            asked.append(request)
            return Answer(request.sql, "TabSeparated", "{}", "UTC")

        face = FaceServer(echo, password="secret")  # noqa: S106
        face.start()
        address = f"http://127.0.0.1:{face.port}/"
        assert ask(address, b"SELECT 1")[:2] == (403, "516")
        with pytest.raises(StoreRefused, match="Authentication failed"):
            Store.connect(address.replace("//", "//default:guessed@"))
        assert not asked, "the engine is not asked before the password is"
        assert ask(address, b"SELECT 1", **{"X-ClickHouse-Key": "secret"})[0] == 200
        face.stop()


class TestPure:
    def test_an_insert_is_cut_from_its_data_and_nothing_else_is(self) -> None:
        found = read_request(
            "POST", "a=1&param_p=2&database=d&query_id=q", "", b"INSERT INTO `my t` (`a b`, c) FORMAT Arrow\n\x00FORMAT"
        )

        assert found.insert is not None
        assert (found.insert.into, found.insert.format, found.insert.data) == (
            "INSERT INTO `my t` (`a b`, c)",
            "Arrow",
            b"\x00FORMAT",
        )
        assert (found.settings, found.parameters, found.database, found.query_id) == ({"a": "1"}, {"p": "2"}, "d", "q")
        assert read_request("POST", "", "", b"INSERT INTO t SELECT 1 FORMAT TSV\n1").insert is None

    @pytest.mark.parametrize("query", ["a-b=1", "x", "%ff=1", ""])
    def test_what_is_no_request_is_named(self, query: str) -> None:
        with pytest.raises(BadRequest):
            read_request("POST", query, "", b"SELECT 1" if query else b"")

    @pytest.mark.parametrize("form", [b"", b"--b\r\n\r\n\r\nv\r\n--b--", b"garbage"])
    def test_a_broken_form_is_named(self, form: bytes) -> None:
        with pytest.raises(BadRequest):
            read_request("POST", "", "multipart/form-data; boundary=b", form)

    @pytest.mark.parametrize("encoding", list(PACK))
    def test_an_encoding_comes_back_and_a_bomb_does_not(self, encoding: str) -> None:
        packed, name = pack(b"a" * 100_000, f"br, {encoding};q=0.5")

        assert name == encoding
        assert unpack(packed, encoding, 100_000) == b"a" * 100_000
        with pytest.raises(BadEncoding, match="more than 99,999 bytes"):
            unpack(packed, encoding, 99_999)

    def test_half_a_frame_is_no_body(self) -> None:
        with pytest.raises(BadEncoding, match="no whole lz4"):
            unpack(lz4.frame.compress(b"a" * 1000)[:-4], "lz4", 10_000)

    def test_a_summary_is_json(self) -> None:
        assert json.loads(Answer(b"", "", '{"read_rows": "1"}', "UTC").summary) == {"read_rows": "1"}
