"""The worker: a Faust app with one agent a raw topic. Raw records in, blocks out, acknowledged when confirmed."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import aiokafka.errors
import faust
from faust.types import TP
from kafka import TopicPartition
from kafka.errors import KafkaError

from schemas import metrics
from schemas.block import MAX_BYTES, MAX_ROWS, SCHEMA_VERSION, BlockHeader, encode_block
from schemas.events import Kind
from schemas.kafka_options import BLOCK_AGE_MS, METADATA_AGE_MS, Broker
from schemas.places import Places
from schemas.topics import RAW, RISK
from streams.columns import RecordColumns
from streams.cook import Cooked, Kitchen, cook
from streams.leaving import leave
from streams.live_rules import LiveRules
from streams.locate import Locator
from streams.log_batches import read_batches
from streams.pace import Limit, LoaderLoad, next_block_age
from streams.raw_log import RawLog
from streams.transport import FETCH_BYTES, CoalescingTransport, Fetched, Lives
from streams.upkeep import keep_up

log = logging.getLogger(__name__)

IN_HAND_SECONDS = 30
"""Of a worker that is held: what it takes from the fetched records at a time is acknowledged within this long."""


def _nothing() -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """One worker process. `instance` makes group membership static: a restart keeps its partitions (docs/decisions/0012).

    `skip_gone`: see RecordsGone. `most_per_second`: see Limit.

    `begun` is called when a block is in hand, `advanced` when the broker has it: for a watchdog.
    """

    broker: Broker
    places: Places
    kinds: tuple[Kind, ...] = get_args(Kind)
    block_age_ms: int = BLOCK_AGE_MS
    keep_text: bool = False
    model: Path | None = None
    instance: str = "worker-1"
    group: str = "citybrain-work"
    loader_group: str = "citybrain-load"
    skip_gone: bool = False
    most_per_second: int = 0
    begun: Callable[[], None] = _nothing
    advanced: Callable[[], None] = _nothing


def run(options: WorkerOptions) -> None:
    """Work until told to stop by SIGTERM or SIGINT; drains what it holds, then returns."""
    worker = faust.Worker(build_app(options), loglevel="WARN", override_logging=False, daemon=True, quiet=True)
    worker.spinner = None  # it writes to stdout, which belongs to --json
    worker.execute_from_commandline()


def build_app(options: WorkerOptions) -> faust.App:
    """The app with its agents; nothing is connected yet."""
    broker, limit = options.broker, Limit(options.most_per_second)
    app = faust.App(
        options.group,
        broker=[f"kafka://{address}" for address in broker.bootstrap.split(",")],
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=2,  # counts batches; the default of 4,096 fetches a whole topic into memory
        stream_recovery_delay=0.0,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=FETCH_BYTES,
        consumer_group_instance_id=options.instance,
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        producer_metadata_max_age_ms=METADATA_AGE_MS,
        broker_max_poll_records=limit.most(MAX_ROWS * 3 // IN_HAND_SECONDS) * IN_HAND_SECONDS,
        broker_session_timeout=broker.session_timeout_ms / 1000,
        broker_heartbeat_interval=broker.heartbeat_interval_ms / 1000,
        broker_commit_interval=1.0,
        broker_credentials=_credentials(broker),
        producer_max_request_size=RISK.max_message_bytes,
        producer_acks=-1,
    )
    locator, rules = Locator(options.places), LiveRules(options.model)
    raw_log = RawLog(broker, skip_gone=options.skip_gone)

    async def look(assigned: set[TP]) -> Lives:
        ids: dict[str, str] = {}
        stale: set[TP] = set()
        with all_or_nothing():
            if assigned:
                ids = await asyncio.to_thread(raw_log.ids, {partition.topic for partition in assigned})
                stale = {TP(*tp) for tp in await asyncio.to_thread(raw_log.check_committed, options.group, ids, assigned)}
        return Lives(ids, stale)

    transport = CoalescingTransport(app.conf.broker, app, look)
    transport.block_age_ms = options.block_age_ms
    app.transport = transport

    reached: dict[TP, int] = {}

    @app.task
    async def _pace() -> None:
        await keep_pace(app, options, reached)

    @app.task
    async def _keep_up() -> None:
        await keep_up(app, raw_log, options.group, [RAW[kind].name for kind in options.kinds])

    for kind in options.kinds:
        kitchen = Kitchen(kind, locator, rules.now(), options.keep_text)
        _add_agent(app, kitchen, rules, raw_log, options, limit, reached)
    return app


def _add_agent(
    app: faust.App,
    kitchen: Kitchen,
    rules: LiveRules,
    raw_log: RawLog,
    options: WorkerOptions,
    limit: Limit,
    reached: dict[TP, int],
) -> None:
    topic = app.topic(RAW[kitchen.kind].name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic, concurrency=1, name=f"cook-{kitchen.kind}")
    async def _cook(stream: Any) -> None:
        expected: dict[TP, int] = {}
        async for event in stream.noack().events():  # one event = all records fetched for one partition
            with all_or_nothing():
                fetched: Fetched = event.value
                arrived = await asyncio.to_thread(read_batches, fetched.batches)
                if arrived and arrived[0].offset > expected.get(event.message.tp, arrived[0].offset):
                    await asyncio.to_thread(
                        raw_log.check_starts, {TopicPartition(*event.message.tp): expected[event.message.tp]}
                    )
                for records in arrived.in_blocks(limit.most(MAX_ROWS), MAX_BYTES):
                    await asyncio.sleep(limit.wait(len(records), time.monotonic()))
                    options.begun()
                    now = replace(kitchen, rules=await asyncio.to_thread(rules.now))
                    topic_id = asyncio.to_thread(raw_log.check_life, event.message.topic, fetched.topic_id)
                    await _publish(app, now, event.message.tp, records, topic_id)
                    options.advanced()
                    reached[event.message.tp] = int(records.offsets[-1]) + 1
                expected[event.message.tp] = event.message.offset + 1
                event.ack()
                gc.collect(1)


async def keep_pace(app: faust.App, options: WorkerOptions, reached: Mapping[TP, int]) -> None:
    """Once a second: let blocks become as young as the loader's time allows, and show how much waits in the raw topics."""
    age = options.block_age_ms
    metrics.BLOCK_AGE_SET.set(age / 1000)
    load: LoaderLoad | None = None
    while not app.should_stop:
        await asyncio.sleep(1.0)
        try:
            await _show_lag(app, reached)
            if load is None:
                load = await asyncio.to_thread(LoaderLoad, options.broker, options.loader_group)
            busy = await asyncio.to_thread(load.measure)
        except (KafkaError, aiokafka.errors.KafkaError) as error:
            log.warning("cannot see how far the log or how busy the loader is (%r); block age stays %d ms", error, age)
            continue
        if busy is not None:
            age = next_block_age(age, busy, options.block_age_ms)
            app.consumer.set_block_age(age)
            metrics.BLOCK_AGE_SET.set(age / 1000)


