"""A text model: weighted terms, the words around them that change their meaning, and how sure a score is.

One form for the rules written by us and for models a city trains on its own work orders. Every weight is readable:

    score(label) = bias(label) + sum of times(term) * weight(term, label) / n,  over the distinct terms found in the text

times is 1 however often the term stands in the text (`once`), or 1 + ln(how often) (`log`: long texts repeat what they are
about). n is 1 (`none`) or the square root of the sum of the squared times * scale of the terms found (`l2`). The best label is
given if its score reaches `threshold` plus what contexts add, and leads the next by `margin`; else `unclassified`.
A file of another form, not whole, or with another hash is refused by `BadModel`. Why one form: docs/decisions/0020.
Pure: bytes in, bytes out.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import BadModel

FORM: Final = "citybrain-text-model/1"
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Temperature(_Part):
    """Confidence = softmax(scores / temperature) of the label given."""

    method: Literal["temperature"] = "temperature"
    temperature: Positive = 1.0


class Platt(_Part):
    """Confidence = sigmoid(slope * score + offset) per label, divided by their sum over all labels."""

    method: Literal["platt"] = "platt"
    slope: dict[str, Number]
    offset: dict[str, Number]


class Lead(_Part):
    """Confidence = sigmoid(slope * lead + offset); lead = best score less the larger of the next score and the score needed, at most `most`."""

    method: Literal["lead"] = "lead"
    slope: Positive
    offset: Number
    most: Positive


Calibration = Annotated[Temperature | Platt | Lead, Field(discriminator="method")]


class Context(_Part):
    """Words that say a text is no report of an event: each context found once adds `raise_by` to the score needed."""

    raise_by: Positive
    terms: tuple[str, ...]


class Negation(_Part):
    """A term does not count where a negator, and at most `reach` fillers, stand directly before it.

    After a `clause` negator nothing counts until the clause ends.
    """

    negators: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    clause: tuple[str, ...] = ()
    reach: Annotated[int, Field(ge=0, le=5)] = 3


class TextModel(_Part):
    """The whole model. Labels stand in order of priority: the first of equal scores wins.

    Terms and all other words match without regard to case. A term of ASCII letters and digits matches whole words only
    (`robber*` any word that begins so); any other term matches as a substring.
    """

    form: Literal["citybrain-text-model/1"] = FORM
    name: str
    version: str
    labels: tuple[str, ...] = Field(min_length=1)
    terms: dict[str, dict[str, Number]]
    bias: dict[str, Number] = {}
    normalisation: Literal["none", "l2"] = "none"
    counts: Literal["once", "log"] = "once"
    scales: dict[str, Positive] = {}  # l2: of a term, 1 where none is given
    unclassified: str = "U00"
    threshold: Number | None = None  # None: the best label however low its score
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    calibration: Calibration = Temperature()
    masks: tuple[str, ...] = ()  # phrases that mean something else than the terms they contain
    negation: Negation = Negation()
    contexts: dict[str, Context] = {}
    data: str  # what it was made from, and what may not be done with it

    @model_validator(mode="after")
    def _labels_are_known(self) -> Self:
        known = set(self.labels)
        if len(known) != len(self.labels):
            raise ValueError("a label stands twice")
        named = {label for weights in self.terms.values() for label in weights} | set(self.bias)
        if isinstance(self.calibration, Platt):
            named |= set(self.calibration.slope) | set(self.calibration.offset)
            if missing := known - (set(self.calibration.slope) & set(self.calibration.offset)):
                raise ValueError(f"calibration lacks labels {sorted(missing)}")
        if strange := named - known:
            raise ValueError(f"labels {sorted(strange)} are not in `labels`")
        if strange := set(self.scales) - set(self.terms):
            raise ValueError(f"scales of {sorted(strange)[:3]}, which are no terms")
        return self


def hash_of(model: TextModel) -> str:
    """SHA-256 of the model's canonical JSON: sorted keys, no hash in it."""
    return hashlib.sha256(_canonical(model)).hexdigest()


def to_bytes(model: TextModel) -> bytes:
    """The model as JSON with its hash, sorted, one key a line so that a change can be read in a diff."""
    document = {"hash": f"sha256:{hash_of(model)}", **model.model_dump(mode="json")}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def from_bytes(content: bytes, where: str) -> TextModel:
    """The model in a file's bytes. BadModel says what is wrong with `where` and what to do."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadModel(where, f"not JSON ({error}); is the file whole?") from error
    if not isinstance(document, dict) or document.get("form") != FORM:
        got = document.get("form") if isinstance(document, dict) else type(document).__name__
        raise BadModel(where, f"form is {got!r}, wanted {FORM!r}")
    stated = document.pop("hash", None)
    try:
        model = TextModel.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadModel(where, f"{place or 'model'}: {first['msg']}") from error
    wanted = f"sha256:{hash_of(model)}"
    if stated != wanted:
        raise BadModel(where, f"hash is {stated!r}, its content has {wanted!r}: changed after it was written, or cut")
    return model


def _canonical(model: TextModel) -> bytes:
    return orjson.dumps(model.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
