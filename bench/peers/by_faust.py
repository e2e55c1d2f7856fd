"""Faust as its documentation shows it: an agent, single events, `take` in front of the sink."""

from __future__ import annotations

import sys
import time
from typing import Any

import faust

from bench.peers.job import BATCH, Counted, asked, row_of

WANTED = asked()
SINK = Counted("faust", "faust-streaming", WANTED)
app = faust.App(
    f"peer-faust-{time.time():.0f}",
    broker=f"kafka://{WANTED.broker}",
    store="memory://",
    web_enabled=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    broker_max_poll_records=BATCH,
)
topic = app.topic(*WANTED.topics, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")


@app.agent(topic)
async def store(stream: Any) -> None:
    """Validate, classify and insert a batch."""
    async for values in stream.take(BATCH, within=0.5):
        SINK.begin()
        SINK.insert([row_of(value) for value in values])


if __name__ == "__main__":
    sys.argv = ["faust", "worker", "-l", "warn", "--without-web"]
    app.main()
