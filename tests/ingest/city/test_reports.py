"""Calls and grid reports keep to the published week, and their texts say what they are."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from ingest.city.calls import CALLS_A_WEEK, CODE_TABLE, INVALID_A_WEEK, WEEKLY, calls_of
from ingest.city.cases import Cases
from ingest.city.geography import build_city
from ingest.city.grid_reports import WEEKLY as GRID_WEEKLY
from ingest.city.grid_reports import WEIGHTS, reports_of
from ingest.city.rhythm import DAY_MS, share_out
from ingest.city.texts import TEXTS
from schemas.taxonomy import taxonomy
from streams.classify import classify
from streams.records import READ_SCHEMA
from streams.rules import shipped_rules

MONDAY = datetime(2026, 11, 16, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize("first", range(7))
def test_any_seven_days_have_the_week_of_the_bulletin(first: int) -> None:
    """Exactly, in every category: 44 + 125 + 913 + 3 + 334 + 298 + 27 + 1,456 = 3,200."""
    days = [calls_of(build_city(1), MONDAY + timedelta(days=first + day)) for day in range(7)]
    found = Counter(code.split("-")[1] for day in days for code in day.codes)

    assert found == WEEKLY
    assert sum(WEEKLY.values()) == 3_200
    assert (CALLS_A_WEEK, INVALID_A_WEEK) == (10_059, 6_859)


def test_a_week_of_grid_reports_is_exact() -> None:
    assert sum(len(reports_of(build_city(1), MONDAY + timedelta(days=day)).classes) for day in range(7)) == GRID_WEEKLY


@pytest.mark.parametrize("weekly", [0, 1, 3, 44, 1456])
def test_sharing_out_loses_nothing(weekly: int) -> None:
    assert sum(share_out(weekly, (1, 2, 3, 1, 1, 1, 0.5))) == weekly


def month(kind: str) -> list[Cases]:
    """Four weeks of cases."""
    draw = calls_of if kind == "police" else reports_of
    return [draw(build_city(1), MONDAY + timedelta(days=day)) for day in range(28)]


def test_the_code_table_decides_three_calls_in_five_that_have_a_class() -> None:
    """Told calls carry a code of the table and its class; the others the category alone."""
    told = with_class = 0
    for day in month("police"):
        for code, incident_class, known in zip(day.codes, day.classes, day.told, strict=True):
            assert CODE_TABLE.get(code) == (incident_class if known else None)
            told, with_class = told + int(known), with_class + bool(incident_class)

    assert told / with_class == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("kind", ["police", "grid"])
def test_most_cases_are_answered_in_time_and_some_are_late(kind: str) -> None:
    """Accepted within 1 minute, sent within 3, there within 5 more: about nine in ten each."""
    times = np.concatenate([day.times for day in month(kind)])
    reported, accepted, dispatched, arrived = (times[times[:, 1] >= 0, stage] for stage in range(4))

    for late in (accepted - reported > 60_000, dispatched - reported > 180_000, arrived - dispatched > 300_000):
        assert 0.03 < late.mean() < 0.15


def test_about_96_of_100_disputes_are_resolved() -> None:
    times = np.concatenate([day.times[[c.startswith("D") for c in day.classes]] for day in month("police")])

    assert len(times) > 1_000
    assert (times[:, 4] >= 0).mean() == pytest.approx(0.96, abs=0.02)


@pytest.mark.parametrize("kind", ["police", "grid"])
def test_stages_follow_each_other_within_a_day(kind: str) -> None:
    """What never came is -1, and then nothing comes after it."""
    times = np.concatenate([day.times for day in month(kind)])
    came = times >= 0
    steps = np.diff(times, axis=1)[came[:, 1:]]

    assert came[:, 0].all()
    assert (came[:, :-1] >= came[:, 1:]).all()
    assert steps.min() > 0
    assert (times.max(axis=1) - times[:, 0]).max() < DAY_MS


def test_nights_are_quiet() -> None:
    hours = np.concatenate([day.times[:, 0] for day in month("police")]) // 3_600_000

    assert np.isin(hours, (9, 10)).sum() > 3 * np.isin(hours, (3, 4)).sum()


def test_classes_are_of_the_taxonomy_and_have_texts() -> None:
    used = {*CODE_TABLE.values(), *WEIGHTS}

    assert used - {""} <= set(taxonomy().classes)
    assert used <= set(TEXTS)


def test_texts_can_be_read_by_the_shipped_rules() -> None:
    """Each sentence leads to its own class, and what has no class leads to none."""
    rows = [(code or "U00", text) for code, texts in TEXTS.items() for text in texts]
    empty = pl.from_arrow(READ_SCHEMA.empty_table())
    assert isinstance(empty, pl.DataFrame)
    frame = pl.concat([empty, pl.DataFrame({"text": [text for _, text in rows]})], how="diagonal_relaxed")
    found = classify(frame.with_columns(source_offset=pl.int_range(pl.len())), shipped_rules())["incident_class"]

    assert [(want, text, got) for (want, text), got in zip(rows, found, strict=True) if want != got] == []
