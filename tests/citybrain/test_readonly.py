"""Reads pass, everything else is refused, and what the check lets through cannot write or reach out in the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from citybrain.readonly import SCALARS, TABLE_FUNCTIONS, NotReadOnly, QueryFailed, check_format, check_readonly, read
from sinks.migrate import migrate
from sinks.store import Store

SECRET = "nobody outside may read this"  # noqa: S105 - the test's own bait

READING = [
    "SELECT count() FROM events",
    "  select 1 ;",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "WITH grids AS (SELECT DISTINCT grid FROM events) SELECT count() FROM grids",
    "SHOW TABLES",
    "SHOW CREATE TABLE events",
    "DESCRIBE events",
    "DESC TABLE events",
    "EXPLAIN SELECT count() FROM events",
    "SELECT ';', 'it''s', 'a\\'b -- not a comment', '/* nor this */'",
    "SELECT 1 -- the end",
    "SELECT /* a note; with a semicolon */ 1;;  ",
    "SELECT `km/h` FROM (SELECT 1 AS `km/h`)",
    'SELECT 1 AS "中心镇"',
    "SELECT '榆阳区', quantile(0.95)(number) FROM numbers(10)",
    "SELECT number % 2 AS cluster, count() FROM numbers(4) GROUP BY cluster",
    "SELECT 'insert into events; drop table events'",
    "SELECT arrayMap(x -> x + 1, [1, 2])[1], 1::UInt8, -1.5e3, map('a', 1)['a']",
    "SELECT 6/ 2, 6 /2",
]
FILE_READS = [
    "SELECT file('{file}')",
    "SELECT FiLe ('{file}')",
    "SELECT file/* */('{file}')",
    "SELECT file -- \n ('{file}')",
    "SELECT `file`('{file}')",
    "SELECT \"file\"('{file}')",
    "SELECT `fil\\x65`('{file}')",
    "SELECT 1 AS `--`, file('{file}')",
    "SELECT 1 AS \"--\", file('{file}')",
    "SELECT 1 AS “--”, file('{file}')",
    "SELECT ‘--’, file('{file}')",
    "SELECT $$'$$, file('{file}'), $$'$$",
    "SELECT $a$'$a$, file('{file}'), $a$'$a$",
    "SELECT 1 # '\n, file('{file}') # '",
    "SELECT 1 #! '\n, file('{file}') #! '",
    "SELECT 1 // '\n, file('{file}') // '",
    "SELECT /* /* */ ' */ file('{file}') /* ' */ */ FROM system.one /* ' */",
    "SELECT * APPLY(file) FROM (SELECT '{file}')",
    "SELECT * APPLY file FROM (SELECT '{file}')",
    "SELECT arrayMap(file, ['{file}'])",
    "SELECT * FROM view(SELECT file('{file}'))",
    "EXPLAIN SELECT file('{file}')",
    "WITH (SELECT file('{file}')) AS content SELECT content",
    "DESCRIBE TABLE file('{file}')",
    "DESCRIBE (SELECT * FROM file('{file}', 'LineAsString'))",
    "SELECT * FROM file('{file}', 'LineAsString')",
]
REFUSED = [
    *FILE_READS,
    "SELECT * FROM url('http://127.0.0.1:9/x')",
    "DESCRIBE TABLE url('http://127.0.0.1:9/x')",
    "SELECT * FROM remote('127.0.0.1:9', system.one)",
    "SELECT * FROM remoteSecure('127.0.0.1:9', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:9/bucket/x.csv')",
    "SELECT * FROM mysql('127.0.0.1:9', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:9', 'd', 't', 'u', 'p')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM executable('x.sh', 'TSV', 'a String')",
    "SELECT * FROM python(anything)",
    "SELECT sleep(3)",
    "SELECT aiGenerate('a poem')",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 into\n/* x */outfile '{out}'",
    "SELECT 1 AS `--` INTO OUTFILE '{out}'",
    "INSERT INTO classes VALUES ('a', 'b', 'c', 'd')",
    "ALTER TABLE events DELETE WHERE 1",
    "DROP TABLE classes",
    "/* SELECT */ DROP TABLE classes",
    "-- SELECT\nTRUNCATE TABLE classes",
    "CREATE TABLE t (a Int8) ENGINE = Memory",
    "ATTACH TABLE t",
    "SYSTEM SHUTDOWN",
    "SET readonly = 0",
    "USE system",
    "KILL QUERY WHERE 1",
    "GRANT ALL ON *.* TO default",
    "OPTIMIZE TABLE events",
    "EXISTS `{file}`",
    "SELECT 1; DROP TABLE classes",
    "SELECT 1;SELECT 2",
    "SELECT ';' ; DROP TABLE classes --",
    "",
    " ; ",
    "-- nothing",
    "SELECT 'no end",
    "SELECT 1 /* no end",
    "SELECT 1 \0",
]
BY_THE_ENGINE = [
    "WITH 1 AS x INSERT INTO classes SELECT 'a', 'b', 'c', 'd'",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT * FROM `{file}`",
    "SELECT * FROM '{file}'",
    "EXPLAIN PLAN INSERT INTO classes SELECT * FROM '{file}'",
    "SELECT 1 FORMAT TSV",
]
HARMLESS = {
    "sqlstandardvalues", "file", "format", "fuzzjson", "generaterandom", "generateseries", "generate_series", "merge",
    "mergetreeanalyzeindexes", "mergetreeanalyzeindexesuuid", "mergetreecodecblockcounts", "mergetreeindex", "mergetreeprojection",
    "mergetreetextindex", "null", "numbers", "numbers_mt", "primes", "timeseriesdata", "timeseriesmetricfamilies", "timeseriesmetrics",
    "timeseriessamples", "timeseriesselector", "timeseriestags", "values", "view", "viewifpermitted", "zeros", "zeros_mt",
}  # fmt: skip
"""Table functions that read our own tables or nothing; `file` is refused as a scalar function of the same name."""
SUSPICIOUS = ("file", "http", "url", "exec", "sleep", "remote", "python", "cert", "model", "env", "server", "macro", "shell")
"""Parts of names by which a new function of the engine is noticed."""
LOOKED_AT = {
    "base64urldecode", "base64urlencode", "currentprofiles", "currentrequesturl", "cuturlparameter", "decodeurlcomponent",
    "decodeurlformcomponent", "defaultprofiles", "enabledprofiles", "encodeurlcomponent", "encodeurlformcomponent",
    "extracturlparameter", "extracturlparameternames", "extracturlparameters", "filesystemavailable", "filesystemcapacity",
    "filesystemunreserved", "getclienthttpheader", "getserverport", "servertimezone", "serveruuid", "trybase64urldecode",
    "urlhash", "urlhierarchy", "urlpathhierarchy",
}  # fmt: skip
"""Harmless ones among those: they only work on the text they are given."""


class Engine(NamedTuple):
    """A real store with our tables, a reader of it, and files outside."""

    owner: Store
    reader: Store
    file: Path
    out: Path

    def fill(self, sql: str) -> str:
        return sql.replace("{file}", str(self.file)).replace("{out}", str(self.out))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("readonly")
    (folder / "secret.csv").write_text(SECRET, encoding="utf-8")
    owner = Store.connect(str(folder / "clickhouse"))
    migrate(owner, "Asia/Shanghai")
    reader = Store.connect(str(folder / "clickhouse"), readonly=True)
    yield Engine(owner, reader, folder / "secret.csv", folder / "out.csv")
    reader.close()
    owner.close()


class TestCheck:
    @pytest.mark.parametrize("sql", READING)
    def test_a_read_passes_and_runs(self, engine: Engine, sql: str) -> None:
        read(engine.reader, sql, "JSONEachRow")

    @pytest.mark.parametrize("sql", REFUSED)
    def test_what_is_no_read_is_refused(self, engine: Engine, sql: str) -> None:
        with pytest.raises(NotReadOnly):
            read(engine.reader, engine.fill(sql), "JSONEachRow")

    @pytest.mark.parametrize("sql", BY_THE_ENGINE)
    def test_what_the_check_cannot_see_the_engine_refuses(self, engine: Engine, sql: str) -> None:
        with pytest.raises(QueryFailed):
            read(engine.reader, engine.fill(sql), "JSONEachRow")

    def test_the_bait_is_real(self, engine: Engine) -> None:
        """Without the check most of the file reads succeed: the engine's readonly mode alone does not help."""
        leaks = 0
        for sql in FILE_READS:
            try:
                leaks += SECRET.encode() in engine.reader.raw(engine.fill(sql), "TSV")
            except Exception:  # noqa: S112 - what the engine refuses by itself is no leak
                continue
        assert leaks >= 15

    def test_nothing_was_written(self, engine: Engine) -> None:
        assert not engine.out.exists()
        assert engine.owner.query(
            "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'classes'"
        ) == [(1,)]
        assert engine.owner.query("SELECT count() FROM classes") == [(0,)]

    @pytest.mark.parametrize("call", ["SELECT {}(1)", "SELECT * FROM {} (1)"])
    def test_every_listed_name_is_refused_in_any_case(self, call: str) -> None:
        for name in SCALARS | TABLE_FUNCTIONS:
            with pytest.raises(NotReadOnly, match=name):
                check_readonly(call.format(name.upper()))

    def test_a_refusal_says_what_to_do(self) -> None:
        for sql, told in [
            ("DROP TABLE events", "got DROP; wanted SELECT"),
            ("SELECT url('x')", "SHOW TABLES"),
            ("SELECT 1; SELECT 2", "one statement at a time"),
            ("SELECT 1 INTO OUTFILE 'x'", "redirect the output"),
            ("SELECT 1 # note", "comments are -- or"),
        ]:
            with pytest.raises(NotReadOnly, match=told):
                check_readonly(sql)


