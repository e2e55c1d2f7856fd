"""Grafana's dashboards, read from the files that Grafana reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from citybrain.reference.markdown import table

FOLDER = Path(__file__).parents[2] / "deploy/grafana/dashboards"
"""Only in a checkout: dashboards are no part of the package."""


def dashboards() -> str:
    """Every dashboard with its panels, operations first."""
    return "".join(_page(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))) for name in _names())


def _names() -> list[str]:
    order = {"operations": 0, "city": 1, "department": 2, "community": 3}
    return sorted((path.stem for path in FOLDER.glob("*.json")), key=lambda name: (order.get(name, len(order)), name))


def _page(dashboard: dict[str, Any]) -> str:
    about = f"### {dashboard['title']}\n\n`{dashboard['uid']}`: {dashboard['description']}\n\n"
    return about + table(("panel", "what it shows"), [(panel["title"], panel["description"]) for panel in dashboard["panels"]])
