"""The page of the catalogue: every entry, as the shipped files say it."""

from __future__ import annotations

from typing import Final

from citybrain.reference.markdown import code, table
from ingest.code_table import shipped_tables
from schemas.catalogue.models import Bound, InformationClass, Scenario
from schemas.catalogue.read import shipped

KINDS: Final = {
    "sensor": "Sensor metrics",
    "police": "Police incident types",
    "grid": "Grid report types",
    "service": "Service records",
    "inspection": "Inspection records",
    "mediation": "Mediation records",
}


def counts() -> str:
    """How much of each there is."""
    catalogue = shipped()
    kinds = [(title, sum(entry.kind == kind for entry in catalogue.information_classes)) for kind, title in KINDS.items()]
    rows = [
        ("categories", len(catalogue.categories)),
        ("incident classes", len(catalogue.incident_classes)),
        ("information classes", len(catalogue.information_classes)),
        *((f"of these: {title.lower()}", number) for title, number in kinds),
        ("departments", len(catalogue.departments)),
        ("scenarios", len(catalogue.scenarios)),
    ]
    return table(("what", "entries"), rows)


def incident_classes() -> str:
    """Every incident class: what it is, and what does not belong."""
    return "".join(
        f"### {entry.code} {entry.zh} · {entry.en}\n\n{entry.definition.zh} {entry.definition.en}\n\n"
        f"- Department {code(entry.department)}, tier {code(entry.tier)}, privacy {code(entry.privacy)}, kept {entry.retention_days:,} days.\n"
        f"- 例：{'；'.join(entry.examples.zh)}。 Examples: {'; '.join(entry.examples.en)}.\n"
        + "".join(
            f"- 不属于：{other.zh}{f'（{other.see}）' if other.see else ''}。 Not here: {other.en}{f' ({other.see})' if other.see else ''}.\n"
            for other in entry.excludes
        )
        + "\n"
        for entry in shipped().incident_classes
    )


def information_classes() -> str:
    """Every information class, kind by kind."""
    return "".join(f"### {title}\n\n{_classes(kind)}" for kind, title in KINDS.items())


def _classes(kind: str) -> str:
    entries = [entry for entry in shipped().information_classes if entry.kind == kind]
    head: tuple[str, ...] = ("id", "中文", "English", "class", "department", "tier", "days", "privacy", "source")
    if kind == "sensor":
        head = (*head[:3], "unit", "range", "attention", "alarm", *head[3:])
    return table(head, [_row(entry) for entry in entries])


def _row(entry: InformationClass) -> tuple[object, ...]:
    words = (code(entry.id), entry.zh, entry.en)
    rest = (entry.incident_class or "", entry.department, entry.tier, entry.retention_days, entry.privacy, code(entry.source))
    if entry.measure is None:
        return (*words, *rest)
    low, high = entry.measure.range
    return (
        *words,
        entry.measure.unit,
        f"{low:g} to {high:g}",
        _bound(entry.measure.attention),
        _bound(entry.measure.alarm),
        *rest,
    )


def _bound(bound: Bound | None) -> str:
    sides = [(side, getattr(bound, side)) for side in ("below", "above")] if bound else []
    return ", ".join(f"{side} {value:g}" for side, value in sides if value is not None)


def departments() -> str:
    """Every department."""
    rows = [(code(entry.id), entry.zh, entry.en, entry.kind, entry.duty.zh, entry.duty.en) for entry in shipped().departments]
    return table(("id", "中文", "English", "kind", "职责", "duty"), rows)


def lists() -> str:
    """Tiers, privacy levels, indicators, kinds of alerts."""
    catalogue = shipped()
    tiers = [
        (code(entry.id), entry.zh, entry.en, entry.response or "", entry.close_hours or "", entry.hours)
        for entry in catalogue.tiers
    ]
    privacy = [(code(entry.id), entry.zh, entry.en, entry.rule.zh, entry.rule.en) for entry in catalogue.privacy_levels]
    alerts = [(code(entry.id), entry.zh, entry.en, entry.rule.zh, entry.rule.en) for entry in catalogue.alert_rules]
    return (
        table(("tier", "中文", "English", "1-3-5", "hours to close", "hours"), tiers)
        + table(("privacy", "中文", "English", "规则", "rule"), privacy)
        + table(("indicator", "中文", "English", "unit"), [(code(e.id), e.zh, e.en, e.unit) for e in catalogue.indicators])
        + table(("alert", "中文", "English", "规则", "rule"), alerts)
    )


def scenarios() -> str:
    """Every scenario with its selection."""
    return "".join(map(_scenario, shipped().scenarios))


def _scenario(entry: Scenario) -> str:
    alerts = ", ".join(f"{rule.rule} at {rule.level}" for rule in entry.alert_rules) or "none"
    lines = [
        f"### {entry.zh} · {entry.en}",
        f"{entry.about.zh} {entry.about.en}",
        f"- {code(entry.id)}; 对象 {entry.audience.zh}; for {entry.audience.en}; levels {', '.join(entry.levels)}; "
        f"areas {', '.join(entry.areas) or 'the whole city'}.",
        f"- Incident classes: {', '.join(entry.incident_classes) or 'none'}.",
        f"- Information classes ({len(entry.information_classes)}): {', '.join(map(code, entry.information_classes)) or 'none'}.",
        f"- Indicators: {', '.join(entry.indicators)}. Alerts: {alerts}.",
    ]
    return "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:]) + "\n\n"


def sources() -> str:
    """Every source, and how many information classes come from it."""
    catalogue = shipped()
    used = [entry.source for entry in catalogue.information_classes]
    rows = [(code(entry.id), entry.zh, entry.en, entry.kind, used.count(entry.id)) for entry in catalogue.sources]
    return table(("source", "中文", "English", "kind", "classes"), rows)


def code_tables() -> str:
    """Every shipped code table."""
    rows = [
        (
            code(name),
            entry.about,
            ", ".join(map(code, entry.columns)),
            len(entry.classes.exact) + len(entry.classes.patterns),
            len(entry.classes.none),
        )
        for name, entry in shipped_tables().items()
    ]
    return table(("table", "about", "columns", "codes and patterns with a class", "patterns with none"), rows)
