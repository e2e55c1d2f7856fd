"""Quix Streams: a dataframe a topic, and a batching sink."""

from __future__ import annotations

import time
from typing import Any

from quixstreams import Application
from quixstreams.sinks import BatchingSink

from bench.peers.job import Counted, asked, row_of

WANTED = asked()
SINK = Counted("quixstreams", "quixstreams", WANTED)


class _Sink(BatchingSink):
    def write(self, batch: Any) -> None:
        SINK.insert([item.value["row"] for item in batch])


def work(value: bytes) -> dict[str, Any]:
    """One row; a record that cannot be read is a row too, of nothing."""
    SINK.begin()
    return {"row": row_of(value)}


def main() -> None:
    """Run until the sink has seen every event."""
    app = Application(
        broker_address=WANTED.broker,
        consumer_group=f"peer-quix-{time.time():.0f}",
        auto_offset_reset="earliest",
        loglevel="ERROR",
        commit_every=20_000,
    )
    sink = _Sink()
    for name in WANTED.topics:
        topic = app.topic(name, value_deserializer="bytes", key_deserializer="bytes")
        app.dataframe(topic).apply(work).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
