"""The HTTP server of the face: one thread a connection, loopback only."""

from __future__ import annotations

import hmac
import logging
import socket
import threading
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from citybrain.http_face.encodings import BadEncoding, pack, unpack
from citybrain.http_face.engine import Answer, EngineError
from citybrain.http_face.request import BadRequest, Request, read_request

log = logging.getLogger(__name__)
Answering = Callable[[Request], Answer]
LARGEST_BODY: Final = 268_435_456
"""Bytes of a request, packed or not. A block of ours has at most 8 MiB."""
PATIENCE_SECONDS: Final = 330.0
"""How long a connection may be silent; clients of clickhouse-connect give up after 300 s."""
STOP_SECONDS: Final = 5.0
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
STATUS: Final[Mapping[int, int]] = (
    dict.fromkeys((192, 193, 497, 516), HTTPStatus.FORBIDDEN)
    | {194: HTTPStatus.UNAUTHORIZED, 159: HTTPStatus.REQUEST_TIMEOUT, 209: HTTPStatus.SERVICE_UNAVAILABLE, 48: HTTPStatus.NOT_IMPLEMENTED}
    | dict.fromkeys((6, 26, 27, 36, 38, 41, 42, 43, 53, 62, 72), HTTPStatus.BAD_REQUEST)
    | dict.fromkeys((16, 46, 47, 50, 56, 60, 81, 115), HTTPStatus.NOT_FOUND)
)  # fmt: skip
"""ClickHouse's error codes to the HTTP status it gives them; all others are 500."""


class FaceServer:
    """Answers ClickHouse's HTTP protocol on 127.0.0.1 by calling `answer`, from many threads at once.

    `password` of user `default`; empty: everybody on this machine may do everything.
    """

    def __init__(self, answer: Answering, *, port: int = 0, password: str = "", version: str = "") -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.answering, self._server.password, self._server.version = answer, password, version
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http-face", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve in the background until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Take no new connections; what runs may finish within some seconds, silent connections are cut."""
        self._server.shutdown()
        self._server.server_close()
        self._server.wait_idle(STOP_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    answering: Answering
    password: str
    version: str

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._running = 0
        self._changed = threading.Condition()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While a request is answered."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def wait_idle(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._running, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        log.debug("a client at %s is gone", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_SECONDS
    server: _Server
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def version_string(self) -> str:
        return "citybrain"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in {"/ping", "/replicas_status"}:
            self._send(HTTPStatus.OK, b"Ok.\n", {})
        else:
            self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        try:
            body = self._body()
        except BadRequest as error:
            self.close_connection = True  # what follows on the wire is the rest of it
            self._fail(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, 27, str(error))
            return
        if refusal := self._refusal():
            self._fail(HTTPStatus.FORBIDDEN, 516, refusal)
            return
        try:
            encoding = self.headers.get("Content-Encoding", "").strip().lower()
            data = unpack(body, encoding, LARGEST_BODY)
            request = read_request(method, urlsplit(self.path).query, self.headers.get("Content-Type", ""), data)
            with self.server.busy():
                answer = self.server.answering(request)
        except EngineError as error:
            self._fail(STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR), error.code, str(error))
        except (BadRequest, BadEncoding) as error:
            self._fail(HTTPStatus.BAD_REQUEST, 62, f"DB::Exception: {error}")
        else:
            self._give(request, answer)

    def _give(self, request: Request, answer: Answer) -> None:
        packed, encoding = pack(answer.body, self.headers.get("Accept-Encoding", "")) if request.pack else (answer.body, "")
        headers = {
            "X-ClickHouse-Query-Id": request.query_id or str(uuid.uuid4()),
            "X-ClickHouse-Summary": answer.summary,
            "X-ClickHouse-Timezone": answer.time_zone,
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if answer.format:
            headers["X-ClickHouse-Format"] = answer.format
        if encoding:
            headers["Content-Encoding"] = encoding
        self._send(HTTPStatus.OK, packed, headers)

    def _fail(self, status: int, code: int, text: str) -> None:
        text = text if text.startswith("Code: ") else f"Code: {code}. {text}"
        body = f"{text} (version {self.server.version})\n".encode()
        self._send(status, body, {"X-ClickHouse-Exception-Code": str(code), "Content-Type": "text/plain; charset=UTF-8"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("X-ClickHouse-Server-Display-Name", "citybrain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refusal(self) -> str:
        """Why this client may not ask; empty when it may. A page in a browser here is no client of ours."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if self.headers.get("Origin") or host not in LOOPBACK:
            return "DB::Exception: this store answers programs on this machine at 127.0.0.1 only. (AUTHENTICATION_FAILED)"
        if hmac.compare_digest(self._given_password().encode(), self.server.password.encode()):
            return ""
        return "DB::Exception: default: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)"

    def _given_password(self) -> str:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                return b64decode(value, validate=True).decode().partition(":")[2]
            except ValueError:
                return ""
        named = parse_qs(urlsplit(self.path).query).get("password", [""])[0]
        return self.headers.get("X-ClickHouse-Key", named)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            message = f"Content-Length {length}: wanted at most {LARGEST_BODY:,} bytes"
            raise BadRequest(message)
        return self._exactly(int(length))

    def _chunks(self) -> list[bytes]:
        chunks: list[bytes] = []
        room = LARGEST_BODY
        while size := self._chunk_size():
            room -= size
            if room < 0:
                message = f"the body has more than {LARGEST_BODY:,} bytes"
                raise BadRequest(message)
            chunks.append(self._exactly(size))
            self.rfile.readline(1024)
        while self.rfile.readline(65_536).strip():
            continue  # trailers
        return chunks

    def _chunk_size(self) -> int:
        line = self.rfile.readline(1024).split(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError as error:
            message = f"chunk size {line[:20]!r}: wanted a hexadecimal number"
            raise BadRequest(message) from error

    def _exactly(self, size: int) -> bytes:
        """A body that ends early is no statement: what was cut off may be the half that matters."""
        data = self.rfile.read(size)
        if len(data) < size:
            message = f"the body ended after {len(data):,} of {size:,} bytes"
            raise BadRequest(message)
        return data

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        log.debug("%s %s", self.address_string(), format % args)
