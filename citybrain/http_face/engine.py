"""Runs requests on the embedded engine: each on a handle of its own, so that settings and database are its alone."""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import chdb

from citybrain.http_face.request import Insert, Request
from schemas.errors import StoreUnavailable

UNKNOWN_CODE: Final = 1002
"""ClickHouse's UNKNOWN_EXCEPTION."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `format` is empty for statements that return nothing."""

    body: bytes
    format: str
    summary: str
    time_zone: str


class EngineError(Exception):
    """The engine says no, in ClickHouse's words; `code` is ClickHouse's."""

    def __init__(self, text: str, code: int | None = None) -> None:
        super().__init__(text)
        found = re.search(r"Code: (\d+)", text)
        self.code = code if code is not None else int(found[1]) if found else UNKNOWN_CODE


class Engine:
    """The one owner of a chDB folder in this process."""

    def __init__(self, folder: Path) -> None:
        try:
            self._keeper = chdb.connect(str(folder.resolve()))  # the engine lives as long as one handle is open
        except RuntimeError as error:
            cause = f"cannot open {folder}: {error}; one process owns a chDB folder"
            raise StoreUnavailable("store", 0, cause) from error
        self._folder = folder.resolve()
        name, zone = self._keeper.query("SELECT version(), timezone()", "TabSeparated").bytes().decode().split()
        self.version, self.time_zone = name, zone

    def run(self, request: Request) -> Answer:
        """Answer one request; EngineError when ClickHouse refuses or fails. Safe from many threads at once."""
        with closing(chdb.connect(str(self._folder))) as handle:
            if request.database:
                _ask(handle, f"USE {_name(request.database)}")
            # readonly=1 forbids every later SET, so it comes last.
            for name, value in sorted(request.settings.items(), key=lambda item: item[0] == "readonly"):
                _ask(handle, f"SET {name} = {_text(value)}")
            if request.insert:
                return self._insert(handle, request.insert)
            result = _ask(handle, request.sql, request.default_format, dict(request.parameters))
            body = result.bytes() or b""
            return Answer(body, _format_of(request, body), _summary(result), self.time_zone)

    def close(self) -> None:
        """Let the folder go."""
        self._keeper.close()

    def _insert(self, handle: Any, insert: Insert) -> Answer:
        """The engine reads the data from a file: its own parser for statements does not take bytes of every format."""
        with tempfile.NamedTemporaryFile(prefix="citybrain-insert-") as file:
            file.write(insert.data)
            file.flush()
            result = _ask(handle, f"{insert.into} FROM INFILE {_text(file.name)} {insert.settings} FORMAT {insert.format}")
        return Answer(b"", "", _summary(result, written=True), self.time_zone)


def _ask(handle: Any, sql: str | bytes, fmt: str = "TabSeparated", parameters: dict[str, str] | None = None) -> Any:
    try:
        return handle.query(sql, fmt, params=parameters or {})
    except Exception as error:  # chdb raises its own and, for some refusals, RuntimeError
        text = str(error).strip()
        raise EngineError(text[max(0, text.find("Code: ")) :]) from error


def _format_of(request: Request, body: bytes) -> str:
    """The output format, where there is output: a client takes it as the sign that there was a result, even an empty one."""
    if not body and not re.match(rb"\s*\(?\s*(SELECT|WITH|SHOW|DESC|EXPLAIN|EXISTS)\b", request.sql, re.IGNORECASE):
        return ""
    found = re.search(rb"\bFORMAT\s+(\w+)\s*;?\s*$", request.sql, re.IGNORECASE)
    return found[1].decode() if found else request.default_format


def _summary(result: Any, *, written: bool = False) -> str:
    rows, size = str(result.rows_read()), str(result.bytes_read())
    names = ("written_rows", "written_bytes") if written else ("read_rows", "read_bytes")
    return json.dumps({names[0]: rows, names[1]: size, "elapsed_ns": str(int(result.elapsed() * 1e9))})


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
