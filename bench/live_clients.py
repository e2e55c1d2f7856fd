"""Many open streams of the HTTP API in one process; prints how late messages came to each of them.

python -m bench.live_clients --url http://127.0.0.1:8080 --token SECRET --clients 500 --seconds 30
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import suppress
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import numpy as np
import orjson

AT_ONCE: Final = 50
"""Connections that are opened together: a listener's queue of waiting ones is short."""
SETTLE_SECONDS: Final = 3.0
"""After the last client has come; what came before is not counted."""


class Client:
    """One stream. `late`: seconds from when the store was asked to when the change was here."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.ended = False

    async def listen(self, url: str, token: str) -> None:
        """Until cancelled."""
        where = urlsplit(url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
        try:
            ask = f"GET /api/v1/live HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
            writer.write(ask.encode())
            event = b""
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    event = line[7:].strip()
                elif line.startswith(b"data: ") and event == b"delta":
                    arrived = time.time()
                    asked = datetime.fromisoformat(orjson.loads(line[6:])["as_of"]).timestamp()
                    self.late.append(arrived - asked)
            self.ended = True
        finally:
            writer.close()


async def measure(url: str, token: str, clients: int, seconds: float) -> dict[str, object]:
    """Open the streams, leave out what comes before all are there, listen."""
    streams = [Client() for _ in range(clients)]
    tasks = []
    for first in range(0, clients, AT_ONCE):
        tasks += [asyncio.create_task(stream.listen(url, token)) for stream in streams[first : first + AT_ONCE]]
        await asyncio.sleep(0.2)
    await asyncio.sleep(SETTLE_SECONDS)
    for stream in streams:
        stream.late.clear()
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    late = np.array([1000 * one for stream in streams for one in stream.late])
    got = [len(stream.late) for stream in streams]
    return {
        "clients": clients,
        "dropped": sum(stream.ended for stream in streams),
        "deltas_each": [min(got), max(got)],
        "late_ms": {f"p{share}": round(float(np.percentile(late, share)), 1) for share in (50, 95, 99)} if len(late) else None,
    }


def main() -> None:
    """Print one JSON line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--token", required=True)
    arguments.add_argument("--clients", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=30)
    asked = arguments.parse_args()
    print(orjson.dumps(asyncio.run(measure(asked.url, asked.token, asked.clients, asked.seconds))).decode())


if __name__ == "__main__":
    main()
