"""Records of a partition for the audit, by aiokafka: its C parser reads twice as many a second as kafka-python's (decision 62)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from schemas.errors import BrokerUnavailable
from schemas.kafka_options import Broker, reader

AT_ONCE: Final = 5_000
PATIENCE_SECONDS: Final = 30
"""Without a record where some have to be."""
FETCH_WAIT_MS: Final = 10
"""A fetch at the end of one partition holds up that of the next by so much."""
Take = Callable[[int, bytes | None, Any], None]
"""(offset, value, headers) of one record."""


class RecordReader:
    """One consumer without a group, for blocking callers. A context manager; BrokerUnavailable when no broker answers."""

    def __init__(self, broker: Broker) -> None:
        self._options = options(broker)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        try:
            self._consumer = self._runner.run(_started(self._options))
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._runner.run(self._consumer.stop())
        finally:
            self._runner.close()

    def read(self, partition: tuple[str, int], start: int, end: int, take: Take, progress: Callable[[int], None]) -> None:
        """Hand every record from offset `start` to before `end` to `take`, in order; `progress` is told how many came at a time."""
        asked = TopicPartition(*partition)
        try:
            self._runner.run(self._read(asked, start, end, take, progress))
        except KafkaError as error:
            message = f"{asked.topic}[{asked.partition}], offsets {start} to {end}: {error!r}"
            raise BrokerUnavailable(message) from error

    async def _read(self, asked: TopicPartition, start: int, end: int, take: Take, progress: Callable[[int], None]) -> None:
        self._consumer.assign([asked])
        self._consumer.seek(asked, start)
        idle = 0
        while (position := await self._consumer.position(asked)) < end:
            records = (await self._consumer.getmany(asked, timeout_ms=1_000, max_records=AT_ONCE)).get(asked, [])
            idle = 0 if records else idle + 1
            if idle > PATIENCE_SECONDS:
                message = f"{asked.topic}[{asked.partition}]: no record after offset {position} in {PATIENCE_SECONDS} s"
                raise BrokerUnavailable(message)
            for record in records:
                if record.offset < end:
                    take(record.offset, record.value, record.headers)
            progress(len(records))


async def _started(asked: dict[str, Any]) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(**asked)
    try:
        await consumer.start()
    except KafkaError as error:
        await consumer.stop()
        message = f"{','.join(asked['bootstrap_servers'])}: {error!r}"
        raise BrokerUnavailable(message) from error
    return consumer


def options(broker: Broker) -> dict[str, Any]:
    """The same consumer as kafka-python's: aiokafka takes its certificates as a context, and finds brokers in its own time."""
    found = reader(broker) | {"fetch_max_wait_ms": FETCH_WAIT_MS}
    authority = found.pop("ssl_cafile", None)
    del found["bootstrap_timeout_ms"]
    if "SSL" in broker.security_protocol:
        found["ssl_context"] = create_ssl_context(cafile=authority)
    return found
