"""Code tables of systems in use: their codes, our classes. A mapping holds one for its files; others lie in `code_tables/`.

Codes are facts, and shipped; rows of the systems are not. What a code says is decided once, here, and never guessed
from a row (docs/decisions/0027-code-tables-list-what-they-leave-out.md).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.mapping import Cell, Classes, Mapping
from schemas import strict_yaml
from schemas.errors import BadMapping


class CodeTable(BaseModel):
    """The codes of one system. `columns` hold the code in a file; several are joined by `join`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    join: str = " / "
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    classes: Classes

    @property
    def cell(self) -> Cell:
        """Where a row's code stands."""
        return Cell(columns=self.columns, join=self.join)


def table_of(mapping: Mapping, name: str) -> CodeTable:
    """The code table of a mapping. BadMapping for one without a code."""
    cell = mapping.fields.get("code")
    if cell is None:
        raise BadMapping(f"mapping {name}: reads no code; wanted one with a field `code`, as houston has")
    return CodeTable(
        about=mapping.about, columns=cell.columns, join=cell.join, delimiter=mapping.delimiter, encoding=mapping.encoding,
        classes=mapping.classes,
    )  # fmt: skip


def shipped_tables() -> dict[str, CodeTable]:
    """The code tables in the package, by name."""
    names = sorted(entry.name.removesuffix(".yaml") for entry in _shipped().iterdir() if entry.name.endswith(".yaml"))
    return {name: load_table(name) for name in names}


def load_table(name_or_path: str) -> CodeTable:
    """A shipped code table by its name, or the YAML file at a path. BadMapping names file, field, got and wanted."""
    shipped = _shipped().joinpath(f"{name_or_path}.yaml")
    path = Path(name_or_path)
    if "/" not in name_or_path and shipped.is_file():
        text = shipped.read_text(encoding="utf-8")
    elif path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        names = ", ".join(sorted(entry.name.removesuffix(".yaml") for entry in _shipped().iterdir()))
        raise BadMapping(f"code table {name_or_path!r}: no such file, and no shipped one of that name; wanted one of {names}")
    try:
        return CodeTable.model_validate(strict_yaml.load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise BadMapping(f"code table {name_or_path}: {error}") from error


def _shipped() -> Any:
    return files(__package__).joinpath("code_tables")
