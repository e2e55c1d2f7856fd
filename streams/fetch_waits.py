"""Which fetches the broker may hold back until there is a block's worth or the block age is over: none while records wait for us.

aiokafka has one fetch at a time on its way to a broker. One that asked only for partitions read to their end was held back for
an age, and kept what waited in the others from being fetched: a worker that caught up stood still again and again
(docs/decisions/0066). Now such partitions are asked once an age meanwhile, and nobody waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher

AT_ONCE_BYTES: Final = 1


class Standing(NamedTuple):
    """An assigned partition: offset of the next record to take, the end its last answer told of, and when that came (ms)."""

    position: int
    end: int
    answered: int


class FetchWaits:
    """Decides about the fetches of one consumer."""

    def __init__(self) -> None:
        self._asked: dict[TopicPartition, int] = {}

    def wanted(
        self, positions: Mapping[TopicPartition, int], standings: Mapping[TopicPartition, Standing], age_ms: int, now_ms: int
    ) -> set[TopicPartition] | None:
        """Of the partitions that can be fetched from `positions`, those to ask without waiting; None: ask all, and wait.

        `standings`: of all assigned partitions that were answered before, also those whose records are here and not taken yet.
        One that was asked from the same position and gave nothing counts as read to its end, whatever that answer told.
        """
        behind = {
            partition
            for partition, standing in standings.items()
            if standing.position < standing.end and self._asked.get(partition) != positions.get(partition, -1)
        }
        wanted = {
            partition
            for partition in positions
            if partition in behind
            or partition not in standings
            or not 0 <= now_ms - standings[partition].answered < age_ms  # a clock that was set back makes it due, too
        }
        chosen = wanted if behind else set(positions)
        self._asked |= {partition: positions[partition] for partition in chosen}
        return wanted if behind else None


def wait_only_at_the_end(fetcher: Fetcher) -> None:
    """Let this fetcher, and no other of the process, decide so."""
    waits, usual = FetchWaits(), fetcher._get_actions_per_node  # noqa: SLF001

    def actions(assignment: Any) -> tuple[Any, ...]:
        requests, *others = usual(assignment)
        standings = dict(_standings(assignment))
        age = fetcher._fetch_max_wait_ms  # noqa: SLF001
        return [(node, kept) for node, request in requests if (kept := _decided(waits, request, standings, age))], *others

    fetcher._get_actions_per_node = actions  # noqa: SLF001


def _standings(assignment: Any) -> Iterator[tuple[TopicPartition, Standing]]:
    for partition in assignment.tps:
        state = assignment.state_value(partition)
        if state.has_valid_position and not state.paused and state.highwater is not None:
            yield partition, Standing(state.position, state.highwater, state.timestamp)


def _decided(waits: FetchWaits, request: Any, standings: Mapping[TopicPartition, Standing], age_ms: int) -> Any:
    """The request as it is, changed not to wait, or None when it asks for nothing now."""
    positions = {TopicPartition(topic, number): position for topic, parts in request.topics for number, position, _ in parts}
    wanted = waits.wanted(positions, standings, age_ms, int(time.time() * 1000))
    if wanted is None:
        return request
    request._min_bytes, request._max_wait_ms = AT_ONCE_BYTES, 0  # noqa: SLF001  nothing public sets them
    left = {topic: [part for part in parts if (topic, part[0]) in wanted] for topic, parts in request.topics}
    request._topics = [(topic, parts) for topic, parts in left.items() if parts]  # noqa: SLF001
    return request if wanted else None
