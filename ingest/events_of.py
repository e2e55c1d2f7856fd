"""Rows of a file to events, by a mapping. What is left out, changed or unknown on the way is counted, never hidden."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ingest.coordinates import to_wgs84
from ingest.files import Row, read_rows
from ingest.mapping import ROW, Cell, Classes, Mapping, Position, ReadingOf, Time
from ingest.outgoing import Outgoing
from schemas.errors import BadMapping
from schemas.events import EPOCH

LONGEST_TEXT: Final = 4000
"""Characters of a text the payload takes; the rest is cut here and counted."""

Cells = dict[str, Any]


@dataclass(slots=True)
class Counts:
    """What did not become an event, what was changed, and which codes the mapping's table does not know.

    left_out   row_of_other_width, row_not_json, time_not_readable, no_id
    altered    text_cut, time_in_dst_gap (moved on one hour), time_twice_in_dst (taken as the first)
    """

    left_out: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)


def iter_events(mapping: Mapping, path: Path, counts: Counts | None = None) -> Iterator[Outgoing]:
    """Every event of a file, in file order. BadMapping when the file is not what the mapping says."""
    return (event for _, event in numbered_events(mapping, path, counts or Counts()))


def numbered_events(mapping: Mapping, path: Path, counts: Counts, after: int = 0) -> Iterator[tuple[int, Outgoing]]:
    """The same with row numbers, for rows after row `after`; earlier ones are neither read closely nor counted."""
    build = _Builder(mapping, path, counts)
    for row in read_rows(path, delimiter=mapping.delimiter, encoding=mapping.encoding):
        if row.number == 1:
            _check_columns(mapping, path, row.cells)
        if row.number > after and (event := build(row)):
            yield row.number, event


def check_file(mapping: Mapping, path: Path) -> None:
    """Read the first row: BadMapping at once, before anything is sent, when mapping and file do not fit."""
    next(numbered_events(mapping, path, Counts()), None)


def cell_reader(cell: Cell) -> Callable[[Cells], str | None]:
    """A function from a row to the value the cell names, None when absent."""
    patterns = [re.compile(pattern) for pattern in cell.patterns]
    absent = frozenset(cell.empty)
    if len(cell.columns) == 1 and not patterns:
        column = cell.columns[0]

        def read_one(cells: Cells) -> str | None:
            text = _text(cells.get(column))
            return text if text and text not in absent else None

        return read_one

    def read(cells: Cells) -> str | None:
        parts = [text for column in cell.columns if (text := _text(cells.get(column))) and text not in absent]
        whole = cell.join.join(parts)
        if not patterns:
            return whole or None
        for pattern in patterns:
            if found := pattern.search(whole):
                return found.group(1 if pattern.groups else 0) or None
        return None

    return read


def classifier(classes: Classes) -> Callable[[str], str | None]:
    """A function from a code to its class, None when the table does not list it. It remembers its answers."""
    exact = {_plain(code): incident_class for code, incident_class in classes.exact.items()}
    patterns = [(re.compile(pattern.match, re.IGNORECASE), pattern.to) for pattern in classes.patterns]
    known: dict[str, str | None] = {}

    def find(code: str) -> str | None:
        if code not in known:
            plain = _plain(code)
            by_pattern = (incident_class for pattern, incident_class in patterns if pattern.fullmatch(plain))
            known[code] = exact.get(plain) or next(by_pattern, None)
        return known[code]

    return find


class _Builder:
    """Builds the events of one file."""

    def __init__(self, mapping: Mapping, path: Path, counts: Counts) -> None:
        self._mapping, self._file, self._counts = mapping, path.name, counts
        self._fields = [(name, cell_reader(cell)) for name, cell in mapping.fields.items()]
        self._class_of = classifier(mapping.classes)
        self._time = _clock(mapping.at)

    def __call__(self, row: Row) -> Outgoing | None:
        if row.problem:
            self._counts.left_out[row.problem] += 1
            return None
        event_id = f"{self._file}#{row.number}" if self._mapping.id == ROW else _text(row.cells.get(self._mapping.id))
        if not event_id:
            self._counts.left_out["no_id"] += 1
            return None
        at, altered = self._time(row.cells)
        if at is None:
            self._counts.left_out["time_not_readable"] += 1
            return None
        if altered:
            self._counts.altered[altered] += 1
        return Outgoing(self._mapping.kind, self._mapping.source, event_id, at, self._data(row.cells))

    def _data(self, cells: Cells) -> dict[str, Any]:
        data: dict[str, Any] = dict(self._mapping.constants)
        for name, read in self._fields:
            if (value := read(cells)) is not None:
                data[name] = value
        if len(data.get("text", "")) > LONGEST_TEXT:
            data["text"] = data["text"][:LONGEST_TEXT]
            self._counts.altered["text_cut"] += 1
        if "severity" in data:
            data["severity"] = _number(data["severity"], whole=True)
        if (code := data.get("code")) is not None:
            if incident_class := self._class_of(code):
                data["incident_class"] = incident_class
            else:
                self._counts.unmapped[code] += 1
        if self._mapping.position and (position := _position(self._mapping.position, cells)):
            data["position"] = position
        if self._mapping.readings:
            data["readings"] = [reading for wanted in self._mapping.readings if (reading := _reading(wanted, cells))]
        return data


def _clock(time: Time) -> Callable[[Cells], tuple[datetime | None, str]]:
    """A function from a row to the instant in UTC (None when the cells cannot be read as one) and what was altered, or "".

    Files repeat their times, by the hour or by the station: what was read is remembered.
    """
    zone = ZoneInfo(time.zone) if time.zone else None
    first = time.columns[0] if len(time.columns) == 1 else None

    @lru_cache(maxsize=65_536)
    def instant(text: str) -> tuple[datetime | None, str]:
        try:
            return _instant(_parse(text, time.format), zone)
        except (ValueError, OverflowError):
            return None, ""

    def read(cells: Cells) -> tuple[datetime | None, str]:
        value = cells.get(first) if first else " ".join(_text(cells.get(column)) for column in time.columns)
        if isinstance(value, datetime):  # Parquet has times
            return _instant(value, zone)
        return instant(_text(value))

    return read


def _instant(local: datetime, zone: ZoneInfo | None) -> tuple[datetime | None, str]:
    if local.tzinfo:
        return local.astimezone(UTC), ""
    if zone is None:
        return None, ""
    early, late = local.replace(tzinfo=zone).utcoffset(), local.replace(tzinfo=zone, fold=1).utcoffset()
    if early is None or late is None:
        return None, ""
    # Where the two readings differ the clock changed: forward leaves a gap, back gives an hour twice.
    altered = "" if early == late else "time_in_dst_gap" if early < late else "time_twice_in_dst"
    return (local - early).replace(tzinfo=UTC), altered


def _parse(text: str, how: str) -> datetime:
    match how:
        case "iso":
            return datetime.fromisoformat(text)
        case "epoch_s":
            return EPOCH + timedelta(seconds=float(text))
        case "epoch_ms":
            return EPOCH + timedelta(milliseconds=int(text))
        case _:
            return datetime.strptime(text, how)  # noqa: DTZ007 - the mapping's zone follows


def _position(position: Position, cells: Cells) -> dict[str, Any] | None:
    """Both numbers, or nothing when one is empty. What is no number goes on as it is: the worker rejects it and says why."""
    lon, lat = _number(cells.get(position.lon)), _number(cells.get(position.lat))
    if lon is None or lat is None:
        return None
    if position.system != "wgs84" and isinstance(lon, float) and isinstance(lat, float):
        x, y = to_wgs84(lon, lat, position.system)
        return {"lon": float(x), "lat": float(y)}
    return {"lon": lon, "lat": lat}


def _reading(wanted: ReadingOf, cells: Cells) -> dict[str, Any] | None:
    cell = cells.get(wanted.column)
    if cell == "":
        return None
    value = cell if isinstance(cell, str) and cell and not cell.strip() else _number(cell)  # a blank is no gap
    if value is None:
        return None
    if wanted.unit:
        return {"metric": wanted.metric, "value": value, "unit": wanted.unit}
    return {"metric": wanted.metric, "value": value}


def _number(cell: Any, *, whole: bool = False) -> Any:
    """A float (or int), None for an empty cell, and the cell itself when it is no finite number."""
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None if isinstance(cell, str) and not cell.strip() else cell
    if not math.isfinite(number) or (isinstance(cell, str) and "_" in cell):  # Python would read 1_000
        return str(cell)
    return int(number) if whole and number.is_integer() else number


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell.strip()
    return "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell)


def _plain(code: str) -> str:
    return " ".join(code.split()).casefold()


def _check_columns(mapping: Mapping, path: Path, cells: Cells) -> None:
    missing = sorted(mapping.needed_columns() - set(cells))
    lines = path.name.lower().removesuffix(".gz").removesuffix(".zst").endswith((".ndjson", ".jsonl"))
    if missing and not lines:  # an absent key of a JSON line is an empty cell
        raise BadMapping(f"{path}: columns {missing} are missing; got {sorted(cells)}; is it the right mapping, or delimiter?")
