"""One request as ClickHouse's HTTP interface reads it. Pure: no socket, no engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Final
from urllib.parse import parse_qsl

TRANSPORT: Final = frozenset({
    "query", "database", "user", "password", "query_id", "session_id", "session_timeout", "session_check", "quota_key", "compress",
    "decompress", "buffer_size", "wait_end_of_query", "client_protocol_version", "role", "default_format", "enable_http_compression",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close", "stacktrace",
})  # fmt: skip
"""Parameters that are for the HTTP server; all others are settings of the engine, or `param_NAME` of a query."""

INSERT: Final = re.compile(
    rb"""\s*(?P<into>INSERT\s+INTO\s+(?:TABLE\s+)?(?:`[^`]*`|"[^"]*"|[\w.])+\s*(?:\((?:`[^`]*`|"[^"]*"|[^()`"])*\))?)
    (?P<settings>\s+SETTINGS\s[^\n;]*?)?\s+FORMAT\s+(?P<format>\w+)[ \t]*(?:\r?\n|$)""",
    re.IGNORECASE | re.VERBOSE,
)
"""An INSERT whose data follow it. INSERT ... SELECT and INSERT ... VALUES are statements like others."""
IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BadRequest(Exception):
    """Not what ClickHouse's HTTP interface takes; the text is for the client."""


@dataclass(frozen=True, slots=True)
class Insert:
    """A block of data in `format` for the table and columns that `into` names."""

    into: str
    settings: str
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What the engine is asked. `insert` holds the data of an INSERT, then `sql` is its statement alone."""

    sql: bytes
    insert: Insert | None = None
    database: str = ""
    default_format: str = "TabSeparated"
    query_id: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    pack: bool = False


def read_request(method: str, query_string: str, content_type: str, body: bytes) -> Request:
    """Put URL and body together: the statement is `query` and the body behind it. BadRequest names what is wrong.

    A GET may only read, as in ClickHouse.
    """
    try:
        return _read(method, query_string, content_type, body)
    except UnicodeDecodeError as error:
        message = f"wanted UTF-8 for names, parameters and the statement: {error}"
        raise BadRequest(message) from error


def _read(method: str, query_string: str, content_type: str, body: bytes) -> Request:
    try:
        given = dict(parse_qsl(query_string, keep_blank_values=True, strict_parsing=bool(query_string), errors="strict"))
    except ValueError as error:
        message = f"the query string cannot be read: {error}"
        raise BadRequest(message) from error
    if content_type.lower().startswith("multipart/form-data"):
        parts = _form(content_type, body)
        given |= {name: value.decode() for name, value in parts.items()}
        body = b""
    sql = b"\n".join(part for part in (given.get("query", "").encode(), body) if part)
    if not sql.strip():
        raise BadRequest("no query: put it into the body or into ?query=")
    settings = {name: value for name, value in given.items() if name not in TRANSPORT and not name.startswith("param_")}
    if wrong := [name for name in settings if not IDENTIFIER.fullmatch(name)]:
        message = f"{wrong[0]!r} is no name of a setting"
        raise BadRequest(message)
    if method == "GET" and settings.get("readonly", "0") == "0":
        settings["readonly"] = "2"
    found = INSERT.match(sql)
    insert = None
    if found:
        insert = Insert(
            found["into"].decode(), (found["settings"] or b"").decode().strip(), found["format"].decode(), sql[found.end() :]
        )
    return Request(
        sql=found.group().strip() if found else sql,
        insert=insert,
        database=given.get("database", ""),
        default_format=given.get("default_format", "TabSeparated"),
        query_id=given.get("query_id", ""),
        settings=settings,
        parameters={name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")},
        pack=given.get("enable_http_compression") == "1",
    )


def _form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Fields of a multipart form. A client sends one when its parameters are too long for a URL."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str):
        raise BadRequest("a multipart form without a boundary")
    parts: dict[str, bytes] = {}
    for piece in body.split(b"--" + boundary.encode())[1:-1]:
        head, found, value = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if not found or not name:
            raise BadRequest("a part of the form has no name")
        parts[name[1].decode()] = value.removesuffix(b"\r\n")
    return parts