async def _show_lag(app: faust.App, reached: Mapping[TP, int]) -> None:
    """What the broker has beyond the last confirmed block of each partition; what a fetch said of the end may be old."""
    known = app.consumer.assignment() & reached.keys()
    for partition, end in (await app.consumer.highwaters(*known)).items() if known else ():
        metrics.LAG.labels(partition.topic, str(partition.partition)).set(max(0, end - reached[TP(*partition)]))


async def _publish(app: faust.App, kitchen: Kitchen, partition: TP, records: RecordColumns, asked: Awaitable[str]) -> None:
    """Cook one block and send it; returns when the broker has it on all replicas. `asked` gives the id of its topic."""
    started = time.perf_counter()
    cooked, topic_id = await asyncio.gather(asyncio.to_thread(cook, kitchen, records), asked)
    header = header_of(cooked, partition.topic, topic_id, partition.partition)
    value = await asyncio.to_thread(encode_block, cooked.table)
    metrics.COOK_SECONDS.observe(time.perf_counter() - started)
    await app.producer.send_and_wait(
        RISK.name, None, value, partition=partition.partition, timestamp=None, headers=header.to_kafka()
    )
    _measure(kitchen.kind, records, cooked)


def header_of(cooked: Cooked, topic: str, topic_id: str, partition: int) -> BlockHeader:
    """The ledger's view of a block. Its rows are in offset order."""
    offsets = cooked.table["source_offset"]
    return BlockHeader(
        schema_version=SCHEMA_VERSION,
        source_topic=topic,
        source_topic_id=topic_id,
        source_partition=partition,
        first_offset=offsets[0].as_py(),
        last_offset=offsets[-1].as_py(),
        rows=cooked.table.num_rows,
        rejected=len(cooked.rejects),
    )


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Leave the process, not the block, on an error.

    Faust acknowledges in a `finally` (0.15.3, streams.py), so a raised error loses what was being worked on. A process
    that just ends acknowledges nothing, and Kafka sends it again.
    """
    try:
        yield
    except Exception as error:
        leave("records not finished; leaving, so that Kafka sends them again", error)


def _measure(kind: Kind, records: RecordColumns, cooked: Cooked) -> None:
    metrics.EVENTS.labels(kind).inc(len(records))
    metrics.BLOCK_ROWS.observe(len(records))
    metrics.BLOCK_AGE.observe(max(0.0, time.time() - records[0].timestamp / 1000))
    for reject in cooked.rejects:
        metrics.REJECTED.labels(reject.reason).inc()
    for row in cooked.table["incident_class"].combine_chunks().value_counts().to_pylist():
        if row["values"] is not None:
            metrics.CLASSIFIED.labels(row["values"]).inc(row["counts"])
    for name, count in cooked.person_fields.items():
        metrics.PERSON_FIELDS_DROPPED.labels(name).inc(count)


def _credentials(broker: Broker) -> faust.SASLCredentials | None:
    if broker.sasl_mechanism is None:
        return None
    return faust.SASLCredentials(mechanism=broker.sasl_mechanism, username=broker.sasl_username, password=broker.sasl_password)
