"""What stands out in complete windows: one finding an incident, where the evidence is strongest. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.alerts import MOST_NEIGHBOURS
from streams.detectors.family import benjamini_hochberg
from streams.detectors.protocol import Detector
from streams.tally import LEVELS, Subject, Tally

Q: Final = 0.01
"""Largest expected share of false alarms among all of one window (docs/decisions/0028)."""


class Finding(NamedTuple):
    """An alarm of a window. `neighbours`: area, observed, expected."""

    period: int
    subject: Subject
    observed: float
    expected: float
    upper: float
    p: float
    q: float
    baseline: tuple[float, ...]
    neighbours: tuple[tuple[str, float, float], ...]


class _Alarm(NamedTuple):
    """An alarm before it is chosen; `row` is where it stands among the judged ones."""

    subject: Subject
    row: int
    p: float
    q: float
    observed: float
    upper: float


def find(
    tally: Tally, detector: Detector, first: int, end: int, stride: int, known: NDArray[np.bool_], known_from: int, q: float = Q
) -> list[Finding]:
    """Findings of the windows [first, end), in the order of time.

    `stride` is how many periods lie between two values of a baseline: 24 compares an hour with the same hour of other days.
    `known[i]` says whether anything was heard of the source in period known_from + i; what was not is missing, never zero.
    """
    series, periods, observed = tally.at_least(detector.min_count, first, end)
    lags = np.array(detector.lags, np.int64) * stride
    past = periods[:, None] - lags[None, :]
    baseline = np.where(_known(known, known_from, past), tally.counts(series[:, None], past), np.nan)
    judged = detector.judge(observed, baseline)
    found: list[Finding] = []
    for period in np.unique(periods):
        here = np.flatnonzero(periods == period)
        corrected = benjamini_hochberg(judged.p[here], tally.series)
        alarms = [
            _Alarm(
                tally.subject(int(series[n])),
                n,
                float(judged.p[n]),
                float(corrected[i]),
                float(observed[n]),
                float(judged.upper[n]),
            )
            for i, n in enumerate(here.tolist())
            if judged.alarm[n] and corrected[i] <= q
        ]
        for alarm in _strongest(alarms):
            n = alarm.row
            found.append(
                Finding(
                    int(period), alarm.subject, alarm.observed, float(judged.expected[n]), alarm.upper, alarm.p, alarm.q,
                    tuple(baseline[n][~np.isnan(baseline[n])].tolist()), _neighbours(tally, int(series[n]), int(period), lags),
                )
            )  # fmt: skip
    return found


def _known(known: NDArray[np.bool_], known_from: int, periods: NDArray[np.int64]) -> NDArray[np.bool_]:
    at = periods - known_from
    inside = (at >= 0) & (at < len(known))
    heard: NDArray[np.bool_] = inside & known[np.where(inside, at, 0)] if len(known) else inside
    return heard


def _strongest(alarms: list[_Alarm]) -> Iterator[_Alarm]:
    """One alarm an incident. Of areas within each other the one least likely by chance; of two alike the smaller.

    Classes first: a category alarms only by what no class in its area has told already.
    """
    taken: list[_Alarm] = []
    for alarm in sorted(alarms, key=_rank):
        inside = [other for other in taken if _nested(alarm, other)]
        if alarm.subject.incident_class is None:
            told = sum(other.observed for other in inside if other.subject.area.startswith(alarm.subject.area))
            new = alarm.observed - told > alarm.upper and not any(other.subject.incident_class is None for other in inside)
            new = new and not any(len(other.subject.area) < len(alarm.subject.area) for other in inside)
        else:
            new = not any(other.subject.incident_class == alarm.subject.incident_class for other in inside)
        if new:
            taken.append(alarm)
            yield alarm


def _rank(alarm: _Alarm) -> tuple[bool, float, int, str, str]:
    subject = alarm.subject
    return subject.incident_class is None, alarm.p, LEVELS.index(subject.level), subject.area, subject.incident_class or ""


def _nested(one: _Alarm, other: _Alarm) -> bool:
    areas = one.subject.area, other.subject.area
    within = areas[0].startswith(areas[1]) or areas[1].startswith(areas[0])
    return within and one.subject.category == other.subject.category


def _neighbours(tally: Tally, series: int, period: int, lags: NDArray[np.int64]) -> tuple[tuple[str, float, float], ...]:
    others = np.array(tally.siblings(series, MOST_NEIGHBOURS), np.int64)
    if not len(others):
        return ()
    now = tally.counts(others, np.full(len(others), period))
    before = tally.counts(others[:, None], period - lags[None, :]).mean(axis=1)
    areas = [tally.subject(int(n)).area for n in others]
    return tuple(zip(areas, now.tolist(), before.tolist(), strict=True))
