"""The answer of `/live`: sends what the hub hands over until the client leaves or is too slow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from view.live import Client, Hub
from view.who import Who

LAST_SECONDS: Final = 0.5
"""For the end of a stream when the server stops."""
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Connection": "keep-alive",
}  # fmt: skip


class LiveResponse(Response):
    """A stream of one client."""

    def __init__(self, hub: Hub, who: Who, last_id: str | None) -> None:
        super().__init__(status_code=200, headers=HEADERS)
        self._hub, self._who, self._last_id = hub, who, last_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an ASGI application
        """Until the client leaves, is dropped, or the server stops."""
        channel, client = self._hub.join(self._who, self._last_id)
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            client.pump = asyncio.create_task(_pump(client, send))
            leaving = asyncio.create_task(_gone(receive))
            await _first([client.pump, leaving])
            if self._hub.closed:
                await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), LAST_SECONDS)
        finally:
            channel.clients.discard(client)


async def _pump(client: Client, send: Send) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        message = await client.queue.get()
        client.sending_since = clock()
        await send({"type": "http.response.body", "body": message, "more_body": True})
        client.sending_since = None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Wait for the first to end, end the others."""
    tasks = list(tasks)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
