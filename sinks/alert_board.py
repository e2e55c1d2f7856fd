"""The city's alerts as Alertmanager takes them: folded from the records of `citybrain.alerts`. Pure.

The log is the state. An alert fires from when it was raised until somebody resolves it or it is HOLD old, by the clock of
the event, so history that is played back is over before it is sent and rings nobody; a record read again changes nothing.
Labels are few and stable, because Alertmanager's fingerprint is their hash: all alerts of one area, category, class and
detector are one alert there. Numbers are annotations. Why: docs/decisions/0034-alertmanager-from-the-log.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.alerts import AlertAction, AlertRaised
from schemas.taxonomy import taxonomy

HOLD: Final = timedelta(hours=24)
"""How long an alert fires that nobody resolves."""
TOLD_AFTERWARDS: Final = timedelta(minutes=15)
"""How long an alert that ended is sent again, so that an Alertmanager that was away hears of it."""
ENDING: Final = frozenset({"resolve", "false_alarm"})
SEVERITY: Final = {1: "critical", 2: "high", 3: "warning", 4: "info"}
"""Alertmanager's words for level 1 (red) to 4 (blue)."""

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Alert:
    raised: AlertRaised
    ended_at: datetime | None = None

    @property
    def end(self) -> datetime:
        """When it stops firing: at its end, or HOLD after it was raised."""
        last = self.raised.time + HOLD
        # An alert of played history may be younger, by its own clock, than the answer to it.
        return max(self.raised.time, min(self.ended_at, last)) if self.ended_at else last


@dataclass(slots=True)
class AlertBoard:
    """Every alert that still has to be told. Feed it all records in the order of the log."""

    link: str = ""
    _alerts: dict[str, _Alert] = field(default_factory=dict)

    def add(self, event: AlertRaised | AlertAction) -> None:
        """Take in one record. The first of its kind wins; an action about an alert that is not here is of the past."""
        if isinstance(event, AlertRaised):
            self._alerts.setdefault(event.id, _Alert(event))
            return
        known = self._alerts.get(event.data.alert_id)
        if known is not None and known.ended_at is None and event.data.kind in ENDING:
            known.ended_at = event.time

    def due(self, now: datetime) -> list[dict[str, Any]]:
        """What Alertmanager has to know at `now`: the body of POST /api/v2/alerts. Forgets what is over and was told."""
        self._alerts = {name: alert for name, alert in self._alerts.items() if now < alert.end + TOLD_AFTERWARDS}
        groups: dict[Labels, list[_Alert]] = {}
        for alert in self._alerts.values():
            groups.setdefault(labels_of(alert.raised), []).append(alert)
        return [self._body(labels, alerts, now) for labels, alerts in sorted(groups.items(), key=lambda item: item[0])]

    def _body(self, labels: Labels, alerts: list[_Alert], now: datetime) -> dict[str, Any]:
        """One group as one alert: it fires while any of its alerts does, and shows the newest that fires."""
        firing = [alert for alert in alerts if now < alert.end] or alerts
        newest = max(firing, key=lambda alert: (alert.raised.time, alert.raised.id))
        body = {
            "labels": dict(labels),
            "annotations": annotations_of(newest.raised),
            "startsAt": _rfc3339(min(alert.raised.time for alert in firing)),
            "endsAt": _rfc3339(max(alert.end for alert in firing)),
        }
        return body | ({"generatorURL": self.link.replace("{id}", newest.raised.id)} if self.link else {})


def labels_of(alert: AlertRaised) -> Labels:
    """Few, stable labels. `grid` only for an alert of a grid, `incident_class` only for one of a class."""
    data = alert.data
    labels = {
        "alertname": "CityRisk", "severity": SEVERITY[data.level], "risk_category": data.category,
        "incident_class": data.incident_class or "", "area_level": data.area_level, "area": data.area,
        "grid": data.area if data.area_level == "grid" else "", "detector": data.detector,
    }  # fmt: skip
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def annotations_of(alert: AlertRaised) -> dict[str, str]:
    """What changes from alert to alert: its id, window and numbers, and words in both languages."""
    data, words = alert.data, taxonomy()
    if data.incident_class:
        incident = words.classes[data.incident_class]
        zh, en = incident.zh, incident.en
    else:
        zh, en = words.categories[data.category].zh, words.categories[data.category].en
    numbers = {"observed": data.observed, "expected": data.expected, "upper": data.upper, "p": data.p, "q": data.q}
    return {
        "alert_id": alert.id,
        "summary": f"{en} in {data.area_level} {data.area}: {data.observed:g} observed, {data.expected:.1f} expected",
        "summary_zh": f"{data.area} {zh}: {data.observed:g} 起，预期 {data.expected:.1f}",
        "window": f"{_rfc3339(data.window_start)}/{_rfc3339(data.window_end)}",
    } | {name: f"{number:g}" for name, number in numbers.items() if number is not None}


def board_of(events: Iterable[AlertRaised | AlertAction], link: str = "") -> AlertBoard:
    """The board after these records."""
    board = AlertBoard(link)
    for event in events:
        board.add(event)
    return board


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
