"""Police 110 calls by a real week's figures: 3,200 valid of 10,059.

Source  a published weekly 110 bulletin of ten units; its columns are the categories, exact in any seven days in a row.
Missing which calls within a category are what: `weight` is an own guess. Invalid calls are no events.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from ingest.city.cases import Cases, draw_cases
from ingest.city.geography import City
from ingest.city.rhythm import POLICE_WEEK, moments, picks, share_out

WEEKLY: Final[dict[str, int]] = {
    "刑事": 44, "治安": 125, "交通事故": 913, "火警": 3, "纠纷": 334, "群众求助": 298, "举报投诉": 27, "其他": 1456,
}  # fmt: skip
CALLS_A_WEEK: Final = 10_059
INVALID_A_WEEK: Final = CALLS_A_WEEK - sum(WEEKLY.values())
"""Misdialled, silent, asked twice: told as a number only."""
TOLD: Final = 0.6
"""Share of calls with a class whose type code is in CODE_TABLE; the others carry the category and their text alone."""


class CallType(NamedTuple):
    """One type of call within a category: its name, its class ("" for none) and its weight."""

    name: str
    incident_class: str
    weight: float


TYPES: Final[dict[str, tuple[CallType, ...]]] = {
    category: tuple(CallType(*row) for row in rows)
    for category, rows in {
        "刑事": (
            ("入室盗窃", "O04", 6), ("盗窃车辆", "O05", 8), ("车内盗窃", "O06", 4), ("扒窃", "O07", 6), ("抢夺", "O03", 1),
            ("刷单返利", "C01", 5), ("虚假投资", "C02", 3), ("虚假购物", "C03", 3), ("冒充客服", "C04", 3),
            ("虚假贷款", "C05", 2), ("冒充领导", "C07", 1), ("冒充公检法", "C08", 2),
        ),
        "治安": (
            ("殴打他人", "O01", 32), ("寻衅滋事", "O02", 12), ("盗窃", "O07", 30), ("损毁财物", "O08", 14), ("赌博", "O10", 8),
            ("扰乱秩序", "O13", 14), ("噪音", "O12", 15),
        ),
        "交通事故": (("车辆事故", "S02", 1),),
        "火警": (("火情", "S01", 1),),
        "纠纷": (
            ("邻里", "D01", 80), ("婚姻家庭", "D02", 90), ("家庭暴力", "D03", 20), ("劳资", "D04", 25), ("物业", "D05", 30),
            ("债务", "D07", 40), ("赔偿", "D08", 15), ("消费", "D09", 34),
        ),
        "群众求助": (
            ("走失落水", "S13", 50), ("水电气热", "S06", 40), ("电梯困人", "S09", 15), ("市政设施", "S07", 20), ("其他", "", 173),
        ),
        "举报投诉": (("噪音", "O12", 10), ("占道经营", "O14", 8), ("其他", "", 9)),
        "其他": (("咨询", "", 1200), ("噪音", "O12", 130), ("隐患", "S05", 126)),
    }.items()
}  # fmt: skip
CODE_TABLE: Final[dict[str, str]] = {
    f"110-{category}-{kind.name}": kind.incident_class
    for category, kinds in TYPES.items()
    for kind in kinds
    if kind.incident_class
}
"""The source's own code table, type code to incident class. Invented in the manner of 110 type codes."""


def calls_of(city: City, day: datetime) -> Cases:
    """The valid calls of a day."""
    rng = np.random.default_rng((city.seed, day.toordinal(), 1))
    categories, drawn = [], []
    for category, weekly in WEEKLY.items():
        count = share_out(weekly, POLICE_WEEK)[day.weekday()]
        kinds = TYPES[category]
        categories += [category] * count
        drawn += [kinds[i] for i in picks([kind.weight for kind in kinds], count, rng).tolist()]
    count = len(drawn)
    order = rng.permutation(count).tolist()
    categories, drawn = [categories[i] for i in order], [drawn[i] for i in order]
    told = (rng.random(count) < TOLD) & np.array([kind.incident_class != "" for kind in drawn])
    codes = [
        f"110-{category}-{kind.name}" if known else f"110-{category}"
        for category, kind, known in zip(categories, drawn, told.tolist(), strict=True)
    ]
    classes = [CODE_TABLE[code] if known else kind.incident_class for code, kind, known in zip(codes, drawn, told, strict=True)]
    return draw_cases(
        "police", f"110-{day:%Y%m%d}", codes, classes, told, picks(city.shares, count, rng), moments(count, rng), rng
    )
