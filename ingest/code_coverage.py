"""How much of a file a code table knows: by rows, and code by code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ingest.code_table import CodeTable
from ingest.events_of import cell_reader, classifier
from ingest.files import read_rows
from schemas.errors import BadMapping


class Code(NamedTuple):
    """One code of a file: rows that bear it, its class, or why it has none; neither: the table does not know it."""

    code: str
    rows: int
    incident_class: str | None
    why: str | None


class Coverage(NamedTuple):
    """Every code of the files, the most frequent first. `without_code` rows bear none."""

    codes: tuple[Code, ...]
    without_code: int

    @property
    def unmapped(self) -> tuple[Code, ...]:
        """Codes the table does not know."""
        return tuple(code for code in self.codes if code.incident_class is None and code.why is None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON shows it: `mapped` rows have a class, `none` are listed as none of ours, `unmapped` are not known."""
        mapped = sum(code.rows for code in self.codes if code.incident_class)
        none = sum(code.rows for code in self.codes if code.why)
        rows = sum(code.rows for code in self.codes) + self.without_code
        return {
            "rows": rows, "mapped": mapped, "none": none, "without_code": self.without_code,
            "unmapped_rows": sum(code.rows for code in self.unmapped), "mapped_share": mapped / rows if rows else None,
            "known_share": (mapped + none) / rows if rows else None, "codes": len(self.codes),
            "by_code": {code.code: {"rows": code.rows, "class": code.incident_class, "why": code.why} for code in self.codes},
            "unmapped": [{"code": code.code, "rows": code.rows} for code in self.unmapped],
        }  # fmt: skip

    def lines(self) -> list[str]:
        """As people read it."""
        told = self.to_dict()
        head = (
            f"{told['rows']:,} rows with {told['codes']:,} codes: {told['mapped']:,} have a class, {told['none']:,} are listed as none "
            f"of ours, {told['unmapped_rows']:,} are unmapped, {told['without_code']:,} bear no code"
        )
        return [
            head,
            *(f"{code.rows:>8,}  {code.code:<40} {code.incident_class or code.why or 'UNMAPPED'}" for code in self.codes),
        ]


def coverage_of(table: CodeTable, paths: Iterable[Path]) -> Coverage:
    """Read the files once. BadMapping when a file lacks the table's columns."""
    read, counts, without_code = cell_reader(table.cell), Counter[str](), 0
    for path in paths:
        for row in read_rows(path, delimiter=table.delimiter, encoding=table.encoding):
            if row.number == 1 and (missing := [column for column in table.columns if column not in row.cells]):
                raise BadMapping(f"{path}: columns {missing} are missing; got {sorted(row.cells)}; is it the right table?")
            if code := read(row.cells):
                counts[code] += 1
            else:
                without_code += 1
    class_of = classifier(table.classes)
    none = [(re.compile(entry.match, re.IGNORECASE), entry.why) for entry in table.classes.none]
    codes = []
    for code, rows in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        incident_class = class_of(code)
        plain = " ".join(code.split())
        why = None if incident_class else next((why for pattern, why in none if pattern.fullmatch(plain)), None)
        codes.append(Code(code, rows, incident_class, why))
    return Coverage(tuple(codes), without_code)
