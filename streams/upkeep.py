"""What a worker looks at every few seconds, because its Kafka client may never tell (docs/decisions/0042)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any, Final

import faust
from kafka import TopicPartition
from kafka.errors import KafkaError

from streams.leaving import leave
from streams.raw_log import RawLog, Topic, TopicReplaced

LOOK_SECONDS: Final = 4.0

log = logging.getLogger(__name__)


async def keep_up(app: faust.App, raw_log: RawLog, group: str, topics: Collection[str]) -> None:
    """Leave when a topic was made again; ask for partitions anew when at two looks some were with nobody of the group.

    At one look they may be on their way to somebody.
    """
    transport: Any = app.transport
    before: frozenset[TopicPartition] = frozenset()
    while not app.should_stop:
        await asyncio.sleep(LOOK_SECONDS)
        lives = transport.lives
        try:
            found = await asyncio.to_thread(raw_log.existing, topics)
            taken = await asyncio.to_thread(raw_log.taken, group)
        except KafkaError as error:
            log.warning("cannot see which partitions there are: %r", error)
            continue
        if transport.lives is lives and (replaced := made_again(lives.ids, found)):
            leave("a topic is another one than before; leaving, to begin with its first record", replaced)
        free = frozenset() if taken is None else frozenset().union(*(topic.partitions for topic in found.values())) - taken
        if still := free & before:
            log.warning(
                "nobody reads %s; asking for partitions anew", ", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(still))
            )
            app.consumer.rejoin()
            free = frozenset()
        before = free


def made_again(known: dict[str, str], found: dict[str, Topic]) -> TopicReplaced | None:
    """A topic that was read under another id. One that is away for now is none: it may come back, and others go on."""
    for name, topic in found.items():
        if known.get(name, topic.id) != topic.id:
            return TopicReplaced(name, known[name], topic.id)
    return None
