"""Faust's aiokafka transport, changed in one way: all record batches fetched for a partition arrive as one message.

Faust's cost is per message, not per byte (13,600 messages/s, 437,000 coalesced records/s: docs/decisions/0002). The value of
a coalesced message is Fetched, its offset the last record's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiokafka import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP

from schemas.block import MAX_BYTES, MAX_ROWS
from schemas.kafka_options import BLOCK_AGE_MS
from streams.batch_fetcher import hand_out_batches
from streams.fetch_waits import wait_only_at_the_end
from streams.leaving import leave_when_failed
from streams.log_batches import LogBatch

FETCH_BYTES = 7 * 512 * 1024
"""Most that one fetch brings of a partition, as compressed in the log. Usual records of so much are one full block: aiokafka
asks for the next only when all are taken, so what is left over of a larger one would become a small block."""
ENOUGH_BYTES = FETCH_BYTES
"""The broker answers a fetch when it has this much for all partitions, or at the block age: whichever comes first. With more it
would wait although a full block is there, for of each partition it counts FETCH_BYTES at most."""
FULL_BYTES = MAX_BYTES * 5 // 4
"""What is taken of one partition at a time, unpacked. Of the bytes of usual records four fifths are values, so it is one full
block: taking more would leave a small block over, which costs the loader nearly as much."""
ENOUGH_TAKEN_BYTES = FULL_BYTES
"""When so much was taken over all partitions no other is begun; one that was begun goes on, or its block would be a small one."""
CHUNK = 4
"""Record batches taken from the fetched ones at a time, until a message has enough bytes: so many may come on top of those."""


class Fetched(NamedTuple):
    """The batches of one partition that arrive together; `topic_id` is the UUID their topic had before they were fetched."""

    batches: Sequence[LogBatch]
    topic_id: str


class Size(NamedTuple):
    """How much was taken of a partition."""

    rows: int
    bytes: int

    def with_batches(self, batches: Sequence[LogBatch]) -> Size:
        """With these too."""
        return Size(self.rows + sum(batch.rows for batch in batches), self.bytes + sum(len(batch.records) for batch in batches))

    @property
    def is_block(self) -> bool:
        """Whether it is enough for a block."""
        return self.rows >= MAX_ROWS or self.bytes >= FULL_BYTES


class Lives(NamedTuple):
    """UUIDs of assigned topics, and the partitions whose committed offset was of a topic of that name that is no more."""

    ids: dict[str, str]
    stale: set[TP]


class Coalesced:
    """The batches fetched for one partition, in the shape Faust expects of one record."""

    checksum = None
    key = None
    headers = ()
    serialized_key_size = 0
    serialized_value_size = 0
    timestamp_type = 0

    def __init__(self, partition: TP, batches: Sequence[LogBatch], topic_id: str = "") -> None:
        self.topic, self.partition = partition
        self.offset, self.timestamp = batches[-1].last_offset, batches[-1].first_timestamp
        self.value = Fetched(batches, topic_id)


class CoalescingThread(AIOKafkaConsumerThread):
    """Lets the broker close a block by age: it holds an answer back until there is enough or the age is reached."""

    async def on_start(self) -> None:
        """Watch the group's coordinator: Faust looks at it only while it fetches, so without partitions nobody saw it fail.

        A broker that has just been away may name no brokers, which is such a failure (aiokafka 0.14, coordinator_lookup).
        """
        await super().on_start()
        self._consumer._coordinator._coordination_task.add_done_callback(leave_when_failed)  # noqa: SLF001  nothing public tells
        hand_out_batches(self._consumer._fetcher)  # noqa: SLF001
        wait_only_at_the_end(self._consumer._fetcher)  # noqa: SLF001

    def rejoin(self) -> None:
        """Join the group again, with all that it has to share out. Safe from another thread."""
        self.thread_loop.call_soon_threadsafe(self._consumer._coordinator.request_rejoin)  # noqa: SLF001  only a change of topics does so in public

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes the wait at 1500 ms; aiokafka reads both when it starts, which is later.
        consumer._fetch_max_wait_ms = transport.block_age_ms  # noqa: SLF001
        consumer._fetch_min_bytes = ENOUGH_BYTES  # noqa: SLF001
        consumer.commit = partial(self._commit_with_id, consumer.commit)
        return consumer

    async def _commit_with_id(self, commit: Callable[..., Awaitable[None]], offsets: dict[TopicPartition, Any]) -> None:
        """Say of which topic an offset is: a commit may come when there is another of that name already."""
        lives: Lives = self.transport.lives
        await commit({tp: OffsetAndMetadata(known.offset, lives.ids.get(tp.topic, "")) for tp, known in offsets.items()})
        lives.stale.difference_update(TP(*tp) for tp in offsets)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """But to the first record where the committed offset is of another topic."""
        found = dict(await super().seek_to_committed())
        for tp in self.transport.lives.stale & found.keys():
            await self.call_thread(self._consumer.seek_to_beginning, TopicPartition(*tp))
            found[tp] = 0
        return found

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust names it so
        max_records: int | None = None,
    ) -> dict[TP, list[Any]]:
        """Take batches that were fetched until they are enough records or bytes.

        Kafka limits a fetch in compressed bytes; counted in records alone, a topic of large records that compress well
        comes into memory whole (1.4 GB where 0.3 GB are held now: tests/test_bounds.py).
        """
        fetched: dict[TP, list[Any]] = {}
        taken: dict[TP, Size] = {}
        hungry = active_partitions
        while part := await super()._fetch_records(consumer, hungry, 0.0 if fetched else timeout, CHUNK):
            for partition, batches in part.items():
                fetched.setdefault(partition, []).extend(batches)
                taken[partition] = taken.get(partition, Size(0, 0)).with_batches(batches)
            hungry = {partition for partition in hungry if not taken.get(partition, Size(0, 0)).is_block}
            rows, size = map(sum, zip(*taken.values(), strict=True))
            if size >= ENOUGH_TAKEN_BYTES:
                hungry &= taken.keys()
            if not hungry or rows >= (max_records or CHUNK):
                break
        return fetched


class CoalescingConsumer(FaustConsumer):
    """Coalesces, and keeps the offsets of such messages.

    Messages are acknowledged in order, one at a time (concurrency 1), so everything up to the newest acknowledged
    offset is done. Faust's own book-keeping takes the records inside a message for gaps and can stop committing.
    """

    def set_block_age(self, milliseconds: int) -> None:
        """From the next fetch on, let blocks become this old."""
        consumer = self._thread._consumer  # noqa: SLF001
        if consumer is not None and consumer._fetcher is not None:  # noqa: SLF001
            consumer._fetcher._fetch_max_wait_ms = milliseconds  # noqa: SLF001

    def rejoin(self) -> None:
        """Ask for partitions anew: the group's leader shares out what there is now."""
        self._thread.rejoin()

    def _new_consumer_thread(self) -> CoalescingThread:
        return CoalescingThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Learn of which topics these partitions are before Faust lets their first record be fetched."""
        self.transport.lives = await self.transport.look(assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust names it so
        before = self.transport.lives.ids
        fetched = await super()._getmany(active_partitions, timeout)
        known = self.transport.lives.ids | before  # what came meanwhile may be of an assignment made meanwhile
        return {
            partition: [Coalesced(partition, batches, known.get(partition.topic, ""))]
            for partition, batches in (fetched or {}).items()
            if batches
        }

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: the offsets between two messages are the records inside the later one."""

    def _new_offset(self, tp: TP) -> int | None:
        acknowledged = self._acked[tp]
        if not acknowledged:
            return None
        newest = max(acknowledged)
        acknowledged.clear()
        self._acked_index[tp].clear()
        return int(newest) + 1


class CoalescingTransport(FaustTransport):
    """Plugged into an app in place of its transport."""

    Consumer = CoalescingConsumer
    block_age_ms = BLOCK_AGE_MS

    def __init__(self, url: Any, app: Any, look: Callable[[set[TP]], Awaitable[Lives]]) -> None:
        super().__init__(url, app)
        self.look = look
        """Asked at every assignment."""
        self.lives = Lives({}, set())
