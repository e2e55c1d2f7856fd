"""A Unix socket in the data folder, where the process that owns a chDB folder answers other commands on the machine.

One request a connection: a JSON line, and what it says follows it; out come one byte (+ or -), the answer's length in
eight bytes, and the answer. The length tells a whole answer from one whose sender died.
"""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from schemas.errors import BadSettings, StoreUnavailable

log = logging.getLogger(__name__)
More = Callable[[int], bytes]
"""Reads so many bytes that follow a request's line."""
LONGEST_REQUEST: Final = 1 << 20
"""Bytes of a request's line; ClickHouse takes 256 KiB of SQL by itself."""
PATIENCE_SECONDS: Final = 30.0
"""How long a client may be silent, or not read its answer, before it is left."""
LONGEST_PATH: Final = 107
"""Bytes of a Unix socket's path (Linux)."""


class OwnerSocket:
    """Answers requests in threads of its own; only the user who owns the folder may connect."""

    def __init__(self, path: Path) -> None:
        self._path = path
        check_length(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._server = _Server(str(path), self.respond)

    def respond(self, line: bytes, more: More) -> bytes:
        """The framed answer to one request, whatever it is: no client may end with a broken connection and no reason."""
        raise NotImplementedError

    def start(self) -> None:
        """Serve in the background until `stop`."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name=self._path.stem, daemon=True).start()

    def stop(self) -> None:
        """Stop serving and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: str, respond: Callable[[bytes, More], bytes]) -> None:
        super().__init__(path, Handler)
        self.respond = respond

    def server_bind(self) -> None:
        """Bind so that the socket is never open to others, not for a moment."""
        before = os.umask(0o177)
        try:
            super().server_bind()
        finally:
            os.umask(before)


class Handler(socketserver.StreamRequestHandler):
    """One client."""

    timeout = PATIENCE_SECONDS

    def handle(self) -> None:
        """Read its line, write the answer."""
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - narrows the type
        try:
            line = self.rfile.readline(LONGEST_REQUEST)
            if line:  # else somebody only looked whether we are here
                self.wfile.write(server.respond(line, self.rfile.read))
        except OSError as error:
            log.debug("a client of a socket is gone: %r", error)


def framed(mark: bytes, answer: bytes) -> bytes:
    """An answer as it goes over the socket."""
    return mark + len(answer).to_bytes(8, "big") + answer


def exchange(path: Path, request: bytes, what: str) -> tuple[bool, bytes]:
    """Whether the owner said yes, and its answer. StoreUnavailable when nobody listens or it goes away; `what` was asked."""
    check_length(path)
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            response = b"".join(iter(lambda: connection.recv(1 << 20), b""))
        except OSError as error:
            raise StoreUnavailable(what, 0, f"nobody answers at {path}: {error}") from error
    mark, length, answer = response[:1], response[1:9], response[9:]
    if len(length) < 8 or len(answer) != int.from_bytes(length, "big"):
        raise StoreUnavailable(what, 0, f"the owner of the store went away before its answer was whole ({path})")
    return mark == b"+", answer


def listens(path: Path) -> bool:
    """Whether an owner is behind the socket; one that was killed leaves the file."""
    check_length(path)
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def check_length(path: Path) -> None:
    """BadSettings when no Unix socket can have this path."""
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        message = f"{path}: the path of a Unix socket has at most {LONGEST_PATH} bytes, this one has {length}; take a shorter --data-dir"
        raise BadSettings(message)
