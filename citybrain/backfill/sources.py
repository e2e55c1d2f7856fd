"""What history is read from. A source is to the ledger what a topic is: an id of its own, a partition a kind, an offset a record.

The id is made from the content, so the same file under another name is the same source, and a changed one is another.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol, get_args

import orjson
import pyarrow as pa

from ingest.city import build_city
from ingest.city.history import history, long_plan
from ingest.events_of import Counts, check_file, numbered_events
from ingest.files import open_bytes
from ingest.mapping import Mapping as Columns
from ingest.outgoing import encode
from schemas.events import EVENT_TYPES, Kind

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Their places are the partitions of a source."""
KIND_OF: Final[dict[str, Kind]] = {name: kind for kind, name in EVENT_TYPES.items()}
AT_ONCE: Final = 5_000
NAMESPACE: Final = uuid.UUID("5f0f5c0e-3a53-4d1b-9a0e-6a5a1f3d9b10")


class Records(NamedTuple):
    """Records of one kind: their numbers in the source, from 1 and ascending, and the events as CloudEvents."""

    kind: Kind
    offsets: Sequence[int]
    values: pa.BinaryArray


class Source(Protocol):
    """Gives the same records at every reading."""

    @property
    def name(self) -> str:
        """As the ledger shows it."""

    @property
    def topic_id(self) -> str:
        """A UUID by what is in it."""

    @property
    def expected(self) -> int | None:
        """Records, if that is known without reading."""

    def records(self, after: Mapping[Kind, int]) -> Iterator[Records]:
        """All records of each kind behind number `after[kind]`."""


@dataclass(frozen=True)
class City:
    """The simulated city without faults: at least `events` records over `days` days before the midnight `end`."""

    seed: int
    end: datetime
    days: int
    events: int

    @property
    def name(self) -> str:
        """Seed and days."""
        return f"city {self.seed}, {self.days} days before {self.end:%Y-%m-%d}"

    @property
    def topic_id(self) -> str:
        """By its parameters: they decide every byte."""
        return str(uuid.uuid5(NAMESPACE, f"{self.seed} {self.end.isoformat()} {self.days} {self.events}"))

    @property
    def expected(self) -> int | None:
        """At least as many as asked for."""
        return self.events

    def records(self, after: Mapping[Kind, int]) -> Iterator[Records]:
        """Day by day."""
        for run in history(long_plan(build_city(self.seed), self.end, self.days, self.events), after):
            yield Records(run.kind, range(run.first, run.first + len(run.values)), run.values)


@dataclass(frozen=True)
class _File:
    """What every file is as a source: nobody has counted what it holds."""

    path: Path
    topic_id: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.path.name

    @property
    def expected(self) -> int | None:
        """Not known before it is read."""
        return None


@dataclass(frozen=True)
class EventFile(_File):
    """A file with one CloudEvent a line (structured mode), also .gz or .zst. A line no kind claims is judged as a sensor's."""

    def records(self, after: Mapping[Kind, int]) -> Iterator[Records]:
        """In the order of the lines, blank ones left out."""
        with open_bytes(self.path) as lines:
            numbered = ((number, line.strip()) for number, line in enumerate(lines, 1))
            yield from _batched(((_kind_of(line), number, line) for number, line in numbered if line), after)


@dataclass(frozen=True)
class MappedFile(_File):
    """A CSV, NDJSON or Parquet file read by a mapping (docs/mappings.md)."""

    mapping: Columns

    def records(self, after: Mapping[Kind, int]) -> Iterator[Records]:
        """In the order of the rows."""
        kind = self.mapping.kind
        events = numbered_events(self.mapping, self.path, Counts(), after=after[kind])
        yield from _batched(((kind, number, encode(event).value) for number, event in events), after)


def file_source(path: Path, mapping: Columns | None) -> Source:
    """A file as a source. BadMapping at once when mapping and file do not fit."""
    with path.open("rb") as content:
        topic_id = str(uuid.UUID(hashlib.file_digest(content, "sha256").hexdigest()[:32]))
    if mapping is None:
        return EventFile(path, topic_id)
    check_file(mapping, path)
    return MappedFile(path, topic_id, mapping)


def _batched(records: Iterator[tuple[Kind, int, bytes]], after: Mapping[Kind, int]) -> Iterator[Records]:
    waiting: dict[Kind, tuple[list[int], list[bytes]]] = {}
    for kind, number, value in records:
        if number <= after[kind]:
            continue
        offsets, values = waiting.setdefault(kind, ([], []))
        offsets.append(number)
        values.append(value)
        if len(offsets) >= AT_ONCE:
            yield _of(kind, *waiting.pop(kind))
    for kind, (offsets, values) in waiting.items():
        yield _of(kind, offsets, values)


def _of(kind: Kind, offsets: list[int], values: list[bytes]) -> Records:
    return Records(kind, offsets, pa.array(values, pa.binary()))


def _kind_of(line: bytes) -> Kind:
    try:
        return KIND_OF.get(orjson.loads(line)["type"], KINDS[0])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return KINDS[0]
