"""`/meta`: the words of every other answer, in Chinese and English, and the thresholds behind them. Pure."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.catalogue.models import Catalogue
from schemas.response import ResponseTiers
from view.baseline import EARS_C2, SAME_HOUR, STANDS_OUT
from view.city import CityMap
from view.clock_changes import clock_changes
from view.counts import SILENT_AFTER
from view.suppress import LEAST_SHOWN
from view.windows import Window

LEVELS: Final = {
    "grid": ("网格", "Grid"), "community": ("社区", "Community"), "town": ("苏木镇", "Town"), "banner": ("旗", "Banner"),
}  # fmt: skip
ALERT_LEVELS: Final = (("红", "Red"), ("橙", "Orange"), ("黄", "Yellow"), ("蓝", "Blue"))
SOURCES: Final = {"sensor": ("感知设备", "Sensors"), "police": ("110接处警", "110 calls"), "grid": ("网格上报", "Grid reports")}


def meta(city: CityMap, catalogue: Catalogue, tiers: ResponseTiers, zone: ZoneInfo, version: str) -> dict[str, Any]:
    """The body, in the words of the deployment's own catalogue and tiers."""
    categories = {one.letter: one.id for one in catalogue.categories}
    indicators = {one.id: (one.zh, one.en) for one in catalogue.indicators}
    return {
        "levels": [{"id": name, **_both(*LEVELS[name]), "areas": len(codes)} for name, codes in reversed(city.levels.items())],
        "categories": [{"id": one.id, "letter": one.letter, **_both(one.zh, one.en)} for one in catalogue.categories],
        "classes": [
            {"code": one.code, "category": categories[one.code[0]], **_both(one.zh, one.en)} for one in catalogue.incident_classes
        ],
        "scenarios": [
            {
                "id": one.id, **_both(one.zh, one.en), "levels": one.levels, "areas": one.areas, "classes": one.incident_classes,
                "about": _both(one.about.zh, one.about.en), "audience": _both(one.audience.zh, one.audience.en),
                "indicators": [{"id": name, **_both(*indicators[name])} for name in one.indicators],
            }
            for one in catalogue.scenarios
        ],
        "departments": [{"id": one.id, **_both(one.zh, one.en)} for one in catalogue.departments],
        "tiers": [{"tier": one.tier, "of": one.of, "minutes": one.minutes} for one in tiers.tiers],
        "alert_levels": [{"level": number, **_both(*names)} for number, names in enumerate(ALERT_LEVELS, 1)],
        "sources": [
            {"id": kind, **_both(*SOURCES[kind]), "silent_after_seconds": int(limit.total_seconds())}
            for kind, limit in SILENT_AFTER.items()
        ],
        "windows": [str(window) for window in Window],
        "thresholds": {
            "least_shown": LEAST_SHOWN, "stands_out": STANDS_OUT, "expected": {"day": EARS_C2.told(), "hour": SAME_HOUR.told()},
        },
        "areas": [{"code": code, "name": name} for code, name in sorted(city.names.items())],
        "grids": city.hash,
        "zone": zone.key,
        "clock": clock_changes(zone),
        "build": version,
    }  # fmt: skip


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}
