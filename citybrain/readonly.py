"""What `citybrain query` may run: reads of our own tables, nothing that reaches files, hosts or programs.

ClickHouse's `readonly=1` refuses writes, settings and reading table functions. Three things slip through it in the
embedded engine: scalar functions such as `file()`, the table functions that DESCRIBE opens, and INTO OUTFILE. So the
query is cut into words by ClickHouse's own rules, and what those rules let hide a word (a comment in a comment, heredocs,
escapes in a name) is refused: a query that cannot be read with certainty does not run (docs/decisions/0010).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from schemas.errors import CitybrainError, StoreRefused, StoreUnavailable
from sinks.store import Store

READS: Final = frozenset({"select", "with", "show", "describe", "desc", "explain"})
SCALARS: Final = frozenset({
    "file", "sleep", "sleepeachrow", "catboostevaluate", "evalmlmethod", "aiclassify", "aiembed", "aiextract", "aifilter",
    "aigenerate", "airedact", "aisimilarity", "aitranslate", "addresstoline", "addresstolinewithinlines", "addresstosymbol",
    "showcertificate", "getserversetting", "getmacro", "logtrace", "chdb",
})  # fmt: skip
"""Refused wherever they stand: a function's name may also be an argument, as in arrayMap(file, ...) or APPLY file."""
TABLE_FUNCTIONS: Final = frozenset({
    "arrowflight", "arrowstream", "azureblobstorage", "azureblobstoragecluster", "bigquery", "cluster", "clusterallreplicas", "cosn",
    "deltalake", "deltalakeazure", "deltalakeazurecluster", "deltalakecluster", "deltalakelocal", "deltalakes3", "deltalakes3cluster",
    "dictionary", "eval", "executable", "filecluster", "filesystem", "fuzzquery", "gcs", "hdfs", "hdfscluster", "hive", "hudi",
    "hudicluster", "iceberg", "icebergazure", "icebergazurecluster", "icebergcluster", "iceberghdfs", "iceberghdfscluster",
    "iceberglocal", "iceberglocalcluster", "icebergs3", "icebergs3cluster", "input", "jdbc", "loop", "mongodb", "mysql", "odbc", "oss",
    "paimon", "paimonazure", "paimonazurecluster", "paimoncluster", "paimonhdfs", "paimonhdfscluster", "paimonlocal", "paimons3",
    "paimons3cluster", "postgresql", "prometheusquery", "prometheusqueryrange", "python", "redis", "remote", "remotesecure", "s3",
    "s3cluster", "sqlite", "url", "urlcluster", "viewexplain", "ytsaurus",
})  # fmt: skip
"""Refused before a parenthesis; elsewhere they are names of columns and aliases."""

TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*(?:(?!/\*).)*?\*/)
    |(?P<text>'(?:[^'\\]|\\.|'')*')
    |(?P<name>`[^`\\]*`|"[^"\\]*")
    |(?P<word>\w+)
    |(?P<sign>/(?![/*])|[-+*%=<>!,.:;?@^|&~(){}\[\]])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class NotReadOnly(CitybrainError):
    """A query that would write, or reach outside the store."""


class QueryFailed(CitybrainError):
    """ClickHouse could not run a query; the text is its own."""


class _Token(NamedTuple):
    kind: str
    text: str
    end: int


def check_readonly(sql: str) -> str:
    """The query without a trailing semicolon. NotReadOnly names what is refused."""
    tokens = list(_tokens(sql))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if any(token.text == ";" for token in tokens):
        raise NotReadOnly("one statement at a time: a ';' stands inside the query")
    first = next((token.text for token in tokens if token.text != "("), "")
    if first.lower() not in READS:
        raise NotReadOnly(f"got {first.upper() or 'nothing'}; wanted SELECT, WITH, SHOW, DESCRIBE or EXPLAIN")
    for token, following in zip(tokens, [*tokens[1:], _Token("end", "", 0)], strict=True):
        if token.kind not in {"word", "name"}:
            continue
        name = token.text.strip('`"').lower()
        if name == "outfile":
            raise NotReadOnly("INTO OUTFILE writes a file; redirect the output instead")
        if name in SCALARS or (name in TABLE_FUNCTIONS and following.text == "("):
            raise NotReadOnly(f"{name}() reaches outside the store and is refused; query the tables of `SHOW TABLES`")
    # A comment at the end would hide the FORMAT that is put behind.
    return sql[: tokens[-1].end].strip()


def check_format(fmt: str) -> str:
    """The name of an output format. NotReadOnly when it is more than a name: it is put into the query as it is."""
    if not re.fullmatch(r"\w+", fmt, flags=re.ASCII):
        raise NotReadOnly(f"format {fmt!r}: wanted the name of an output format of ClickHouse, as JSONEachRow")
    return fmt


def read(store: Store, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None) -> bytes:
    """Run one read-only query; the engine fills `{name:Type}`. NotReadOnly when it is none, QueryFailed when ClickHouse says no."""
    try:
        return store.raw(check_readonly(sql), check_format(fmt), parameters)
    except (StoreRefused, StoreUnavailable) as error:
        raise QueryFailed(error.cause) from error


def _tokens(sql: str) -> Iterator[_Token]:
    at = 0
    while at < len(sql):
        found = TOKEN.match(sql, at)
        if found is None or found.lastgroup is None:
            raise NotReadOnly(
                f"cannot read the query from {sql[at : at + 20]!r} on: comments are -- or /* */ and do not nest, texts stand "
                "in '', names in \"\" or `` without backslash, and other characters only inside of those"
            )
        if found.lastgroup != "space":
            yield _Token(found.lastgroup, found.group(), found.end())
        at = found.end()
