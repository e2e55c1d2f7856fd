"""From findings to alerts: level, window, id, and the cool-down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pydantic import JsonValue

from schemas.alerts import AlertRaised, alert_id, params_hash
from schemas.events import Kind
from streams.findings import Finding
from streams.silence import MOST_NAMED, NAME, SILENT_HOURS, SilentGroup

SOURCE: Final = "/citybrain/watch"
STEPS: Final = ((6.0, 1), (3.0, 2), (1.5, 3))
"""How many times the bound's distance from the expected value the observed one lies above it, and the level from there."""


class Window(NamedTuple):
    """[start, end) of event time; `at`: watermark that completed it."""

    start: datetime
    end: datetime
    at: datetime


class Past(NamedTuple):
    """What the cool-down remembers of an alert."""

    kind: str
    area: str
    category: str
    incident_class: str
    end: datetime


class CoolDown:
    """Lets the same area and class of a source through once in `pause`. A class cools its category in that area, and back."""

    def __init__(self, pause: timedelta, past: Iterable[Past] = ()) -> None:
        self._pause = pause
        self._past: dict[tuple[str, str, str], list[Past]] = {}
        for one in past:
            self.add(one)

    def add(self, one: Past) -> None:
        """Remember an alert."""
        same = self._past.setdefault(one[:3], [])
        same[:] = [other for other in same if other.end > one.end - 2 * self._pause] + [one]

    def holds(self, one: Past) -> bool:
        """Whether an earlier alert, not of the same window, is too near."""
        return any(
            one.end - self._pause < other.end < one.end
            and (one.incident_class == other.incident_class or not one.incident_class or not other.incident_class)
            for other in self._past.get(one[:3], [])
        )


def level_of(observed: float, expected: float, upper: float) -> int:
    """1 (red) to 4 (blue) by how far the bound was passed. First steps, not calibrated on a city."""
    times = (observed - expected) / max(upper - expected, 1e-9)
    return next((level for least, level in STEPS if times >= least), 4)


def alert_of(finding: Finding, kind: Kind, window: Window, detector: str, parameters: Mapping[str, JsonValue]) -> AlertRaised:
    """The alert of a finding, whole."""
    subject = finding.subject
    data: dict[str, JsonValue] = {
        "level": level_of(finding.observed, finding.expected, finding.upper),
        "area_level": subject.level, "area": subject.area, "category": subject.category, "incident_class": subject.incident_class,
        "observed": finding.observed, "expected": round(finding.expected, 6), "upper": round(finding.upper, 6),
        "p": finding.p, "q": finding.q, "baseline": list(finding.baseline),
        "neighbours": [
            {"area": area, "observed": observed, "expected": round(expected, 6)}
            for area, observed, expected in finding.neighbours
        ],
    }  # fmt: skip
    return _alert(data, kind, window, detector, dict(parameters))


def silence_alert(group: SilentGroup, window: Window) -> AlertRaised:
    """The alert of devices that fell silent: observed is how many, where none is expected."""
    parameters: dict[str, JsonValue] = {"silent_hours": SILENT_HOURS, "devices": list(group.devices[:MOST_NAMED])}
    data: dict[str, JsonValue] = {
        "level": {"banner": 2, "town": 3}.get(group.level, 4),
        "area_level": group.level, "area": group.area, "category": "public_safety", "incident_class": "S15",
        "observed": float(len(group.devices)), "expected": 0.0, "upper": 0.0,
    }  # fmt: skip
    return _alert(data, "sensor", window, NAME, parameters)


def past_of(alert: AlertRaised) -> Past:
    """What to remember of an alert."""
    data = alert.data
    return Past(str(data.parameters["source"]), data.area, data.category, data.incident_class or "", data.window_end)


def _alert(
    data: dict[str, JsonValue], kind: Kind, window: Window, detector: str, parameters: dict[str, JsonValue]
) -> AlertRaised:
    hours = (window.end - window.start).total_seconds() / 3600
    parameters |= {"source": kind, "window_hours": round(hours, 2)}
    hashed = params_hash(parameters)
    incident_class = data["incident_class"]
    name = alert_id(
        detector, hashed, str(data["area"]), str(data["category"]), str(incident_class or "") or None, window.start, window.end
    )
    data |= {
        "detector": detector, "parameters": parameters, "params_hash": hashed,
        "window_start": window.start.isoformat(), "window_end": window.end.isoformat(),
    }  # fmt: skip
    return AlertRaised.model_validate(
        {"specversion": "1.0", "id": name, "source": SOURCE, "type": "citybrain.alert.raised.v1", "time": window.at.isoformat(), "data": data}
    )  # fmt: skip
