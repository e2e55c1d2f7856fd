"""Texts and labels out of the columns of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ingest.files import Row, read_rows
from schemas.errors import BadMapping


class Labelled(NamedTuple):
    """Rows that have a text and a label, and how many had not."""

    texts: list[str]
    labels: list[str]
    skipped: int


def columns_of(named: str) -> list[str]:
    """`title,body` is two columns, joined by a line break. BadMapping for none."""
    names = [name.strip() for name in named.split(",") if name.strip()]
    if not names:
        raise BadMapping(f"--text {named!r}: got no column; wanted one or more, as title,body")
    return names


def read_labelled(path: Path, text: str, label: str, meaning: dict[str, str] | None = None) -> Labelled:
    """Rows with a text and a label; with `meaning` labels are replaced, and rows of a label it does not name are left out."""
    columns = columns_of(text)
    texts, labels, skipped = [], [], 0
    for row in read_rows(path):
        joined = _text(path, row, columns)
        found = _cell(path, row, label)
        name = found if meaning is None else meaning.get(found, "")
        if joined and name:
            texts.append(joined)
            labels.append(name)
        else:
            skipped += 1
    if not texts:
        raise BadMapping(f"{path}: none of {skipped} rows has both a text in {text} and a label in {label}")
    return Labelled(texts, labels, skipped)


def read_texts(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Row number and text of every row, also of those without one."""
    columns = columns_of(text)
    for row in read_rows(path):
        yield row.number, _text(path, row, columns)


def in_batches(texts: Iterator[tuple[int, str]], size: int) -> Iterator[list[tuple[int, str]]]:
    """The same, `size` at a time."""
    while batch := list(islice(texts, size)):
        yield batch


def read_meaning(path: Path | None) -> dict[str, str] | None:
    """A YAML mapping of labels to labels. BadMapping says what else the file is."""
    if path is None:
        return None
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadMapping(f"{path}: cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BadMapping(f"{path}: wanted lines `label in the file: label it stands for`, as `traffic: S02`")
    return {str(name): value for name, value in found.items()}


def _text(path: Path, row: Row, columns: Sequence[str]) -> str:
    return "\n".join(part for part in (_cell(path, row, column) for column in columns) if part)


def _cell(path: Path, row: Row, column: str) -> str:
    if row.problem:
        return ""
    if column not in row.cells:
        raise BadMapping(f"{path}, row {row.number}: no column {column}; it has {', '.join(row.cells)}")
    value: Any = row.cells[column]
    return "" if value is None else str(value).strip()
