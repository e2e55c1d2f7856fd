"""What is measured with: records of the simulated city, in a known number, always the same for the same day and seed.

mixed   what the city sends: sensors, calls and grid reports with their life-cycles, a few of them sent twice
text    calls and grid reports that say what happened in words alone: no class and no code, so that every text is read
bad     mixed, with one record in a hundred broken on purpose (`ingest/city/faults.py`); the others have none

Every text begins with a number of its own, for people never write the same text twice, and a city of templates does.

    python -m bench.traffic --broker 127.0.0.1:9092 --traffic mixed --events 100000

sends them; two processes share the work with --shard 0/2 and --shard 1/2. With --rate they are sent evenly, else at once.
The last line is what was sent and what it cost, JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Final, Literal, get_args

import orjson

from ingest.city import City, build_city, faults, make_plan
from ingest.city.cases import WHOLE, Shard
from ingest.city.plan import Plan, merged
from ingest.city.sensors import Fleet
from ingest.outgoing import Outgoing, Wire, encode
from ingest.producer import EventProducer
from schemas.events import Kind
from schemas.kafka_options import Broker

Traffic = Literal["mixed", "text", "bad"]
SEED: Final = 1
BAD_SHARE: Final = 0.01
FEWEST_REPORTS_A_DAY: Final = 3_000
"""The city makes more reports with a text than this on any day."""
TEXT: Final = b'"data":{"text":"'
"""How the data of a report begins."""
BROKEN: Final = b"/broken\n"
"""How the keys of records begin that are broken on purpose."""
PADDED: Final = b'{"padding":"'
SHORTEST_WAIT_SECONDS: Final = 0.002
TELLING: Final = ("incident_class", "code")
"""Fields that say a class without any text being read."""


def wires(traffic: Traffic, events: int, shard: Shard = WHOLE, least_bytes: int = 0) -> Iterator[Wire]:
    """This shard's part of `events` records, in the order of time, each made at least so long by a field nobody reads."""
    city, midnight = build_city(SEED), yesterday()
    share = events // shard.of + (shard.number < events % shard.of)
    match traffic:
        case "mixed":
            found = _mixed(city, midnight, events, shard)
        case "bad":
            found = _spoilt(_mixed(city, midnight, events, shard), midnight)
        case "text":
            found = map(encode, _told_in_words(city, midnight, events, shard))
    numbered = islice(map(_numbered, found), share)
    return (_longer(wire, least_bytes) for wire in numbered) if least_bytes else numbered


def yesterday() -> datetime:
    """Its midnight: the last day of the traffic is over when it is sent, for no event may lie ahead of its arrival."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def _numbered(wire: Wire) -> Wire:
    """A repeat has the number of its original, or it would be a conflict."""
    if TEXT not in wire.value:
        return wire
    return wire._replace(value=wire.value.replace(TEXT, TEXT + f"编号{wire.key[-5:].decode()}，".encode()))


def _longer(wire: Wire, least_bytes: int) -> Wire:
    missing = least_bytes - len(wire.value) - len(PADDED) - 2
    if missing <= 0 or not wire.value.startswith(b"{"):
        return wire
    return wire._replace(value=PADDED + b"x" * missing + b'",' + wire.value[1:])


def _mixed(city: City, midnight: datetime, events: int, shard: Shard) -> Iterator[Wire]:
    plan = make_plan(city, midnight, events + events // 20)  # shards are not alike; some is left over
    everything = chain.from_iterable(merged(plan, played=played, shard=shard) for played in (False, True))
    return (wire for wire in everything if not wire.key.startswith(BROKEN))


def _spoilt(good: Iterator[Wire], midnight: datetime) -> Iterator[Wire]:
    """A broken record after so many that BAD_SHARE of all are broken."""
    for number, wire in enumerate(good, 1):
        yield wire
        if not number % round(1 / BAD_SHARE - 1):
            yield faults.broken(wire.kind, number, midnight)


def _told_in_words(city: City, midnight: datetime, events: int, shard: Shard) -> Iterator[Outgoing]:
    days = events // FEWEST_REPORTS_A_DAY + 1
    plan = Plan(city, midnight - timedelta(days=days), days, Fleet((), 60), [])
    kinds: tuple[Kind, ...] = ("police", "grid")
    for event in plan.events(0, days + 1, kinds, shard):
        if event.data.get("text"):
            yield event._replace(data={name: value for name, value in event.data.items() if name not in TELLING})


def main() -> None:
    """Send one shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True, help="host:port")
    parser.add_argument("--traffic", choices=get_args(Traffic), default="mixed")
    parser.add_argument("--events", type=int, default=100_000, help="of all shards together")
    parser.add_argument("--shard", default="0/1", help="number/of")
    parser.add_argument("--rate", type=int, default=0, help="events a second of this shard; 0: at once")
    parser.add_argument("--least-bytes", type=int, default=0, help="make shorter records so long")
    asked = parser.parse_args()
    number, of = map(int, asked.shard.split("/"))
    records = wires(asked.traffic, asked.events, Shard(number, of), asked.least_bytes)
    waiting = list(records) if asked.rate else records  # what is paced is made before the clock runs
    with EventProducer(Broker(bootstrap=asked.broker)) as producer:
        started, cpu = time.time(), time.process_time()
        for sent, wire in enumerate(waiting):
            if asked.rate and (wait := sent / asked.rate - (time.time() - started)) > SHORTEST_WAIT_SECONDS:
                time.sleep(wait)
            producer.send_wire(wire)
        producer.flush()
        told = {"started": started, "seconds": time.time() - started, "cpu_seconds": time.process_time() - cpu}
    print(orjson.dumps(told | {"sent": producer.sent, "delivered": producer.delivered, "failed": producer.failed}).decode())
    if producer.failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
