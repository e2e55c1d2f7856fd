"""What `citybrain query` may run: reads of our own tables, nothing that reaches files, hosts or programs.

ClickHouse's `readonly=1` refuses writes, settings and table functions; scalar functions such as `file()` slip
through it in the embedded engine, so names that reach outside are refused here as well.
"""

from __future__ import annotations

import re
from typing import Final

from schemas.errors import CitybrainError

REACH_OUT: Final = frozenset({
    "file", "filecluster", "url", "urlcluster", "remote", "remotesecure", "cluster", "clusterallreplicas", "s3", "s3cluster", "gcs",
    "hdfs", "hdfscluster", "azureblobstorage", "azureblobstoragecluster", "mysql", "postgresql", "mongodb", "redis", "sqlite",
    "odbc", "jdbc", "executable", "input", "iceberg", "icebergs3", "deltalake", "hudi", "python", "dictionary", "loop", "sleep",
    "sleepeachrow", "getenv", "catboostevaluate", "paimon", "ytsaurus", "arrowflight", "filesystem", "zookeeper", "addresstoline",
    "addresstosymbol", "demangle", "naivebayesclassifier",
})  # fmt: skip


class NotReadOnly(CitybrainError):
    """A query that would write, or reach outside the store."""


def check_readonly(sql: str) -> str:
    """The query without a trailing semicolon. NotReadOnly names the word that is refused."""
    plain = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'", " ", sql, flags=re.DOTALL)
    if ";" in plain.rstrip().rstrip(";"):
        raise NotReadOnly("one statement at a time: a ';' stands inside the query")
    first = re.match(r"\W*(\w+)", plain)
    word = first.group(1).lower() if first else ""
    if word not in {"select", "with", "show", "describe", "desc", "explain", "exists"}:
        raise NotReadOnly(f"got {word.upper() or 'nothing'}; wanted SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or EXISTS")
    if re.search(r"\binto\s+outfile\b", plain, flags=re.IGNORECASE):
        raise NotReadOnly("INTO OUTFILE writes a file; redirect the output instead")
    for name in re.findall(r"[`\"]?(\w+)[`\"]?\s*\(", plain):
        if name.lower() in REACH_OUT:
            raise NotReadOnly(f"{name}() reaches outside the store and is refused; query the tables of `SHOW TABLES`")
    return sql.strip().rstrip(";")
