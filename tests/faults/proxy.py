"""A TCP proxy that misbehaves on command: cuts after so many bytes, swallows an answer, goes half open, delays."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

RESET = struct.pack("ii", 1, 0)


class FaultProxy:
    """Listens on a free loopback port and carries bytes to `target`. One fault at a time; `heal` ends it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._cut_after: int | None = None
        self._swallow_answer_to: bytes | None = None
        self._refused: tuple[bytes, int] | None = None
        self.half_open = False
        self.delay_seconds = 0.0
        self.healed_at = 0.0
        self.cuts = 0
        """How often a fault cut a connection: a test that waits for nothing proves nothing."""

    @property
    def port(self) -> int:
        """Where clients connect."""
        return int(self._listener.getsockname()[1])

    def cut_after(self, sent_bytes: int) -> None:
        """Reset the connection over which the `sent_bytes`th byte from now on would go to the target. Once."""
        with self._lock:
            self._cut_after = sent_bytes

    def swallow_answer_to(self, request: bytes) -> None:
        """Carry a request that has these bytes, wait for its answer, and reset instead of giving it. Once."""
        with self._lock:
            self._swallow_answer_to = request

    def answer_with(self, code: int, request: bytes) -> None:
        """Answer requests that have these bytes with an error of ClickHouse, without asking it, until healed."""
        with self._lock:
            self._refused = (request, code)

    def heal(self) -> None:
        """No fault from now on; connections that lost bytes are reset."""
        was_half_open, self.half_open = self.half_open, False
        self.delay_seconds = 0.0
        self.healed_at = time.monotonic()
        with self._lock:
            self._cut_after = self._swallow_answer_to = self._refused = None
            lost = list(self._open) if was_half_open else []
        for connection in lost:
            _reset(connection)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed = True
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            _reset(connection)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            swallow = threading.Event()
            for source, sink, up in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(source, sink, swallow, up), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, swallow: threading.Event, up: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                if self.half_open:
                    continue  # neither carried nor refused: what a dead router does
                if not up and swallow.is_set():
                    self.cuts += 1
                    break
                if up and (code := self._refusal(data)):
                    self.cuts += 1
                    _refuse(source, code)
                    break
                data, cut = self._spoil(data, swallow) if up else (data, False)
                sink.sendall(data)
                if cut:
                    self.cuts += 1
                    break
        for connection in (source, sink):
            _reset(connection)
            with self._lock:
                self._open.discard(connection)

    def _refusal(self, data: bytes) -> int | None:
        with self._lock:
            return self._refused[1] if self._refused and self._refused[0] in data else None

    def _spoil(self, data: bytes, swallow: threading.Event) -> tuple[bytes, bool]:
        """What of the data is carried, and whether the connection is cut then."""
        with self._lock:
            if self._swallow_answer_to is not None and self._swallow_answer_to in data:
                self._swallow_answer_to = None
                swallow.set()
            if self._cut_after is None:
                return data, False
            if len(data) < self._cut_after:
                self._cut_after -= len(data)
                return data, False
            data, self._cut_after = data[: self._cut_after], None
            return data, True


def _refuse(client: socket.socket, code: int) -> None:
    """Say no as ClickHouse does, and take what the client still sends: a reset would take the answer from it."""
    body = f"Code: {code}. DB::Exception: said by the fault proxy".encode()
    head = (
        f"HTTP/1.1 500 Error\r\nX-ClickHouse-Exception-Code: {code}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    client.sendall(head.encode() + body)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(2.0)
    while client.recv(65_536):
        continue


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
