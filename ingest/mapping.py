"""What a mapping file says: how rows of one source become events. YAML, checked whole before a row is read.

A mapping names columns and values, it holds no code. `docs/mappings.md` walks through one; the shipped ones lie in
`ingest/mappings/`. Field names are the payload's (`schemas.events`), so person fields cannot be named at all.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ingest.coordinates import System
from schemas import strict_yaml
from schemas.errors import BadMapping
from schemas.events import EVENT_MODELS, IncidentClassCode, Kind, Payload, ShortText

ROW: Final = "row"
BUILT: Final = frozenset({"position", "incident_class", "readings"})
"""Payload fields that have sections of their own."""

Difference: TypeAlias = Literal["time_in_dst_gap", "cell_not_a_number", "id_used_before", "point_in_other_area", "text_cut"]
"""Why counts of a set may differ from a recount of its file: the closed list. What each means:

time_in_dst_gap      the local time never was (clocks went forward over it); it counts one hour later
cell_not_a_number    a reading is no number; the worker rejects the event
id_used_before       the source gives one id to two rows; the first counts
point_in_other_area  coordinates lie in another polygon than the one the row names; coordinates count
text_cut             a text is longer than an event may hold; the class is decided by what is left
"""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        message = f"wanted a regular expression: {error}"
        raise ValueError(message) from error
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a name may be too long for a file, or that of a folder
        message = "wanted an IANA time zone, as Asia/Shanghai"
        raise ValueError(message) from error
    return name


Pattern = Annotated[str, AfterValidator(_pattern)]
Zone = Annotated[str, AfterValidator(_zone)]
CountyCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cell(_Part):
    """Where a value comes from. Short form in YAML: just the column's name.

    Several columns are joined; `patterns` are tried in order and the first that is found gives the value (its first
    group, else all of it); values in `empty`, and blank ones, are absent. `optional` columns may be missing in a file.
    """

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    join: str = " "
    patterns: tuple[Pattern, ...] = ()
    empty: tuple[str, ...] = ()
    optional: bool = False


def _cell(value: Any) -> Any:
    return {"columns": [value]} if isinstance(value, str) else value


ACell = Annotated[Cell, BeforeValidator(_cell)]


class Time(_Part):
    """When it happened. `format` is `iso`, `epoch_s`, `epoch_ms`, or one of Python's strptime.

    `zone` reads times that carry no offset. A local time that never was (clocks went forward over it) is moved on by the
    hour that was left out; one that was twice is taken as the first. Both are counted and shown.
    """

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    format: str = "iso"
    zone: Zone | None = None


class Position(_Part):
    """Coordinates in degrees; gcj02 and bd09 are converted to WGS-84 here, at the edge."""

    lon: str
    lat: str
    system: System = "wgs84"


class PatternClass(_Part):
    """A regular expression that has to match the whole code (letter case ignored), and its class."""

    match: Pattern
    to: IncidentClassCode


class NoClass(_Part):
    """A regular expression of codes that are none of our classes, and why. They go on without a class, and are no gap."""

    match: Pattern
    why: Annotated[str, Field(min_length=5)]


class Classes(_Part):
    """The source's codes and their incident classes: `exact` first, then `patterns` in order.

    Letter case and runs of blanks do not matter. A code that is not listed goes on without a class: the worker decides.
    Codes in `none` do so too, but somebody looked at them.
    """

    exact: dict[str, IncidentClassCode] = {}
    patterns: tuple[PatternClass, ...] = ()
    none: tuple[NoClass, ...] = ()


class ReadingOf(_Part):
    """A column that holds one metric. Empty cells are left out; a cell that is no number is sent for the worker to reject."""

    column: str
    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    unit: Annotated[str, Field(max_length=20)] | None = None


class PlacesByName(_Part):
    """One grid for each distinct `place` of the files; towns and communities are found in the name by patterns."""

    by: Literal["place"]
    county: CountyCode
    banner: str
    town: Pattern | None = None
    community: Pattern | None = None


class PlacesByGeoJson(_Part):
    """One grid for each value of a property in a GeoJSON file that lies beside the data."""

    by: Literal["geojson"]
    county: CountyCode
    banner: str
    file: str
    name: str
    town: str | None = None
    community: str | None = None


class PlacesByLattice(_Part):
    """Rectangles of equal degrees over a box; a row of them is a town."""

    by: Literal["lattice"]
    county: CountyCode
    banner: str
    west: Annotated[float, Field(ge=-180, le=180)]
    south: Annotated[float, Field(ge=-90, le=90)]
    east: Annotated[float, Field(ge=-180, le=180)]
    north: Annotated[float, Field(ge=-90, le=90)]
    columns: Annotated[int, Field(ge=1, le=999)]
    rows: Annotated[int, Field(ge=1, le=999)]

    @model_validator(mode="after")
    def _a_box(self) -> Self:
        if self.west >= self.east or self.south >= self.north:
            message = f"wanted west < east and south < north, got {self.west}, {self.east}, {self.south}, {self.north}"
            raise ValueError(message)
        return self


PlacesOf: TypeAlias = Annotated[PlacesByName | PlacesByGeoJson | PlacesByLattice, Field(discriminator="by")]


class Mapping(_Part):
    """A whole mapping. `id` is `row` (file name and row number) or a column with the source's own id."""

    about: str
    kind: Kind
    source: ShortText
    time_zone: Zone
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8-sig"
    id: str = ROW
    at: Time
    position: Position | None = None
    fields: dict[str, ACell] = {}
    constants: dict[str, str | int] = {}
    classes: Classes = Classes()
    readings: tuple[ReadingOf, ...] = ()
    places: PlacesOf | None = None
    differences: dict[Difference, str] = {}

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        known = set(payload_of(self.kind).model_fields) - BUILT
        strange = sorted({*self.fields, *self.constants} - known)
        if strange:
            message = f"fields {strange} are none of a {self.kind} payload; wanted of {sorted(known)}"
            raise ValueError(message)
        if self.readings and self.kind != "sensor":
            message = f"readings belong to kind sensor, got kind {self.kind}"
            raise ValueError(message)
        return self

    def needed_columns(self) -> set[str]:
        """Columns every file of this mapping has to have."""
        needed = {*self.at.columns, *(reading.column for reading in self.readings)}
        needed |= {column for cell in self.fields.values() if not cell.optional for column in cell.columns}
        if self.position:
            needed |= {self.position.lon, self.position.lat}
        return needed if self.id == ROW else needed | {self.id}


