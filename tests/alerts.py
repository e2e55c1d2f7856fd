"""Alerts and actions for tests, as the watch and the API make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.alerts import AlertAction, AlertRaised, alert_id, params_hash

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARAMETERS: dict[str, Any] = {"alpha": 0.001, "baseline": 7}


def raised(area: str = "150627001001", **changes: Any) -> AlertRaised:
    """A good alert about an area; its id follows from it."""
    levels = {6: "banner", 9: "town", 12: "community", 15: "grid"}
    data: dict[str, Any] = {
        "level": 2, "area_level": levels[len(area)], "area": area, "category": "public_safety", "incident_class": "S04",
        "detector": "ears_c2", "parameters": PARAMETERS, "params_hash": params_hash(PARAMETERS),
        "window_start": (NOON - timedelta(hours=1)).isoformat(), "window_end": NOON.isoformat(),
        "observed": 40.0, "expected": 1.5, "upper": 6.25, "p": 1e-9, "baseline": [1.0, 2.0, 1.5],
        "neighbours": [{"area": "150627001002", "observed": 1.0, "expected": 1.25}],
    } | changes  # fmt: skip
    name = alert_id(
        "ears_c2", data["params_hash"], area, data["category"], data["incident_class"], NOON - timedelta(hours=1), NOON
    )
    return AlertRaised.model_validate(
        {"specversion": "1.0", "id": name, "source": "/citybrain/watch", "type": "citybrain.alert.raised.v1",
         "time": (NOON + timedelta(minutes=10)).isoformat(), "data": data}
    )  # fmt: skip


def action(alert: AlertRaised, kind: str, key: str, minutes: int = 0, **changes: Any) -> AlertAction:
    """An action `minutes` after the alert."""
    data = {"alert_id": alert.id, "kind": kind, "role": "duty", "version": 1} | changes
    at = (NOON + timedelta(minutes=10 + minutes)).isoformat()
    return AlertAction.model_validate(
        {
            "specversion": "1.0",
            "id": key,
            "source": "/citybrain/view",
            "type": "citybrain.alert.action.v1",
            "time": at,
            "data": data,
        }
    )
