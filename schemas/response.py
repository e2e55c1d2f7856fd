"""Response tiers: what decides how fast a case has to be answered, and how fast that is.

A tier concerns response time only. The file's form is `response.yaml`; a deployment may bring its own.
Steps and their times are those of the published view `v_response_steps` (docs/decisions/0033-response-figures.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from schemas.errors import BadSettings
from schemas.places import PREFIX
from schemas.taxonomy import taxonomy

Axis = Literal["place", "responder", "urgency"]
Step = Literal["accept", "dispatch", "arrive", "resolve"]
STEPS: Final[tuple[Step, ...]] = ("accept", "dispatch", "arrive", "resolve")
"""accept runs from reported, dispatch from accepted, arrive from dispatched, resolve from reported."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Minutes = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False, json_schema_extra={"unit": "min"})]


class Rule(NamedTuple):
    """One row of `response_tiers`: cases that `selector` meets ("" meets all) are of `tier`. Limits in milliseconds."""

    tier: str
    selector: str
    limits_ms: dict[Step, int]


class Tier(BaseModel):
    """One tier: which cases it takes (`of`; none: all others) and the minutes each step may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Name
    of: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    minutes: Annotated[dict[Step, Minutes], Field(min_length=1)]


class ResponseTiers(BaseModel):
    """All tiers of a deployment, decided by one axis. Every case is of exactly one tier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    axis: Axis
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_tier_for_each_case(self) -> Self:
        _refuse_twice("tier", [tier.tier for tier in self.tiers])
        _refuse_twice("selector", [selector for tier in self.tiers for selector in tier.of or ()])
        rest = [tier.tier for tier in self.tiers if tier.of is None]
        if len(rest) != 1:
            message = f"wanted exactly one tier without `of`, which takes all other cases; got {rest}"
            raise ValueError(message)
        for tier in self.tiers:
            for selector in tier.of or ():
                _check_selector(self.axis, selector)
        return self

    def rules(self) -> list[Rule]:
        """Rules in the order they are tried: the longest selector first, classes before categories, all others last."""
        found = [
            Rule(tier.tier, selector, {step: round(minutes * 60_000) for step, minutes in tier.minutes.items()})
            for tier in self.tiers
            for selector in tier.of or ("",)
        ]
        classes = taxonomy().classes
        return sorted(
            found, key=lambda rule: (rule.selector == "", rule.selector not in classes, -len(rule.selector), rule.selector)
        )

    @property
    def config(self) -> str:
        """Hash of everything that decides: the same tiers have the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


@cache
def shipped_tiers() -> ResponseTiers:
    """The tiers of the package. Cached: they never change while a process runs."""
    return read_tiers(files(__package__).joinpath("response.yaml").read_text(encoding="utf-8"), "schemas/response.yaml")


def read_tiers(text: str, name: str) -> ResponseTiers:
    """Tiers from YAML. BadSettings names the file, the place in it, what was got and what was wanted."""
    try:
        document: Any = yaml.safe_load(text)
        return ResponseTiers.model_validate(document)
    except yaml.YAMLError as error:
        message = f"response tiers {name}: not YAML: {error}"
        raise BadSettings(message) from error
    except ValidationError as error:
        told = [
            f"response tiers {name}: {_where(problem)}: {problem['msg']}; got {problem['input']!r}"
            for problem in error.errors()
        ]
        raise BadSettings("\n".join(told)) from error


def _where(problem: Any) -> str:
    return ".".join(str(part) for part in problem["loc"]) or "the file"


def _refuse_twice(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{what} {twice} stands twice"
        raise ValueError(message)


def _check_selector(axis: Axis, selector: str) -> None:
    for problem in _problems(axis, selector):
        message = f"selector {selector!r} of axis {axis}: {problem}"
        raise ValueError(message)


def _problems(axis: Axis, selector: str) -> Iterator[str]:
    words = taxonomy()
    if axis == "place" and not (selector.isascii() and selector.isdigit() and len(selector) in PREFIX.values()):
        yield f"wanted the first {', '.join(map(str, PREFIX.values()))} digits of grid codes"
    if axis == "responder" and not selector.strip():
        yield "wanted the start of a department's name"
    if axis == "urgency" and selector not in words.classes and selector not in words.categories:
        yield "wanted an incident class or a category of schemas/taxonomy.yaml"
