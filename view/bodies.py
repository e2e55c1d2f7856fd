"""The form of every answer, for OpenAPI and for who reads it. Times are UTC with a Z; None is "not known", never 0."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

Counts = list[int | None]


class Stamp(BaseModel):
    """How far the store was, and when it said so."""

    seq: int = Field(description="grows with every stored record")
    as_of: datetime = Field(description="when the store answered")
    watermark: datetime | None = Field(description="end of the newest minute with an event")


class WindowBody(BaseModel):
    """[start, end) of event time; `day` where it is a local day."""

    name: str
    start: datetime
    end: datetime
    day: date | None


class MetaBody(BaseModel):
    """Words and thresholds of all other answers, each label in zh and en."""

    levels: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    classes: list[dict[str, Any]]
    scenarios: list[dict[str, Any]]
    departments: list[dict[str, Any]]
    tiers: list[dict[str, Any]]
    alert_levels: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    windows: list[str]
    thresholds: dict[str, Any]
    areas: list[dict[str, Any]]
    grids: str = Field(description="hash in the address of the areas")
    zone: str = Field(description="time zone of local days")
    clock: list[list[int]] = Field(description="since when (Unix, seconds) its clock is how far ahead of UTC (seconds)")
    build: str
    as_of: datetime
    seq: int


class Why(BaseModel):
    """An open alert behind a level: indexes into `areas` and `categories`."""

    area: int
    category: int
    level: int
    alert: str
    detector: str


class SourceBody(BaseModel):
    """A kind of source. `last` is told to duty tokens."""

    id: str
    last: datetime | None
    ok: bool


class StateBody(Stamp):
    """Incidents by area and category in one window."""

    window: WindowBody
    grids: str
    area_level: str
    areas: list[str] = Field(description="codes, in order; rows of `n` and `level`")
    categories: list[str] = Field(description="columns of `n` and `level`")
    n: list[Counts] = Field(description="None: not known, or hidden where `masked` says so")
    masked: list[list[int]] = Field(description="[area, category] of hidden cells: 1 or more, not told how many")
    sum: Counts = Field(description="over the scope, by category, then all; None: not known or hidden")
    level: list[Counts] | None = Field(description="0 nothing unusual to 4; None without a duty token")
    why: list[Why]
    sources: list[SourceBody]


class SeriesBody(Stamp):
    """Columns of equal length."""

    area: str
    cat: str | None
    step: str
    model: dict[str, Any] = Field(description="what `expected` and `upper` are computed by: the steps back, z, least sigma")
    complete_until: datetime | date | None = Field(description="last step that is over")
    t: list[datetime | date] = Field(description="start of the step, UTC; of days the local date")
    obs: Counts
    expected: list[float | None]
    upper: list[float | None]
    flag: list[bool | None] = Field(description="obs > upper")
    masked: list[int] = Field(description="indexes of hidden steps")


class Mover(BaseModel):
    """A change: `score` is 2 (sqrt(obs) - sqrt(base)), `q` after Benjamini-Hochberg over all that were compared."""

    area: str
    cat: str
    obs: int
    base: int
    score: float
    q: float
    flag: bool


class MoversBody(Stamp):
    """The largest changes first."""

    window: WindowBody
    base: str
    compared: int
    items: list[Mover]


class TimelineStep(BaseModel):
    """One stage. `met` None: not due, not configured, or not yet."""

    step: str
    at: datetime | None
    recorded_at: datetime | None
    role: str
    due_at: datetime | None
    met: bool | None


class TimelineBody(Stamp):
    """A case, step by step. Names nobody."""

    case: str
    tier: str
    incident_class: str
    grid: str
    department: str
    steps: list[TimelineStep]


class ResponseRow(BaseModel):
    """One tier, department or street, and one step; p50 and p90 in seconds; share of `met` in `judged` with Wilson's interval."""

    key: str
    step: str
    due: int | None
    n: int | None
    missing: int | None
    judged: int | None
    met: int | None
    p50: float | None
    p90: float | None
    share: float | None
    lo: float | None
    hi: float | None
    masked: bool


class ResponseBody(Stamp):
    """Figures of one month."""

    by: str
    month: date | None
    months: list[date]
    items: list[ResponseRow]


class MediationRow(BaseModel):
    """Disputes whose highest level that tried is this one; share of `settled` in `disputes` with Wilson's interval."""

    level: str
    disputes: int
    settled: int
    failed: int
    pending: int
    share: float | None
    lo: float | None
    hi: float | None


class MediationBody(Stamp):
    """Disputes of one month."""

    month: date
    items: list[MediationRow]


class ChangeRow(BaseModel):
    """One category. None: the period begins before the data, or there is nothing to divide by. `p`: two-sided, of one rate."""

    category: str
    incidents: int
    previous: int | None
    previous_change: float | None
    previous_p: float | None
    last_year: int | None
    last_year_change: float | None
    last_year_p: float | None


class ChangeBody(Stamp):
    """Whole days of a month so far, against as many of the month before and of the year before."""

    month: date
    days: int
    days_previous: int | None
    days_last_year: int | None
    items: list[ChangeRow]


class EventBody(BaseModel):
    """One stored event; no text, no person."""

    id: str
    source: str
    kind: str
    incident_class: str
    at: datetime
    received_at: datetime
    stored_at: datetime
    grid: str
    lon: float | None
    lat: float | None
    stage: str
    case_id: str
    severity: int | None
    department: str


class EventsBody(Stamp):
    """One page, newest first."""

    since: datetime
    items: list[EventBody]
    next: str | None


class Health(BaseModel):
    """Progress: the last time the store answered."""

    as_of: datetime
    seq: int
    clients: int = Field(description="open live streams")
    dropped: int = Field(description="live streams dropped because they were too slow")


class Ready(BaseModel):
    """Everything the answers need is there."""

    ready: bool
    as_of: datetime
