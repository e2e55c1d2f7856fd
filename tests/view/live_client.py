"""A reader of the live stream for tests."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class Stream:
    """Messages of one open stream, in order."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.last_id: str | None = None
        self.seen: list[str] = []

    def one(self) -> tuple[str, dict[str, Any]]:
        """The next message, whatever it is."""
        event, body = "", {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                event = value
            elif name == "data":
                body = json.loads(value)
            elif not line and event:
                self.seen.append(event)
                return event, body
        raise AssertionError("the stream ended")

    def next(self, event: str) -> dict[str, Any]:
        """The next message of a kind; others before it are left out."""
        while True:
            got, body = self.one()
            if got == event:
                return body

    def settle(self) -> None:
        """Wait until the producer has the state from which it tells differences."""
        time.sleep(1.0)


@contextmanager
def messages(api: httpx.Client, headers: dict[str, str]) -> Iterator[Stream]:
    """An open stream."""
    with api.stream("GET", "/api/v1/live", headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        yield Stream(answer.iter_lines())
