"""What the forms of the catalogue are made of: texts in two languages, ids, numbers."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Kind = Literal["sensor", "police", "grid", "service", "inspection", "mediation"]
"""Where an information class comes from; it is also the first part of its id."""

CJK: Final = range(0x4E00, 0x9FFF + 1)


def _chinese(text: str) -> str:
    if not any(ord(letter) in CJK for letter in text):
        raise ValueError("wanted Chinese")
    return _trimmed(text)


def _english(text: str) -> str:
    if not any(letter.isascii() and letter.isalpha() for letter in text) or any(ord(letter) in CJK for letter in text):
        raise ValueError("wanted English, without Chinese characters")
    return _trimmed(text)


def _trimmed(text: str) -> str:
    if text != text.strip():
        raise ValueError("wanted no blanks around it")
    return text


Chinese = Annotated[str, Field(max_length=200), AfterValidator(_chinese)]
English = Annotated[str, Field(max_length=300), AfterValidator(_english)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
ClassCode = Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")]
InformationId = Annotated[str, Field(pattern=r"^(sensor|police|grid|service|inspection|mediation)\.[a-z][a-z0-9_]{0,50}$")]
AreaPrefix = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12}|[0-9]{15})$")]


class Part(BaseModel):
    """Frozen, and a key nobody knows is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """The same sentence in both languages."""

    zh: Chinese
    en: English


class Texts(Part):
    """Lists in both languages; they need not be translations of each other."""

    zh: Annotated[tuple[Chinese, ...], Field(min_length=1)]
    en: Annotated[tuple[English, ...], Field(min_length=1)]


class Named(Part):
    """Something with a name in both languages."""

    zh: Chinese
    en: English


class Entry(Named):
    """A named entry of a list."""

    id: Word
