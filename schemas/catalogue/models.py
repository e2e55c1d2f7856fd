"""The forms of everything in the catalogue. Every name and text stands in Chinese and in English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, model_validator

from schemas.catalogue.forms import (
    AreaPrefix,
    Chinese,
    ClassCode,
    English,
    Entry,
    InformationId,
    Kind,
    Named,
    Part,
    Text,
    Texts,
    Word,
)
from schemas.places import Level
from schemas.taxonomy import CategoryId


class Tier(Entry):
    """A response tier: response time only.

    Response  the tier of the response file (`schemas.response`), which holds minutes to accept, dispatch and arrive; None: nobody
              is sent.
    Hours     those until a case is closed: `clock`: every hour counts; `working`: only those of the working-hours calendar.
    """

    response: str | None
    close_hours: Annotated[int, Field(gt=0)] | None
    hours: Literal["clock", "working"]


class PrivacyLevel(Entry):
    """What may be shown of events of a level, and to whom."""

    rule: Text


class Indicator(Entry):
    """A figure a scenario shows. `unit` is UCUM-like, as `min` or `%`."""

    unit: str


class AlertKind(Entry):
    """A reason to raise an alert."""

    rule: Text


class Source(Entry):
    """Where information classes were taken from. `own` is this project itself; the edition in force applies."""

    kind: Literal["standard", "law", "practice", "device", "own"]


class Category(Entry):
    """A risk category; `letter` starts the codes of its classes."""

    id: CategoryId
    letter: Annotated[str, Field(pattern=r"^[A-Z]$")]


class Department(Entry):
    """Who answers: a bureau of the banner, a local government, or a company that runs a network."""

    kind: Literal["bureau", "local", "operator"]
    duty: Text


class Exclusion(Part):
    """What does not belong, and the class it goes to (`see`), if there is one."""

    zh: Chinese
    en: English
    see: ClassCode | None = None


class IncidentClassEntry(Named):
    """A risk class with its meaning. `department` leads; `tier` is the usual response time."""

    code: ClassCode
    cap: str
    source: str
    department: Word
    tier: Word
    privacy: Word
    retention_days: Annotated[int, Field(ge=30, le=3650)]
    definition: Text
    examples: Texts
    excludes: Annotated[tuple[Exclusion, ...], Field(min_length=1)]


class Bound(Part):
    """A threshold, in the metric's unit: passed above, below, or on either side."""

    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _some_side(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("wanted above, below, or both")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise ValueError(f"wanted below < above, got {self.below} and {self.above}")
        return self


class Measure(Part):
    """What a sensor class measures.

    Range      what a working instrument of the usual kind can tell; a value outside it is a fault of the device.
    Attention  worth a look. Alarm: a reading that passes it makes an event of the class's incident class.
    """

    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    unit: Annotated[str, Field(min_length=1, max_length=20)]
    range: tuple[float, float]
    attention: Bound | None = None
    alarm: Bound | None = None

    @model_validator(mode="after")
    def _within(self) -> Self:
        low, high = self.range
        if low >= high:
            raise ValueError(f"range: wanted low < high, got {low}, {high}")
        for name, bound in (("attention", self.attention), ("alarm", self.alarm)):
            outside = [value for value in (bound.above, bound.below) if value is not None] if bound else []
            if any(not low <= value <= high for value in outside):
                raise ValueError(f"{name}: wanted values within {low} to {high}, got {outside}")
        if self.attention and self.alarm:
            first, second = self.attention, self.alarm
            if first.above is not None and second.above is not None and first.above > second.above:
                raise ValueError(f"wanted attention to come before alarm, got above {first.above} and {second.above}")
            if first.below is not None and second.below is not None and first.below < second.below:
                raise ValueError(f"wanted attention to come before alarm, got below {first.below} and {second.below}")
        return self


class InformationClass(Named):
    """One class of information the city receives. `incident_class` is its risk class, None for what is no risk by itself."""

    id: InformationId
    topic: Word
    department: Word
    incident_class: ClassCode | None = None
    tier: Word
    retention_days: Annotated[int, Field(ge=30, le=3650)]
    privacy: Word
    source: Word
    measure: Measure | None = None

    @property
    def kind(self) -> str:
        """First part of the id: a `Kind`."""
        return self.id.partition(".")[0]

    @model_validator(mode="after")
    def _sensors_measure(self) -> Self:
        if (self.kind == "sensor") != (self.measure is not None):
            raise ValueError("wanted a measure for kind sensor, and for no other kind")
        if self.measure and self.incident_class and self.measure.alarm is None:
            raise ValueError(f"wanted an alarm value, since it leads to {self.incident_class}")
        return self


class Topic(Entry):
    """A group of information classes of one kind."""

    kind: Kind


class AlertRule(Part):
    """One alert of a scenario: its kind and the level of areas it looks at."""

    rule: Word
    level: Level


class Scenario(Entry):
    """A named selection: classes, areas, figures, alerts, and whom it is for.

    Areas     prefixes of grid codes; empty: the whole city.
    Classes   incident classes count incidents; information classes bring readings and records.
    """

    about: Text
    audience: Text
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    areas: tuple[AreaPrefix, ...] = ()
    incident_classes: tuple[ClassCode, ...] = ()
    information_classes: tuple[InformationId, ...] = ()
    indicators: Annotated[tuple[Word, ...], Field(min_length=1)]
    alert_rules: tuple[AlertRule, ...] = ()


class Catalogue(Named):
    """The whole catalogue. Lists keep the order of their files."""

    version: Annotated[int, Field(ge=1)]
    categories: tuple[Category, ...]
    incident_classes: tuple[IncidentClassEntry, ...]
    information_classes: tuple[InformationClass, ...]
    departments: tuple[Department, ...]
    scenarios: tuple[Scenario, ...]
    topics: tuple[Topic, ...]
    tiers: tuple[Tier, ...]
    privacy_levels: tuple[PrivacyLevel, ...]
    indicators: tuple[Indicator, ...]
    alert_rules: tuple[AlertKind, ...]
    sources: tuple[Source, ...]

    def entries(self, name: str) -> dict[str, Any]:
        """Entries of one list (`departments`, ...) by id; incident classes by code."""
        return by_id(getattr(self, name))


E = TypeVar("E", bound=BaseModel)


def by_id(entries: Iterable[E]) -> dict[str, E]:
    """Entries by their id or code."""
    return {id_of(entry): entry for entry in entries}


def id_of(entry: BaseModel) -> str:
    """The id of an entry; of an incident class its code."""
    return str(getattr(entry, "code", None) or entry.id)  # type: ignore[attr-defined]
