"""The form of answers about alerts, for OpenAPI and for who reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from view.bodies import Stamp


class AlertBody(BaseModel):
    """One alert. Without a duty token `masked` is true and numbers, class, exact area and times are None or coarser."""

    id: str
    at: datetime
    level: int = Field(description="1 red, highest, to 4 blue")
    area_level: str
    area: str
    category: str
    incident_class: str | None
    detector: str
    params_hash: str | None
    window_start: datetime | None
    window_end: datetime | None
    observed: float | None
    expected: float | None
    upper: float | None
    p: float | None
    q: float | None
    state: str
    is_open: bool
    version: int
    acknowledged_at: datetime | None
    dispatched_at: datetime | None
    escalated_at: datetime | None
    ended_at: datetime | None
    masked: bool


class AlertsBody(Stamp):
    """One page: most severe first, then newest."""

    items: list[AlertBody]
    next: str | None
    total: int


class Evidence(BaseModel):
    """What the alert was computed from."""

    parameters: dict[str, Any]
    baseline: list[float]
    neighbours: list[dict[str, Any]]
    event_ids: list[str]


class ActionDone(BaseModel):
    """One action; `version` is the one its actor saw."""

    action_id: str
    kind: str
    at: datetime
    role: str
    version: int


class AlertDetail(Stamp, AlertBody):
    """An alert with its evidence (duty tokens) and what was done."""

    evidence: Evidence | None
    actions: list[ActionDone]


class ActionAccepted(Stamp):
    """The broker has it; the store shows it when the loader has stored it."""

    action_id: str
    alert_id: str
    kind: str
    role: str
    at: datetime
    version: int = Field(description="of the alert, with this action")
