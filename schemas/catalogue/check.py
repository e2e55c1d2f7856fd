"""What is wrong with a catalogue: names that lead nowhere, too much of our own, guardrails, entries that are nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from schemas.catalogue.guardrails import broken_guardrails
from schemas.catalogue.models import Catalogue, IncidentClassEntry, InformationClass, id_of
from schemas.catalogue.similar import near_duplicates
from schemas.taxonomy import taxonomy

MOST_OWN: Final = 0.15
"""Share of information classes that may come from nowhere but this project."""


def broken_references(catalogue: Catalogue) -> list[str]:
    """Names that lead nowhere. Codes of incident classes are a contract with stored events: none may be added or taken out."""
    known = {
        name: set(catalogue.entries(name))
        for name in (
            "incident_classes", "information_classes", "departments", "topics", "tiers", "privacy_levels", "indicators",
            "alert_rules", "sources",
        )
    }  # fmt: skip
    return [
        f"{where}: {name!r} is none of {part}" for where, part, name in _references(catalogue) if name not in known[part]
    ] + _contract(catalogue)


def _references(catalogue: Catalogue) -> Iterable[tuple[str, str, str]]:
    """Every reference as (where it stands, the list it leads to, the name)."""
    classes: list[IncidentClassEntry | InformationClass] = [*catalogue.incident_classes, *catalogue.information_classes]
    for entry in classes:
        where = id_of(entry)
        yield where, "departments", entry.department
        yield where, "tiers", entry.tier
        yield where, "privacy_levels", entry.privacy
    for risk in catalogue.incident_classes:
        yield from ((risk.code, "incident_classes", other.see) for other in risk.excludes if other.see)
    for information in catalogue.information_classes:
        yield information.id, "topics", information.topic
        yield information.id, "sources", information.source
        if information.incident_class:
            yield information.id, "incident_classes", information.incident_class
    for scenario in catalogue.scenarios:
        yield from ((scenario.id, "incident_classes", name) for name in scenario.incident_classes)
        yield from ((scenario.id, "information_classes", name) for name in scenario.information_classes)
        yield from ((scenario.id, "indicators", name) for name in scenario.indicators)
        yield from ((scenario.id, "alert_rules", rule.rule) for rule in scenario.alert_rules)


def _contract(catalogue: Catalogue) -> list[str]:
    words = taxonomy()
    wanted, got = set(words.classes), {entry.code for entry in catalogue.incident_classes}
    problems = [f"incident class {code}: is missing; stored events may be of it" for code in sorted(wanted - got)]
    problems += [
        f"incident class {code}: no event can be of it; wanted one of docs/taxonomy.md" for code in sorted(got - wanted)
    ]
    if {entry.id for entry in catalogue.categories} != set(words.categories):
        problems.append(f"categories: wanted exactly {sorted(words.categories)}")
    kinds = {topic.id: topic.kind for topic in catalogue.topics}
    problems += [
        f"{entry.id}: topic {entry.topic} is of kind {kinds[entry.topic]}"
        for entry in catalogue.information_classes
        if kinds.get(entry.topic, entry.kind) != entry.kind
    ]
    metrics = Counter(entry.measure.metric for entry in catalogue.information_classes if entry.measure)
    return problems + [
        f"metric {metric}: {n} information classes measure it; wanted one" for metric, n in metrics.items() if n > 1
    ]


def own_share(catalogue: Catalogue) -> float:
    """Share of information classes whose source is this project itself; 0 when there are none."""
    kinds = {source.id: source.kind for source in catalogue.sources}
    own = sum(kinds[entry.source] == "own" for entry in catalogue.information_classes)
    return own / max(1, len(catalogue.information_classes))


def problems(catalogue: Catalogue) -> list[str]:
    """Everything that `citybrain catalogue check` tells; empty when the catalogue is good."""
    share = own_share(catalogue)
    return [
        *broken_references(catalogue),
        *broken_guardrails(catalogue),
        *([f"{share:.1%} of information classes are own; wanted at most {MOST_OWN:.0%}"] if share > MOST_OWN else []),
        *(
            f"{one} and {other} are nearly the same: {why}"
            for one, other, why in near_duplicates(catalogue.information_classes)
        ),
    ]
