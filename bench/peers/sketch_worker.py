"""First half of the sketch: batches of raw records become Arrow blocks."""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import faust
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport

from bench.peers.job import category_of

ROWS = 20_000
TEXT = pa.string()
POSITION = pa.struct([("lon", pa.float64()), ("lat", pa.float64())])
READINGS = pa.list_(pa.struct([("metric", TEXT), ("value", pa.float64())]))
DATA = pa.struct([
    ("text", TEXT), ("grid", TEXT), ("position", POSITION), ("severity", pa.uint8()), ("incident_class", TEXT), ("code", TEXT),
    ("department", TEXT), ("case_id", TEXT), ("stage", TEXT), ("mediation_level", TEXT), ("device", TEXT), ("status", TEXT),
    ("readings", READINGS),
])  # fmt: skip
EVENT = pa.schema([("id", TEXT), ("source", TEXT), ("type", TEXT), ("time", pa.timestamp("us", "UTC")), ("data", DATA)])
PLAIN = ("code", "department", "case_id", "stage", "mediation_level", "device", "status")


class Batch:
    """All records fetched for one partition, as one message of Faust."""

    checksum, serialized_key_size, serialized_value_size, headers, key = None, 0, 0, (), None

    def __init__(self, records: Sequence[Any]) -> None:
        last = records[-1]
        self.topic, self.partition, self.offset = last.topic, last.partition, last.offset
        self.timestamp, self.timestamp_type, self.value = last.timestamp, last.timestamp_type, records


class Consumer(FaustConsumer):
    """Hands batches over."""

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 - theirs
        fetched = await super()._getmany(active_partitions, timeout)
        return {partition: [Batch(list(records))] for partition, records in fetched.items() if records} if fetched else fetched

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        await super()._add_gap(tp, offset_from, offset_to - 1)


class Transport(FaustTransport):
    """Faust's transport with that consumer."""

    Consumer = Consumer


def block_of(records: Sequence[Any], *, ours: bool) -> bytes:
    """An Arrow stream of the rows of a batch, every record of which has to be readable."""
    read = pj.read_json(
        io.BytesIO(b"\n".join([record.value for record in records])),
        parse_options=pj.ParseOptions(explicit_schema=EVENT, unexpected_field_behavior="ignore"),
        read_options=pj.ReadOptions(use_threads=False, block_size=1 << 26),
    ).combine_chunks()
    data = read["data"].combine_chunks()
    position = data.field("position")
    classes = data.field("incident_class")
    pairs = zip(data.field("text").to_pylist(), classes.to_pylist(), strict=True)
    columns = {
        "id": read["id"],
        "at": read["time"].cast(pa.timestamp("ms", "UTC"), safe=False),
        "category": pa.array([category_of(text or "", known or "") for text, known in pairs]),
        "grid": data.field("grid"),
        "lon": position.field("lon"),
        "lat": position.field("lat"),
        "severity": data.field("severity"),
    }
    if ours:
        readings = data.field("readings")
        columns |= {name: data.field(name) for name in PLAIN}
        columns |= {
            "kind": pc.list_element(pc.split_pattern(read["type"], "."), 1),
            "source": read["source"],
            "incident_class": pc.fill_null(classes, "U00"),
            "metrics": _inner(readings, "metric"),
            "values": _inner(readings, "value"),
            "received_at": pa.array([record.timestamp for record in records], pa.timestamp("ms", "UTC")),
            "source_topic": pa.array([record.topic for record in records]),
            "source_partition": pa.array([record.partition for record in records], pa.uint16()),
            "source_offset": pa.array([record.offset for record in records], pa.uint64()),
        }
    else:
        columns["text"] = data.field("text")
    table = pa.table(columns)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue()


def whole_or_nothing(records: Sequence[Any], *, ours: bool) -> bytes:
    """The block with the collector paused. An agent of Faust that fails would leave its process waiting for ever."""
    gc.disable()
    try:
        return block_of(records, ours=ours)
    except pa.ArrowException:
        traceback.print_exc()
        os._exit(1)
    finally:
        gc.enable()


def _inner(lists: Any, name: str) -> Any:
    """One field of the structs in the lists; of nothing where there is no list."""
    return pa.ListArray.from_arrays(lists.offsets, lists.values.field(name), mask=pc.is_null(lists))


def main() -> None:
    """Work until `--events` records are in blocks; a JSON line at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--blocks", required=True)
    parser.add_argument("--topics", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--ours", action="store_true")
    asked = parser.parse_args()
    app = faust.App(
        f"{asked.blocks}.worker", broker=f"kafka://{asked.broker}", store="memory://", web_enabled=False, value_serializer="raw",
        topic_disable_leader=True, stream_wait_empty=False, consumer_auto_offset_reset="earliest", broker_max_poll_records=80_000,
        consumer_max_fetch_size=10 << 20, producer_max_request_size=8 << 20,
    )  # fmt: skip
    app.transport = Transport(app.conf.broker, app)
    topic = app.topic(*asked.topics.split(","), value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
    state: dict[str, float] = {}

    @app.agent(topic, concurrency=1)
    async def work(stream: Any) -> None:
        done = 0
        async for event in stream.noack().events():
            if not state:
                state.update(at=time.time(), cpu=sum(os.times()[:2]))
            records = event.value
            for start in range(0, len(records), ROWS):
                value = whole_or_nothing(records[start : start + ROWS], ours=asked.ours)
                await app.producer.send_and_wait(
                    asked.blocks, None, value, partition=event.message.partition, timestamp=None, headers=None
                )
            event.ack()
            done += len(records)
            if done >= asked.events:
                finish(state)

    sys.argv = ["faust", "worker", "-l", "warn", "--without-web"]
    app.main()


def finish(state: dict[str, float]) -> None:
    """Say when it began and what it cost, and leave Faust alone."""
    figures = {"at": state["at"], "cpu_seconds": sum(os.times()[:2]) - state["cpu"]}
    os.write(1, json.dumps(figures).encode() + b"\n")  # Faust takes sys.stdout for its log
    os._exit(0)


if __name__ == "__main__":
    main()
