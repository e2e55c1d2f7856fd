"""One process owns the store; everybody else asks it over the socket, at the same time, and none can hold up another."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from citybrain import owner_socket, query_socket
from citybrain.owner_socket import listens
from citybrain.query_socket import AT_ONCE, QueryServer, RemoteQueryFailed, ask
from citybrain.reading import SOCKET, as_arrow, open_query
from citybrain.settings import ClickHouse, Settings
from schemas.errors import BadSettings, StoreUnavailable
from sinks.store import Store

OWNER = """
import sys, threading
from pathlib import Path
from citybrain.query_socket import QueryServer
from sinks.store import Store
folder = Path(sys.argv[1])
store = Store.connect(str(folder / "clickhouse"))
store.command("CREATE TABLE numbers_told (n UInt32) ENGINE = MergeTree ORDER BY n AS SELECT number AS n FROM numbers(100000)")
QueryServer(folder / "query.sock", lambda: Store.connect(str(folder / "clickhouse"), readonly=True)).start()
print("ready", flush=True)
threading.Event().wait()
"""


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that another process owns."""
    folder = tmp_path_factory.mktemp("owned")
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    yield folder
    owner.kill()
    owner.wait()
    owner.stdout.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[QueryAnswer], Path]]:
    """Serve with a given answer instead of a store; gives the socket."""
    servers: list[QueryServer] = []

    def serve(answer: QueryAnswer) -> Path:
        server = QueryServer(tmp_path / SOCKET, _Told(answer))
        servers.append(server)
        server.start()
        return tmp_path / SOCKET

    yield serve
    for server in servers:
        server.stop()


QueryAnswer = Callable[[str, str], bytes]


class _Told(Store):
    """A store that answers as it is told; also its own connect."""

    def __init__(self, answer: QueryAnswer) -> None:
        super().__init__(None)
        self._answer = answer

    def __call__(self) -> Store:
        return _Told(self._answer)

    def raw(self, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None) -> bytes:  # noqa: ARG002
        return self._answer(sql, fmt)

    def close(self) -> None:
        pass


class TestWhileAnotherProcessOwnsTheStore:
    def test_the_folder_is_closed_to_us_and_the_socket_answers(self, owned: Path) -> None:
        with pytest.raises(StoreUnavailable, match="one process owns a chDB folder"):
            Store.connect(str(owned / "clickhouse"))

        assert ask(owned / SOCKET, "SELECT sum(n) FROM numbers_told", "TSV") == b"4999950000\n"

    def test_reading_commands_find_the_owner(self, owned: Path) -> None:
        query = open_query(Settings(data_dir=owned, clickhouse=ClickHouse(url=str(owned / "clickhouse"))))

        assert as_arrow(query)("SELECT n FROM numbers_told ORDER BY n")["n"].to_pylist() == list(range(100_000))

    def test_eight_clients_ask_at_once(self, owned: Path) -> None:
        """Each gets the answer to its own question, many times over."""

        def one(client: int) -> list[int]:
            asked = (f"SELECT count() * {client} FROM numbers_told WHERE n % 8 = {turn}" for turn in range(8))
            return [int(ask(owned / SOCKET, sql, "TSV")) for sql in asked]

        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(one, range(8)))

        assert answers == [[12_500 * client] * 8 for client in range(8)]

    def test_values_travel_beside_the_query(self, owned: Path) -> None:
        """Whatever a value holds, it is a value."""
        hostile = "'; DROP TABLE numbers_told --"
        answer = ask(
            owned / SOCKET,
            "SELECT {text:String}, sum(n) FROM numbers_told WHERE n IN {wanted:Array(UInt32)} AND n < {below:UInt32}",
            "JSONCompactEachRow",
            {"text": hostile, "wanted": [1, 2, 70], "below": 50},
        )

        assert [hostile, 3] == [json.loads(answer)[0], int(json.loads(answer)[1])]
        with pytest.raises(RemoteQueryFailed, match="below"):
            ask(owned / SOCKET, "SELECT {below:UInt32}", "TSV", {"other": 1})

    def test_errors_come_as_text(self, owned: Path) -> None:
        for sql, fmt, told in [
            ("SELECT * FROM nowhere", "TSV", "nowhere"),
            ("SELECT (1", "TSV", "Syntax error"),
            ("SELECT 1", "NoSuchFormat", "NoSuchFormat"),
            ("DROP TABLE numbers_told", "TSV", "got DROP; wanted SELECT"),
            ("SELECT file('x')", "TSV", "reaches outside"),
            ("SELECT 1", "TSV; DROP TABLE numbers_told", "wanted the name of an output format"),
        ]:
            with pytest.raises(RemoteQueryFailed, match=told) as failed:
                ask(owned / SOCKET, sql, fmt)
            assert "refused for ever" not in str(failed.value), "a mistake in a query is no fault of the store"

    def test_only_the_user_may_connect(self, owned: Path) -> None:
        assert (owned / SOCKET).stat().st_mode & 0o777 == 0o600


