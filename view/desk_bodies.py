"""The form of answers about what is open and about scenarios, for OpenAPI and for who reads them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from view.bodies import Stamp


class OpenCase(BaseModel):
    """A case that is not ended, and its next step; `due_at` None: no limit holds for it."""

    case: str
    tier: str
    incident_class: str
    grid: str
    department: str
    opened_at: datetime
    step: str
    due_at: datetime | None


class OpenCasesBody(Stamp):
    """The most urgent first; `open` and `overdue` count all."""

    open: int
    overdue: int
    items: list[OpenCase]


class TodayBody(Stamp):
    """Incidents that happened today in the deployment's time zone; None while nobody said anything today."""

    area: str
    cat: str | None
    day: date
    incidents: int | None = Field(description="late ones included")
    late: int | None = Field(description="those of them that came more than `late_after_minutes` after they happened")
    late_as_of: datetime | None = Field(description="when `late` was counted, at most a minute ago")
    late_after_minutes: int


class ScenarioFigures(BaseModel):
    """One scenario of `/meta`; `level` 0 to 4 by its open alerts."""

    id: str
    days: list[int]
    level: int
    alerts: int


class ScenariosBody(Stamp):
    """Incidents of the last seven local days; the last is not over."""

    area: str
    days: list[date]
    items: list[ScenarioFigures]