def payload_of(kind: Kind) -> type[Payload]:
    """The payload model of a kind."""
    payload = EVENT_MODELS[kind].model_fields["data"].annotation
    assert isinstance(payload, type)  # noqa: S101 - narrows the type
    assert issubclass(payload, Payload)  # noqa: S101 - narrows the type
    return payload


def shipped_mappings() -> dict[str, str]:
    """Name and one line about each mapping in the package."""
    names = sorted(entry.name.removesuffix(".yaml") for entry in _shipped().iterdir() if entry.name.endswith(".yaml"))
    return {name: load_mapping(name).about for name in names}


def load_mapping(name_or_path: str | Path) -> Mapping:
    """A shipped mapping by its name, or the YAML file at a path. BadMapping names file, field, got and wanted."""
    given = str(name_or_path)
    shipped = _shipped().joinpath(f"{given}.yaml")
    if "/" not in given and shipped.is_file():
        return _read(f"{given}.yaml", shipped.read_text(encoding="utf-8"))
    path = Path(given)
    if not path.is_file():
        names = ", ".join(sorted(entry.name.removesuffix(".yaml") for entry in _shipped().iterdir()))
        raise BadMapping(
            f"mapping {given!r}: no such file, and no shipped mapping of that name; wanted a YAML file or one of {names}"
        )
    try:
        return _read(given, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadMapping(f"mapping {given}: {error}") from error


def _shipped() -> Any:
    return files(__package__).joinpath("mappings")


def _read(name: str, text: str) -> Mapping:
    try:
        document = strict_yaml.load(text)
    except yaml.YAMLError as error:
        raise BadMapping(f"mapping {name}: {error}") from error
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        problems = [f"  {_place(problem['loc'])}: got {problem['input']!r:.80}; {problem['msg']}" for problem in error.errors()]
        raise BadMapping("\n".join([f"mapping {name}:", *problems])) from error


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in where) or "whole file"
