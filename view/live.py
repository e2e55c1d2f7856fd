"""`/live`: server-sent events. One producer asks, serialises once, and hands the same bytes to every client of a channel.

A channel is what one kind of token may see: scope and duty. Its ring holds the last changes under rising ids, so that a
client that comes back with Last-Event-ID gets what it missed, or `reset` when that is gone. A change is a difference of two
states, so a tick that failed or that nobody listened to loses nothing. A client whose queue is full is dropped: it comes
back and is told what it missed, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from schemas import metrics
from schemas.errors import CitybrainError
from view import alerts
from view.answers import dumps
from view.asked import AreaLevel
from view.days import PublishedDays
from view.parts import Parts, Pulse
from view.state import Asked, state
from view.who import Scope, Who
from view.windows import Window, text

log = logging.getLogger(__name__)
RING: Final = 600
QUEUE: Final = 16
TICK_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 10.0
SEND_SECONDS: Final = 20.0
MOST_CHANNELS: Final = 256
OVERLAP: Final = timedelta(seconds=3)
"""Looked back again each tick: rows of one insert become visible a moment after the time they carry."""
MOST_CASES: Final = 200


@dataclass(eq=False)
class Client:
    """One open stream."""

    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    pump: asyncio.Task[None] | None = None
    sending_since: float | None = None
    """By the loop's clock; None: it waits for us."""

    def give(self, message: bytes) -> bool:
        """Hand on a message; False: too slow, and dropped."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.leave()
            return False
        return True

    def leave(self) -> None:
        """End the stream."""
        if self.pump:
            self.pump.cancel()


@dataclass(eq=False)
class Channel:
    """What all clients with the same scope and duty get."""

    who: Who
    ring: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=RING))
    number: int = 0
    clients: set[Client] = field(default_factory=set)
    known: dict[str, Any] | None = None
    seen: deque[tuple[Any, ...]] = field(default_factory=lambda: deque(maxlen=4000))
    since: Any = None
    alerts: int = 0


class Hub:
    """All channels, and the producer."""

    def __init__(self, parts: Parts, days: PublishedDays, tick_seconds: float = TICK_SECONDS) -> None:
        self._parts, self._days, self._tick = parts, days, tick_seconds
        self._boot = secrets.token_hex(4)
        self._channels: OrderedDict[tuple[Scope, bool], Channel] = OrderedDict()
        self.dropped = 0
        self.closed = False

    def channels(self) -> list[Channel]:
        """All channels there are."""
        return list(self._channels.values())

    async def run(self) -> None:
        """Ask every tick until cancelled. A store that does not answer is asked again: clients see that beats stay away."""
        beat_at = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            try:
                pulse = await asyncio.to_thread(self._parts.look)
                for channel in list(self._channels.values()):
                    if channel.clients and (channel.known is None or channel.known["seq"] != pulse.seq):
                        self.send(channel, await asyncio.to_thread(self.advance, channel, pulse))
                self.drop_stuck(clock())
                metrics.VIEW_STREAMS.set(sum(len(channel.clients) for channel in self._channels.values()))
                if clock() - beat_at >= BEAT_SECONDS:
                    beat_at = clock()
                    self._beat(pulse)
            except CitybrainError as error:
                log.warning("no tick: %s", error)
            except Exception:  # a defect of ours in one tick must not end the stream for ever; it is logged, beats stay away
                log.exception("a tick failed")
            await asyncio.sleep(self._tick)

    def drop_stuck(self, now: float) -> None:
        """Who takes longer than `SEND_SECONDS` for one message is gone, whether or not anybody noticed."""
        for channel in self._channels.values():
            stuck = [one for one in channel.clients if one.sending_since is not None and now - one.sending_since > SEND_SECONDS]
            for client in stuck:
                client.leave()
            channel.clients.difference_update(stuck)
            self._count_dropped(len(stuck))

    def close(self) -> None:
        """End every open stream: the server stops, and clients come back to the next one."""
        self.closed = True
        for channel in self._channels.values():
            for client in channel.clients:
                client.leave()

    def join(self, who: Who, last_id: str | None) -> tuple[Channel, Client]:
        """A new client: greeted, then given what it missed."""
        key = (who.scope, who.duty)
        channel = self._channels.setdefault(key, Channel(who))
        self._channels.move_to_end(key)
        if len(self._channels) > MOST_CHANNELS:
            idle = next((one for one, channel in self._channels.items() if not channel.clients and one != key), None)
            if idle:
                del self._channels[idle]
        client = Client(asyncio.Queue(RING + QUEUE))
        pulse = self._parts.last_pulse
        hello = {"seq": pulse.seq if pulse else 0, "as_of": pulse.as_of if pulse else None}
        client.give(_framed("hello", hello, f"{self._boot}.{channel.number}"))
        for message in self._missed(channel, last_id):
            client.give(message)
        client.queue = _shortened(client.queue)
        channel.clients.add(client)
        return channel, client

    def _missed(self, channel: Channel, last_id: str | None) -> list[bytes]:
        if not last_id:
            return []
        boot, _, number = last_id.partition(".")
        first = channel.ring[0][0] if channel.ring else channel.number + 1
        if boot != self._boot or not number.isdigit() or not first - 1 <= int(number) <= channel.number:
            return [_framed("reset", {"why": "what you missed is no longer kept; load /state again"})]
        return [message for at, message in channel.ring if at > int(number)]

    def advance(self, channel: Channel, pulse: Pulse) -> list[tuple[str, dict[str, Any]]]:
        """What changed since the channel's last state: (event, body). Asks the store, so not in the event loop."""
        window = Window.TWENTY_FOUR_HOURS if channel.who.duty else Window.DAY
        now = state(self._parts, self._days, pulse, channel.who, Asked(window, AreaLevel.GRID))
        before, since = channel.known, channel.since
        channel.known, channel.since = now, pulse.store_at
        if before is None:
            channel.alerts = pulse.alerts
            # Who loaded a state between `hello` and now would never hear of what changed in between.
            return [("reset", {"why": "the stream begins here; load /state again if yours is older", "seq": now["seq"]})]
        found = _difference(before, now, duty=channel.who.duty)
        told = alerts.changed_since(self._parts, channel.who, since - OVERLAP) if pulse.alerts != channel.alerts else []
        channel.alerts = pulse.alerts
        found += [("alert", row) for row in told if self._new(channel, "alert", row["id"], row["version"])]
        if channel.who.duty:
            found += [("case", row) for row in self._cases(channel, since)]
        return found

    def _cases(self, channel: Channel, since: Any) -> list[dict[str, Any]]:
        inside = channel.who.scope.condition()
        rows = self._parts.ask(
            "SELECT case_id AS case, stage, at, incident_class, grid FROM events WHERE stored_at >= {since:DateTime64(3, 'UTC')} "
            f"AND case_id != '' AND {inside.sql} ORDER BY stored_at DESC, case, stage LIMIT {{most:UInt32}}",
            {"since": text(since - OVERLAP), "most": MOST_CASES} | inside.parameters,
        )
        return [row for row in reversed(rows) if self._new(channel, "case", row["case"], row["stage"])]

    @staticmethod
    def _new(channel: Channel, *what: Any) -> bool:
        if what in channel.seen:
            return False
        channel.seen.append(what)
        return True

    def send(self, channel: Channel, messages: list[tuple[str, dict[str, Any]]]) -> None:
        """Number, keep and hand out. Serialised once, whatever the number of clients; a tick is one piece of a queue."""
        piece = []
        for event, body in messages:
            channel.number += 1
            piece.append(_framed(event, body, f"{self._boot}.{channel.number}"))
            channel.ring.append((channel.number, piece[-1]))
        if piece:
            self._give(channel, b"".join(piece))

    def _give(self, channel: Channel, message: bytes) -> None:
        slow = [client for client in channel.clients if not client.give(message)]
        channel.clients.difference_update(slow)
        self._count_dropped(len(slow))

    def _count_dropped(self, clients: int) -> None:
        self.dropped += clients
        metrics.VIEW_DROPPED.inc(clients)

    def _beat(self, pulse: Pulse) -> None:
        message = _framed("beat", {"seq": pulse.seq, "as_of": pulse.as_of})
        for channel in self._channels.values():
            self._give(channel, message)