class TestClientsThatMisbehave:
    def test_one_that_never_sends_holds_nobody_up(self, owned: Path) -> None:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        try:
            for connection in silent:
                connection.connect(str(owned / SOCKET))

            assert ask(owned / SOCKET, "SELECT 1", "TSV") == b"1\n"
        finally:
            for connection in silent:
                connection.close()

    def test_one_that_never_sends_is_left_in_the_end(
        self, served: Callable[[QueryAnswer], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(owner_socket.Handler, "timeout", 0.2)
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(served(lambda *_: b"")))
            silent.settimeout(10)

            assert silent.recv(1) == b"", "the server closes the connection"

    def test_more_than_a_few_wait_for_their_turn_and_are_told(
        self, served: Callable[[QueryAnswer], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Questions that never end leave loading its time; the next one hears why it got no answer, and later gets one."""
        monkeypatch.setattr(query_socket, "TURN_SECONDS", 0.2)
        go_on, running = threading.Event(), threading.Semaphore(0)

        def slow(*_: str) -> bytes:
            running.release()
            go_on.wait(30)
            return b"done"

        path = served(slow)
        with ThreadPoolExecutor(AT_ONCE) as clients:
            answers = [clients.submit(ask, path, "SELECT 1", "TSV") for _ in range(AT_ONCE)]
            for _ in answers:
                running.acquire()
            with pytest.raises(RemoteQueryFailed, match=f"{AT_ONCE} other queries have been running for 0 s; ask again later"):
                ask(path, "SELECT 1", "TSV")
            go_on.set()

            assert [answer.result() for answer in answers] == [b"done"] * AT_ONCE
        assert ask(path, "SELECT 1", "TSV") == b"done"

    @pytest.mark.parametrize(
        "line",
        [
            b"hello\n",
            b"[]\n",
            b"{}\n",
            b'{"sql": "SELECT 1"}\n',
            b'{"sql": "SELECT 1", "format": "TSV", "parameters": 7}\n',
            b"\xff\xfe\n",
            b"[" * 100_000 + b"\n",
        ],
    )
    def test_nonsense_is_answered_with_what_was_wanted(self, owned: Path, line: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(owned / SOCKET))
            connection.sendall(line)
            answer = connection.makefile("rb").read()

        assert answer[:1] == b"-"
        assert b"wanted a JSON line with sql and format" in answer

    def test_a_line_without_end_is_not_kept_in_memory(self, owned: Path) -> None:
        """After a MiB the server has heard enough and says so."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(owned / SOCKET))
            sender = threading.Thread(target=_pour, args=(connection,), daemon=True)
            sender.start()
            connection.settimeout(20)
            answer = connection.recv(64)
            sender.join(20)

        assert answer[:1] == b"-"

    def test_one_that_leaves_before_its_answer_holds_nobody_up(self, owned: Path) -> None:
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(owned / SOCKET))
                connection.sendall(json.dumps({"sql": "SELECT * FROM numbers_told", "format": "TSV"}).encode() + b"\n")

        assert ask(owned / SOCKET, "SELECT 1", "TSV") == b"1\n"


class TestFailures:
    def test_a_store_connection_is_used_again(self, tmp_path: Path) -> None:
        """Queries one after the other need one connection, not one each; a refused one gives it back too."""
        made: list[Store] = []

        def connect() -> Store:
            made.append(_Told(lambda *_: b"1"))
            return made[-1]

        server = QueryServer(tmp_path / SOCKET, connect)
        server.start()
        for sql in ["SELECT 1", "DROP TABLE x", "SELECT 2"]:
            with contextlib.suppress(RemoteQueryFailed):
                ask(tmp_path / SOCKET, sql, "TSV")
        server.stop()

        assert len(made) == 1

    def test_a_defect_of_ours_is_told_and_the_next_query_answered(self, served: Callable[[QueryAnswer], Path]) -> None:
        answers: list[bytes] = []

        def answer(sql: str, fmt: str) -> bytes:  # noqa: ARG001
            return answers.pop()

        path = served(answer)
        with pytest.raises(RemoteQueryFailed, match="IndexError"):
            ask(path, "SELECT 1", "TSV")
        answers.append(b"well")

        assert ask(path, "SELECT 1", "TSV") == b"well"

    def test_an_answer_that_breaks_off_is_no_answer(self, tmp_path: Path) -> None:
        """A killed owner must not turn a long answer into a short one."""
        whole = owner_socket.framed(b"+", b"1\n2\n3\n")
        for part in (b"", whole[:1], whole[:9], whole[:-1]):
            with socket.socket(socket.AF_UNIX) as dying:
                path = tmp_path / f"{len(part)}.sock"
                dying.bind(str(path))
                dying.listen()
                threading.Thread(target=_answer_once, args=(dying, part), daemon=True).start()
                with pytest.raises(StoreUnavailable, match="went away"):
                    ask(path, "SELECT 1", "TSV")

    def test_nobody_there(self, tmp_path: Path) -> None:
        assert not listens(tmp_path / SOCKET)
        with pytest.raises(StoreUnavailable, match="nobody answers at"):
            ask(tmp_path / SOCKET, "SELECT 1", "TSV")

    def test_a_file_that_a_killed_owner_left_is_no_owner(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / SOCKET))

        assert not listens(tmp_path / SOCKET)
        server = QueryServer(tmp_path / SOCKET, _Told(lambda *_: b"new"))
        server.start()
        assert ask(tmp_path / SOCKET, "SELECT 1", "TSV") == b"new"
        server.stop()
        assert not (tmp_path / SOCKET).exists()

    def test_a_path_too_long_for_a_socket_is_told(self, tmp_path: Path) -> None:
        deep = tmp_path / ("d" * 100) / SOCKET

        for attempt in (
            lambda: QueryServer(deep, _Told(lambda *_: b"")),
            lambda: listens(deep),
            lambda: ask(deep, "SELECT 1", "TSV"),
        ):
            with pytest.raises(BadSettings, match="shorter --data-dir"):
                attempt()

    def test_a_folder_without_a_store_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="no store at"):
            open_query(Settings(data_dir=tmp_path, clickhouse=ClickHouse(url=str(tmp_path / "clickhouse"))))


def _pour(connection: socket.socket) -> None:
    try:
        for _ in range(64):
            connection.sendall(b"x" * (1 << 20))
    except OSError:
        return


def _answer_once(listening: socket.socket, part: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.makefile("rb").readline()
        connection.sendall(part)


def test_the_umask_of_the_process_is_left_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        server = QueryServer(tmp_path / SOCKET, _Told(lambda *_: b""))
        assert os.umask(0o022) == 0o022
        server._server.server_close()
    finally:
        os.umask(before)
