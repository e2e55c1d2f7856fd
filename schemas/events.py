"""What a producer may say: sensor, police and grid payloads, and the CloudEvents 1.0 envelope around them.

These models are the contract and the judge. The Arrow fast path of `streams` derives its schema from them and
a property test holds the two equal. Unknown fields are dropped, person fields too (`schemas.person_fields`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from schemas.taxonomy import taxonomy

Kind = Literal["sensor", "police", "grid"]
Stage = Literal["reported", "accepted", "dispatched", "arrived", "resolved", "closed"]
MediationLevel = Literal["community", "town", "banner"]
DeviceStatus = Literal["online", "offline", "fault"]

EVENT_TYPES: Final[dict[Kind, str]] = {
    "sensor": "citybrain.sensor.reading.v1",
    "police": "citybrain.police.incident.v1",
    "grid": "citybrain.grid.report.v1",
}
"""CloudEvents `type` of each kind; a raw topic takes only the type of its kind."""

MAX_EVENT_BYTES: Final = 262_144
"""Longest record the worker reads, bytes. CloudEvents asks intermediaries to forward at least 64 KiB."""
MAX_DEPTH: Final = 32
"""Deepest nesting of a record, levels."""
LONGEST_CODE: Final = 8
"""Characters of a wrong class code that an error shows: whoever sends free text there must not find it in our logs."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Degrees = Annotated[float, Field(allow_inf_nan=False, json_schema_extra={"unit": "deg"})]
GridCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]


def _known_class(code: str) -> str:
    if code not in taxonomy().classes:
        message = f"{code[:LONGEST_CODE]!r} is no incident class of schemas/catalogue/incident_classes.yaml"
        raise ValueError(message)
    return code


def _rfc3339(value: object) -> object:
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        message = "wanted RFC 3339 with an offset, as 2026-11-23T08:00:00+08:00"
        raise ValueError(message)
    return value


IncidentClassCode = Annotated[str, AfterValidator(_known_class)]
Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_rfc3339)]


class Payload(BaseModel):
    """Base of all payloads: newer producers break no older reader."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Position(Payload):
    """A point, WGS-84 (CGCS2000 within its error), degrees. Sources in gcj02 or bd09 are converted at the edge."""

    lon: Annotated[Degrees, Field(ge=-180, le=180)]
    lat: Annotated[Degrees, Field(ge=-90, le=90)]

    @model_validator(mode="after")
    def _not_null_island(self) -> Self:
        if self.lon == 0 and self.lat == 0:
            message = "(0, 0) is what devices send when they do not know where they are"
            raise ValueError(message)
        return self


class Reading(Payload):
    """One measured value of a device at the event's time. The range lets hourly sums stay exact decimals."""

    metric: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    value: Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
    unit: Annotated[str, StringConstraints(max_length=20)] | None = None


class Located(Payload):
    """Fields every payload shares: where, and what case it belongs to.

    Where     `position`, else `grid` (15-digit unit grid code), else `place` (a name the city knows).
    Class     `incident_class` when the source's own code table decided it (`ingest` mappings); `code` is the
              source's own code or type, kept as evidence.
    Severity  0 (information) to 4 (extreme); the source's own judgement.
    """

    position: Position | None = None
    grid: GridCode | None = None
    place: ShortText | None = None
    code: ShortText | None = None
    incident_class: IncidentClassCode | None = None
    severity: Annotated[int, Field(ge=0, le=4)] | None = None
    department: ShortText | None = None


class Case(Located):
    """A report that may open or move on a case (police and grid).

    Life-cycle  events of one case share `case_id`; `stage` says which step this event records, at the
                event's time. `mediation_level` is the level that tried to settle a dispute.
    Text        used to classify, then dropped, unless a deployment asks for it to be kept.
    """

    text: Annotated[str, StringConstraints(max_length=4000)] | None = None
    case_id: ShortText | None = None
    stage: Stage | None = None
    mediation_level: MediationLevel | None = None


class SensorData(Located):
    """Readings of one device at one instant; `at` of the event is the end of the averaging interval.

    Source   device gateways, one record per device and instant (docs/decisions/0005), at most 64 readings.
    Missing  a gap is an absent reading, never 0. A device that stops says so by `status` (S15).
    """

    device: ShortText
    readings: Annotated[list[Reading], Field(max_length=64)] | None = None
    status: DeviceStatus | None = None


class PoliceData(Case):
    """A police incident (110 or its like): type code, place, life-cycle. No caller, victim or suspect fields exist."""


class GridData(Case):
    """A report by a community grid worker or a resident."""


class CloudEvent(BaseModel):
    """CloudEvents 1.0 attributes (spec v1.0.2). `time` is required here: an event without a time cannot be counted."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    type: str
    time: Instant


class SensorEvent(CloudEvent):
    """Record of `citybrain.sensor`."""

    type: Literal["citybrain.sensor.reading.v1"]
    data: SensorData


class PoliceEvent(CloudEvent):
    """Record of `citybrain.police`."""

    type: Literal["citybrain.police.incident.v1"]
    data: PoliceData


class GridEvent(CloudEvent):
    """Record of `citybrain.grid`."""

    type: Literal["citybrain.grid.report.v1"]
    data: GridData


EVENT_MODELS: Final[dict[Kind, type[SensorEvent | PoliceEvent | GridEvent]]] = {
    "sensor": SensorEvent,
    "police": PoliceEvent,
    "grid": GridEvent,
}


def event_key(source: str, event_id: str) -> bytes:
    """Kafka key of an event: its source and id, so that a repeat meets its original in one partition."""
    return f"{source}\n{event_id}".encode()


def utc_milliseconds(at: datetime) -> int:
    """Milliseconds since 1970 UTC, rounded down, of an aware time."""
    return (at - EPOCH) // timedelta(milliseconds=1)
