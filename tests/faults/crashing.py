"""A worker or loader that kills itself between two of its steps: `python -m tests.faults.crashing POINT load|work`.

The product has no branches for this: the step is wrapped here, in the child, before the command runs (docs/decisions/0041).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from citybrain.cli import main

VIEWS: Final = ("counts_minute", "counts_day", "cases", "sensor_rollup")
ALL: Final = ("sensor", "police", "grid")
FED_BY: Final[dict[str, Sequence[str]]] = {
    "counts_minute": ALL,
    "counts_day": ALL,
    "cases": ("police", "grid"),
    "sensor_rollup": ("sensor",),
}
"""Kinds of events that a view takes."""
WORKER: Final = ("fetched", "cooked", "sent", "confirmed", "acknowledged", "committed")
LOADER: Final = ("read", "filtered", "inserted", *VIEWS, "rejected", "ledger", "loader-committed")


COMMITS_SECONDS: Final = 2.5
"""A worker commits once a second."""


def die(*_: Any, **__: Any) -> Any:
    """As kill -9 from outside: no handler, no flush, no farewell."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_late(*_: Any, **__: Any) -> Any:
    """After commits had time to be made: none may be of what is in hand."""
    time.sleep(COMMITS_SECONDS)
    die()


def after(function: Callable[..., Any], when: Callable[..., bool] = lambda *_, **__: True) -> Callable[..., Any]:
    """The function, then death, where `when` says so of its arguments."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if when(*arguments, **named):
            die()
        return result

    return wrapped


def arm_worker(point: str) -> None:
    """Wrap one step of the worker."""
    from aiokafka.errors import KafkaError
    from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer

    worker: Any = import_module("streams.worker")
    from streams.transport import CoalescingConsumer

    async def sent(self: Any, *arguments: Any, **named: Any) -> Any:
        await self.send(*arguments, **named)
        await asyncio.sleep(0.02)  # the record is on its way, or about to be
        die()

    async def confirmed(self: Any, *arguments: Any, **named: Any) -> Any:
        await original_send(self, *arguments, **named)
        die()

    async def committed(self: Any, *arguments: Any, **named: Any) -> Any:
        done = await original_commit(self, *arguments, **named)
        if done and any(arguments[0].values()):
            die()
        return done

    def acknowledged(self: Any, tp: Any) -> Any:
        offset = original_offset(self, tp)
        if offset is not None:
            die()
        return offset

    async def fails_once(*_: Any, **__: Any) -> Any:
        Producer.send_and_wait = original_send
        raise KafkaError("made by the test")

    original_offset = CoalescingConsumer._new_offset
    original_send, original_commit = Producer.send_and_wait, AIOKafkaConsumerThread.commit
    match point:
        case "fetched":
            worker.cook = die_late
        case "cooked":
            worker.header_of = die
        case "sent":
            Producer.send_and_wait = sent
        case "confirmed":
            Producer.send_and_wait = confirmed
        case "fails":
            Producer.send_and_wait = fails_once
        case "acknowledged":
            CoalescingConsumer._new_offset = acknowledged  # type: ignore[method-assign]
        case "committed":
            AIOKafkaConsumerThread.commit = committed


def arm_loader(point: str) -> None:
    """Wrap one step of the loader. A view: the table has the rows, that view does not, as when the server dies between them."""
    from kafka import KafkaConsumer

    writer: Any = import_module("sinks.writer")
    from sinks.ledger import Ledger
    from sinks.store import Store

    insert = Store.insert

    def without_view(self: Store, table: str, rows: pa.Table, token: str) -> None:
        if table != "events" or not pc.any(pc.is_in(rows["kind"], pa.array(FED_BY[point]))).as_py():
            insert(self, table, rows, token)
            return
        self.command(f"DETACH TABLE {point}_mv")
        insert(self, table, rows, token)
        self.command(f"ATTACH TABLE {point}_mv")
        die()

    match point:
        case "read":
            writer.sort_block = die
        case "filtered":
            writer.sort_block = after(writer.sort_block)
        case "inserted" | "rejected":
            wanted = "events" if point == "inserted" else "rejected"
            Store.insert = after(insert, lambda _, table, *__: table == wanted)  # type: ignore[method-assign]
        case "ledger":
            Ledger.write = after(Ledger.write)  # type: ignore[method-assign]
        case "loader-committed":
            KafkaConsumer.commit_async = after(KafkaConsumer.commit_async)
        case _:
            assert point in VIEWS, point
            Store.insert = without_view  # type: ignore[method-assign]


if __name__ == "__main__":
    _, at, part = sys.argv
    (arm_worker if part == "work" else arm_loader)(at)
    sys.argv = ["citybrain", part]
    main()
