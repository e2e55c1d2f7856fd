"""Guardrails over the whole catalogue, and that they hold a city's own entries too."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue.guardrails import broken_guardrails
from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import shipped

CATALOGUE = shipped()


def changed(name: str, key: str, **values: Any) -> Catalogue:
    """The shipped catalogue with one entry changed."""
    entries = CATALOGUE.entries(name)
    entries[key] = entries[key].model_copy(update=values)
    return CATALOGUE.model_copy(update={name: tuple(entries.values())})


def test_the_shipped_catalogue_breaks_none() -> None:
    assert broken_guardrails(CATALOGUE) == []


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("越级上访", "Visit to a higher office"), ("信访事项", "Letters and visits"), ("网络舆情", "Online mood"), ("非法集会", "Gathering"),
        ("宗教活动", "Service in a temple"), ("民族矛盾", "Quarrel"), ("重点人员动态", "Movement"), ("人脸比对告警", "Camera match"),
        ("居民积分", "Points"), ("游行", "Walk through town"), ("群体聚会", "Protest in the square"), ("聚会", "Religious meeting"),
        ("聚会", "Ethnic meeting"), ("比对", "Face recognition match"), ("信用", "Credit score of residents"), ("意见", "Public opinion"),
        ("嫌疑", "Known suspects"), ("停工", "Strike at a plant"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["information_classes", "scenarios", "topics"])
def test_a_class_about_people_or_what_they_think_is_refused(name: str, zh: str, en: str) -> None:
    key = {"information_classes": "grid.pothole", "scenarios": "wild_fire", "topics": "air"}[name]
    assert any(f"{name} {key}" in told for told in broken_guardrails(changed(name, key, zh=zh, en=en)))


def test_a_definition_is_looked_at_too() -> None:
    entry = CATALOGUE.entries("incident_classes")["O13"]
    catalogue = changed(
        "incident_classes", "O13", definition=entry.definition.model_copy(update={"zh": "群众上访和游行示威。"})
    )
    assert any("incident_classes O13" in problem for problem in broken_guardrails(catalogue))


def test_what_a_class_excludes_may_name_it() -> None:
    """To say that a peaceful gathering is no class, one has to name it."""
    excluded = [other.en for other in CATALOGUE.entries("incident_classes")["P01"].excludes]
    assert any("opinions" in text and "peaceful" in text for text in excluded)


@pytest.mark.parametrize(
    "values",
    [
        {"incident_classes": ("P01",)},
        {"levels": ("grid", "community")},
        {"information_classes": ("service.agent_case_taken", "police.beating")},
    ],
)
def test_agents_service_cases_are_counted_and_nothing_else(values: dict[str, Any]) -> None:
    """The scenario of petition agents may hold no risk class, no single grid and no other record."""
    assert any(
        "counts of service records only" in told for told in broken_guardrails(changed("scenarios", "petition_agent", **values))
    )


def test_nothing_counts_or_names_single_people() -> None:
    """No information class carries a person: people are counted at gates and in crowds, and nowhere else."""
    counted = {entry.id for entry in CATALOGUE.information_classes if "人数" in entry.zh or "People" in entry.en.split()[:1]}
    assert counted <= {"police.stuck_in_lift", "grid.thin_ice"}
