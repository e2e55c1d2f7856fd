"""Words that name what must never be a class: people, what they think or say, whom they belong to, how they are scored.

Classes name events. A city's own catalogue is held to this like the shipped one.
"""

from __future__ import annotations

import re
from typing import Final

from schemas.catalogue.forms import Named
from schemas.catalogue.models import Catalogue, IncidentClassEntry, InformationClass, Scenario, id_of

CHINESE: Final = (
    "言论", "观点", "舆论", "舆情", "思想", "信仰", "宗教", "教派", "邪教", "民族", "种族", "国籍", "集会", "游行", "示威", "请愿",
    "上访", "信访", "罢工", "静坐", "结社", "重点人员", "重点人群", "特殊人群", "精神病", "前科", "流动人口", "移民", "性别", "人脸",
    "身份证号", "画像", "信用分", "积分", "稳控", "维稳", "刑满释放", "在逃人员", "吸毒人员", "艾滋",
)  # fmt: skip
ENGLISH: Final = (
    "speech", "opinions?", "beliefs?", "faiths?", r"religio\w*", "sects?", "cults?", r"ethnic\w*", "races?", "racial", r"nationalit\w*",
    r"assembl\w*", r"protest\w*", r"demonstrat\w*", "rall(y|ies)", "march(es)?", r"petition\w*", "strikes?", r"dissent\w*", r"dissid\w*",
    "migrants?", r"minorit\w*", "gender", "mental patients?", "ex-convicts?", r"fac(e|ial) recognition", "profiles?", "credit scores?",
    "persons? of interest", "offenders?", "suspects?",
)  # fmt: skip
EXCEPTIONS: Final = frozenset({"petition_agent"})
"""Scenarios that may name such a word in their English id: counts of service cases handled by agents, and nothing else."""

_WORDS: Final = re.compile("|".join([*CHINESE, *(rf"\b(?:{word})\b" for word in ENGLISH)]), re.IGNORECASE)


def broken_guardrails(catalogue: Catalogue) -> list[str]:
    """Every entry whose name, definition or example holds a word that no class may be about."""
    named: list[tuple[str, Named]] = [
        *(("incident_classes", entry) for entry in catalogue.incident_classes),
        *(("information_classes", entry) for entry in catalogue.information_classes),
        *(("topics", entry) for entry in catalogue.topics),
        *(("scenarios", entry) for entry in catalogue.scenarios),
    ]
    return [
        f"{name} {id_of(entry)}: {found.group()!r} names people, what they think or say, or a score; classes name events"
        for name, entry in named
        for found in _WORDS.finditer("\n".join(_texts(entry)))
    ] + _agent_counts(catalogue)


def _texts(entry: Named) -> list[str]:
    texts = [entry.zh, entry.en]
    if isinstance(entry, IncidentClassEntry):
        texts += [entry.definition.zh, entry.definition.en, *entry.examples.zh, *entry.examples.en]
    if isinstance(entry, InformationClass) or (isinstance(entry, Scenario) and entry.id not in EXCEPTIONS):
        texts.append(entry.id.replace("_", " ").replace(".", " "))
    return texts


def _agent_counts(catalogue: Catalogue) -> list[str]:
    """The scenario of agents counts service records: it may hold no risk class, no alert, no single grid."""
    return [
        f"scenarios {scenario.id}: wanted counts of service records only, without risk classes, alerts and the level grid"
        for scenario in catalogue.scenarios
        if scenario.id in EXCEPTIONS
        and (
            scenario.incident_classes
            or scenario.alert_rules
            or "grid" in scenario.levels
            or any(not name.startswith("service.") for name in scenario.information_classes)
        )
    ]