class TestFormat:
    def test_a_name_passes(self) -> None:
        assert check_format("JSONEachRow") == "JSONEachRow"

    @pytest.mark.parametrize("fmt", ["", "TSV; DROP TABLE classes", "TSV SETTINGS readonly=0", "TSV\nINTO", "TSV--"])
    def test_more_than_a_name_is_refused(self, fmt: str) -> None:
        with pytest.raises(NotReadOnly, match="wanted the name of an output format"):
            check_format(fmt)


class TestEngineIsKnown:
    """A new version of the engine brings new functions: these fail until somebody has looked at them."""

    def test_every_table_function_is_judged(self, engine: Engine) -> None:
        present = {str(name).lower() for (name,) in engine.owner.query("SELECT name FROM system.table_functions")}

        assert present - TABLE_FUNCTIONS - HARMLESS == set()

    def test_every_scalar_function_with_a_suspicious_name_is_judged(self, engine: Engine) -> None:
        names = engine.owner.query("SELECT name FROM system.functions WHERE NOT is_aggregate AND alias_to = ''")
        present = {str(name).lower() for (name,) in names}
        suspects = {name for name in present if name.startswith("ai") or any(part in name for part in SUSPICIOUS)}

        assert suspects - SCALARS - LOOKED_AT == set()

    def test_our_own_columns_and_tables_have_no_refused_name(self, engine: Engine) -> None:
        names = engine.owner.query(
            "SELECT DISTINCT arrayJoin([name, table]) FROM system.columns WHERE database = currentDatabase()"
        )

        assert {str(name).lower() for (name,) in names} & (SCALARS | {"outfile"}) == set()