def _difference(before: dict[str, Any], now: dict[str, Any], *, duty: bool) -> list[tuple[str, dict[str, Any]]]:
    """Cells that changed, as [area, category, level, n] by index. Published days change seldom, and then as a whole."""
    if not duty:
        same = all(before[name] == now[name] for name in ("window", "n", "masked"))
        return [] if same else [("reset", {"why": "another day is published; load /state again", "seq": now["seq"]})]
    cells = [
        [row, column, now["level"][row][column], n]
        for row, counts in enumerate(now["n"])
        for column, n in enumerate(counts)
        if n != before["n"][row][column] or now["level"][row][column] != before["level"][row][column]
    ]
    return [("delta", {"seq": now["seq"], "as_of": now["as_of"], "window": now["window"], "d": cells})] if cells else []


def _framed(event: str, body: dict[str, Any], number: str | None = None) -> bytes:
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {event}\ndata: ".encode() + dumps(body) + b"\n\n"


def _shortened(queue: asyncio.Queue[bytes]) -> asyncio.Queue[bytes]:
    """The same content with room for `QUEUE` more: what a client missed does not make it slow."""
    short: asyncio.Queue[bytes] = asyncio.Queue(queue.qsize() + QUEUE)
    while not queue.empty():
        short.put_nowait(queue.get_nowait())
    return short
