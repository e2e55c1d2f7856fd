"""What the watch says and what people answer: alerts and actions, CloudEvents of `citybrain.alerts`.

The key of both is the alert's id, so that an alert and all its actions stand in one partition, in order. An alert's id is
a hash of what raised it and where: history played back raises the same alerts under the same ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import Field, JsonValue, StringConstraints, ValidationError, model_validator

from schemas.errors import BadAlert
from schemas.events import CloudEvent, IncidentClassCode, Instant, Payload, ShortText
from schemas.places import PREFIX, Level
from schemas.taxonomy import CategoryId

RAISED: Final = "citybrain.alert.raised.v1"
ACTION: Final = "citybrain.alert.action.v1"
CONTENT_TYPE: Final = ("content-type", b"application/cloudevents+json; charset=UTF-8")
LONGEST_RECORD: Final = 262_144
"""Bytes of a record that is read; an alert with its whole evidence has some thousands."""
MOST_BASELINE: Final = 512
MOST_NEIGHBOURS: Final = 64

ActionKind = Literal["ack", "dispatch", "escalate", "resolve", "false_alarm"]
AlertId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
AreaCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12}|[0-9]{15})$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class Neighbour(Payload):
    """The same window in another area under the same parent."""

    area: AreaCode
    observed: Number
    expected: Number


class AlertData(Payload):
    """Why an alert was raised, with all that is needed to compute it again.

    Level       1 (red, highest) to 4 (blue), as statutory warnings count.
    Window      [window_start, window_end) of event time; `time` of the event is the watermark that completed it.
    Class       None: over all classes of the category.
    Numbers     counts of incidents, or of what the detector counts; `upper` was passed by `observed` (strict >).
                p: chance of so many without a cause; q: the same after the day's many tests. None: the detector gives none.
    Baseline    the values the expectation was computed from, oldest first.
    """

    level: Annotated[int, Field(ge=1, le=4)]
    area_level: Level
    area: AreaCode
    category: CategoryId
    incident_class: IncidentClassCode | None = None
    detector: ShortText
    parameters: dict[str, JsonValue]
    params_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    window_start: Instant
    window_end: Instant
    observed: Number
    expected: Number
    upper: Number
    p: Share | None = None
    q: Share | None = None
    baseline: Annotated[list[Number], Field(default_factory=list, max_length=MOST_BASELINE)]
    neighbours: Annotated[list[Neighbour], Field(default_factory=list, max_length=MOST_NEIGHBOURS)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.area) != PREFIX[self.area_level]:
            message = f"area {self.area}: a {self.area_level} has {PREFIX[self.area_level]} digits"
            raise ValueError(message)
        if self.window_start >= self.window_end:
            message = f"window ends ({self.window_end.isoformat()}) before it starts ({self.window_start.isoformat()})"
            raise ValueError(message)
        return self


class ActionData(Payload):
    """What somebody did about an alert.

    Role     a role or the name of a token, never a person's.
    Version  the alert's version that the actor saw; an alert without actions has version 1, each action adds one.
    Note     free text: dropped unless the deployment keeps text, and redacted then.
    """

    alert_id: AlertId
    kind: ActionKind
    role: ShortText
    version: Annotated[int, Field(ge=1)]
    note: Annotated[str, StringConstraints(max_length=2000)] | None = None


class AlertRaised(CloudEvent):
    """An alert; `id` is the alert's id, `time` the watermark at which it was raised."""

    id: AlertId
    type: Literal["citybrain.alert.raised.v1"] = "citybrain.alert.raised.v1"
    data: AlertData


class AlertAction(CloudEvent):
    """An action; `id` is the idempotency key: the same one again changes nothing. `time` is when it was done."""

    type: Literal["citybrain.alert.action.v1"] = "citybrain.alert.action.v1"
    data: ActionData


class AlertWire(NamedTuple):
    """An alert event as it goes to Kafka."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def params_hash(parameters: Mapping[str, JsonValue]) -> str:
    """16 hex digits that name a detector's parameters, whatever their order."""
    return _digest(json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False), 8)


def alert_id(
    detector: str, parameters: str, area: str, category: str, incident_class: str | None, start: datetime, end: datetime
) -> str:
    """32 hex digits of detector, `params_hash`, area, category, class and window: the same finding has the same id."""
    moments = f"{start.timestamp():.3f}", f"{end.timestamp():.3f}"
    return _digest("\n".join((detector, parameters, area, category, incident_class or "", *moments)), 16)


def encode_alert(event: AlertRaised | AlertAction) -> AlertWire:
    """Structured mode. The key is the alert's id."""
    key = event.id if isinstance(event, AlertRaised) else event.data.alert_id
    value = event.model_dump_json(exclude_none=True).encode()
    return AlertWire(key.encode(), value, [CONTENT_TYPE])


def read_alert(value: bytes | None) -> AlertRaised | AlertAction:
    """The event in a record. BadAlert says why it is none; its reason is one of schemas.reasons."""
    if not value:
        raise BadAlert("empty", "wanted a CloudEvent in structured mode, got no value")
    if len(value) > LONGEST_RECORD:
        raise BadAlert("too_large", f"{len(value)} bytes; at most {LONGEST_RECORD}")
    try:
        document = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadAlert("not_json", f"wanted a CloudEvent in structured mode: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise BadAlert("not_cloudevents", "wanted a JSON object with a type")
    if document["type"] not in {RAISED, ACTION}:
        raise BadAlert("unknown_type", f"wanted {RAISED} or {ACTION}")
    try:
        return (AlertRaised if document["type"] == RAISED else AlertAction).model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadAlert("invalid_data" if where.startswith("data") else "not_cloudevents", f"{where}: {first['msg']}") from error


def _digest(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
