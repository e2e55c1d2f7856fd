"""Markdown from values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a bar in a cell is escaped, a line end becomes a space."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines) + "\n\n"


def fenced(text: str, language: str) -> str:
    """A code block."""
    return f"```{language}\n{text.rstrip()}\n```\n\n"


def code(text: object) -> str:
    """Code style; nothing for an empty text."""
    return f"`{text}`" if str(text) else ""


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
