"""Who asks: a token's name, its scope and whether it is a duty token. Pure.

A scope becomes a condition of every query, so that no row of another area or department leaves the store.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.catalogue.models import Catalogue

SCOPES: Final = re.compile(r"city|community:[0-9]{12}|department:[a-z0-9_]+")


class Condition(NamedTuple):
    """SQL that is true for rows inside a scope, and the values it names."""

    sql: str
    parameters: dict[str, Any]


class Scope(NamedTuple):
    """City: all. Community: grids whose code starts with `value`. Department: `classes`, those the catalogue gives to `value`."""

    kind: Literal["city", "community", "department"] = "city"
    value: str = ""
    classes: frozenset[str] | None = None
    """Incident classes of a department; None: all."""

    @classmethod
    def parse(cls, text: str, catalogue: Catalogue) -> Scope:
        """`city`, `community:150627004001` or `department:police`. ValueError says what was wanted."""
        departments = [entry.id for entry in catalogue.departments]
        kind, _, value = text.partition(":")
        if not SCOPES.fullmatch(text) or (kind == "department" and value not in departments):
            message = (
                f"scope {text!r}: wanted city, community:<12 digits> as community:150627004001, or department:<id>; "
                f"departments are {', '.join(departments)}"
            )
            raise ValueError(message)
        owned = (entry.code for entry in catalogue.incident_classes if entry.department == value)
        return cls(kind, value, frozenset(owned) if kind == "department" else None)  # type: ignore[arg-type]  # the pattern holds the kinds

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}" if self.value else self.kind

    def covers(self, area: str) -> bool:
        """Whether an area (prefix of a grid code, empty for the city) lies inside."""
        return self.kind != "community" or area.startswith(self.value)

    def condition(self, area: str = "grid", incident_class: str = "incident_class") -> Condition:
        """The scope over a column of grid or area codes and one of classes."""
        if self.kind == "community":
            return Condition(f"startsWith({area}, {{scope_area:String}})", {"scope_area": self.value})
        if self.kind == "department":
            classes = sorted(self.classes or ())
            return Condition(f"has({{scope_classes:Array(String)}}, {incident_class})", {"scope_classes": classes})
        return Condition("1", {})


class Who(NamedTuple):
    """One asker. `duty`: sees single events and exact counts."""

    name: str
    scope: Scope
    duty: bool


ANONYMOUS: Final = Who("anonymous", Scope(), duty=False)


class Token(BaseModel):
    """One entry of the file of tokens; the secret itself is nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    scope: Annotated[str, Field(description="city, community:<12 digits>, department:<id>")]
    duty: bool
    created: AwareDatetime


class Tokens:
    """Finds who a secret belongs to. Takes the same time whatever the secret is."""

    def __init__(self, tokens: Iterable[Token], catalogue: Catalogue) -> None:
        self._known = [(token.sha256, Who(token.name, Scope.parse(token.scope, catalogue), token.duty)) for token in tokens]

    def __len__(self) -> int:
        return len(self._known)

    def who(self, secret: str) -> Who | None:
        """Whose secret it is; None: nobody's."""
        digest = digest_of(secret)
        found = None
        for known, who in self._known:
            if hmac.compare_digest(known, digest):
                found = who
        return found


def new_secret() -> str:
    """256 random bits: long enough that a plain hash is all the protection the file needs."""
    return f"cb_{secrets.token_urlsafe(32)}"


def digest_of(secret: str) -> str:
    """What the file of tokens keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_grant(scope: Scope, *, duty: bool) -> None:
    """ValueError: a department's token without duty. Its counts beside those of all would give away the rest."""
    if scope.kind == "department" and not duty:
        raise ValueError("a department's token is a duty token; add --duty (docs/decisions/0030-small-cells.md)")
