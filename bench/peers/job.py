"""The job of every peer, and the store it fills: chDB in the peer's own process.

Runs in the environments of the peers: nothing of City brain may be imported here.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import ahocorasick
import clickhouse_connect
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bench.peers.lexicon import LEXICON
from bench.peers.tables import counted, make_tables

COLUMNS: Final = ["id", "at", "category", "grid", "lon", "lat", "severity", "text"]
BATCH: Final = 5_000
"""Rows of an insert, where the peer lets us choose."""
WORDLESS: Final = {"D": "disputes", "O": "public_order", "S": "public_safety", "C": "cyber", "P": "public_institution"}
"""Category by the first letter of a class that the source knows already."""


class Position(BaseModel):
    """WGS-84, degrees."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class Reading(BaseModel):
    """One measured value."""

    metric: str = Field(min_length=1, max_length=64)
    value: float = Field(allow_inf_nan=False)


class Payload(BaseModel):
    """What any kind of event may say."""

    text: str = Field("", max_length=4000)
    grid: str = ""
    position: Position | None = None
    severity: int = Field(0, ge=0, le=4)
    incident_class: str = ""
    readings: list[Reading] = []


class Event(BaseModel):
    """A CloudEvent in structured mode."""

    specversion: str = Field(pattern=r"^1\.0$")
    id: str = Field(min_length=1, max_length=200)
    source: str
    type: str
    time: datetime
    data: Payload


EVENT: Final = TypeAdapter(Event)


class Asked(NamedTuple):
    """What the peer was asked for."""

    broker: str
    topics: list[str]
    events: int
    store: Path


def asked() -> Asked:
    """From the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", required=True, help="host:port")
    parser.add_argument("--topics", required=True, help="comma separated")
    parser.add_argument("--events", type=int, required=True, help="end after so many")
    parser.add_argument("--store", type=Path, required=True, help="folder of the chDB store")
    found = parser.parse_args()
    return Asked(found.broker, found.topics.split(","), found.events, found.store)


def _automaton() -> Any:
    words = ahocorasick.Automaton()
    for category, terms in LEXICON.items():
        for term in terms:
            words.add_word(term, category)
    words.make_automaton()
    return words


WORDS: Final = _automaton()


def category_of(text: str, incident_class: str) -> str:
    """The category with most hits; without a text that of the class that the source gave."""
    if not text:
        return WORDLESS.get(incident_class[:1], "unclassified")
    hits: dict[str, int] = {}
    for _, category in WORDS.iter(text):
        hits[category] = hits.get(category, 0) + 1
    return max(hits, key=lambda category: hits[category]) if hits else "unclassified"


def row_of(value: bytes) -> tuple[Any, ...] | None:
    """A row of COLUMNS, or None for a record that cannot be read."""
    try:
        event = EVENT.validate_json(value)
    except ValidationError:
        return None
    data = event.data
    lon, lat = (data.position.lon, data.position.lat) if data.position else (0.0, 0.0)
    return (event.id, event.time, category_of(data.text, data.incident_class), data.grid, lon, lat, data.severity, data.text)


class Counted:
    """A table and counts per minute, category and grid, filled by a view. Ends the process after `events` records."""

    def __init__(self, name: str, library: str, asked: Asked) -> None:
        self._name, self._library, self._asked = name, library, asked
        self.client = clickhouse_connect.get_client(interface="chdb", path=str(asked.store))
        make_tables(self.client)
        self._taken = 0
        self._started: float | None = None
        self._cpu = 0.0

    def begin(self) -> None:
        """The first record is in hand. Does nothing later on."""
        if self._started is None:
            self._started, self._cpu = time.perf_counter(), sum(os.times()[:2])

    def insert(self, rows: Sequence[tuple[Any, ...] | None]) -> None:
        """Store a batch; what could not be read is None and counts as taken."""
        good = [row for row in rows if row is not None]
        if good:
            self.client.insert("events", good, column_names=COLUMNS)
        self._taken += len(rows)
        if self._taken >= self._asked.events:
            self.end()

    def end(self) -> NoReturn:
        """Print the figures, and leave whatever threads the framework has."""
        seconds = time.perf_counter() - (self._started or 0.0)
        report(self._name, self._library, self._taken, seconds, sum(os.times()[:2]) - self._cpu, counted(self.client))


def report(name: str, library: str, events: int, seconds: float, cpu_seconds: float, rows: int) -> NoReturn:
    """One JSON line; `rows` is what the counts add up to."""
    figures = {
        "peer": name, "version": version(library), "events": events, "counted": rows, "seconds": round(seconds, 3),
        "events_per_second": round(events / seconds), "cpu_us": round(cpu_seconds / events * 1e6, 2),
    }  # fmt: skip
    os.write(1, json.dumps(figures).encode() + b"\n")  # Faust takes sys.stdout for its log
    os._exit(0)
