"""An independent recount of the mapped sets, by DuckDB: its own reading, its own clock arithmetic, its own join of classes.

Shares with the pipeline only data: the YAML of code tables, terms and limits. Imports none of the code it checks.
Every row gets two buckets (class, area, local hour): one as the file says, one as a reason of the closed list explains.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa
import shapely
import shapely.geometry
import yaml

from tests.recount_terms import WrittenRules

ROOT: Final = Path(__file__).parent.parent
OPEN: Final = "U00"
LONGEST_TEXT: Final = 4000

Bucket = tuple[str, str, str]
"""Incident class, name of the area ("" when not located), local hour as 2010-01-01 00."""


class DataSet(NamedTuple):
    """Files of a set and how DuckDB reads a row.

    `area`, `code` and `text` are SQL expressions; `local` is the local time as the file says it; `again` and `faulty`
    are SQL conditions for rows that use an id again and rows with a reading that is no number.
    """

    files: tuple[str, ...]
    zone: str
    local: str
    area: str
    code: str = "NULL"
    text: str = "NULL"
    again: str = "false"
    faulty: str = "false"


NUMBERS: Final = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM")

SETS: Final[dict[str, DataSet]] = {
    "houston": DataSet(
        ("police/houston_*.csv.gz",), "America/Chicago", "strptime(occurred_local, '%Y-%m-%dT%H:%M:%S')",
        "CASE WHEN beat = 'UNK' THEN NULL ELSE beat END", code="offense",
    ),
    "charlottesville": DataSet(  # the hour is the file's own local hour, not worked out from its UTC time
        ("police/charlottesville_*.csv.gz",), "America/New_York",
        "date_trunc('day', timezone('America/New_York', timezone('UTC', strptime(left(DateReported, 19), '%Y/%m/%d %H:%M:%S'))))"
        " + to_hours(CAST(left(lpad(HourReported, 4, '0'), 2) AS INTEGER))",
        "StreetName", code="Offense",
    ),
    "chicago": DataSet(
        ("police/chicago_*.csv.gz",), "America/Chicago", "strptime(occurred_local, '%Y-%m-%dT%H:%M:%S')", "Beat",
        code="\"Primary Type\" || ': ' || \"Description\"",
    ),
    "montgomery": DataSet(
        ("police/montgomery_*.csv.gz",), "America/New_York", "strptime(timeStamp, '%Y-%m-%d %H:%M:%S')",
        "CASE WHEN lng::DOUBLE BETWEEN {west} AND {east} AND lat::DOUBLE BETWEEN {south} AND {north} THEN format('r{{:03d}}c{{:03d}}', "
        "CAST(floor((lat::DOUBLE - {south}) / ({north} - {south}) * {rows}) AS INTEGER), "
        "CAST(floor((lng::DOUBLE - {west}) / ({east} - {west}) * {columns}) AS INTEGER)) END",
        code="title",
    ),
    "sf": DataSet(
        ("police/sf_calls_*.csv.gz",), "America/Los_Angeles", "strptime(call_date_time, '%Y-%m-%dT%H:%M:%S.%g')", "city",
        code="original_crime_type_name",
    ),
    "citizen_messages": DataSet(
        ("citizen_messages/labelled_*.csv.gz", "citizen_messages/messages_*.csv.gz"), "Asia/Shanghai",
        "strptime(posted_at, '%Y-%m-%dT%H:%M:%S')",
        "coalesce(nullif(regexp_extract(title || chr(10) || body, '[A-Z][0-9]+[区县市]'), ''), regexp_extract(title || chr(10) || body, '[A-Z]市'))",
        text="title || chr(10) || body", again="row_number() OVER (PARTITION BY message_id ORDER BY n) > 1",
    ),
    "beijing_air": DataSet(
        ("sensor/beijing_air_*.csv.gz",), "Asia/Shanghai", "strptime(time, '%Y-%m-%dT%H:%M')", "station",
        faulty=" OR ".join(f'("{name}" IS NOT NULL AND TRY_CAST("{name}" AS DOUBLE) IS NULL)' for name in NUMBERS),
    ),
    "nab": DataSet(("sensor/nab_series*.csv.gz",), "UTC", "strptime(timestamp, '%Y-%m-%d %H:%M:%S')", "series"),
}  # fmt: skip


class Recount(NamedTuple):
    """What a file holds. `reasons` counts the rows whose two buckets differ, or which are not stored, by reason."""

    rows: int
    plain: Counter[Bucket]
    explained: Counter[Bucket]
    reasons: Counter[str]
    rejected: int
    repeated: int


def files_of(name: str, data: Path) -> list[Path]:
    """The files of a set, in the order they are replayed. FileNotFoundError names what is missing."""
    found = [path for pattern in SETS[name].files for path in sorted(data.glob(pattern))]
    if len(found) < len(SETS[name].files):
        raise FileNotFoundError(f"{name}: wanted {SETS[name].files} under {data}, found {[path.name for path in found]}")
    return found


def recount(name: str, files: list[Path]) -> Recount:
    """Count a set from its files."""
    wanted = SETS[name]
    mapping = yaml.safe_load((ROOT / "ingest" / "mappings" / f"{name}.yaml").read_text(encoding="utf-8"))
    rows = _read(wanted, mapping, files)
    areas = _beats(files) if name == "chicago" else None
    result = Recount(len(rows), Counter(), Counter(), Counter(), 0, 0)
    rejected = repeated = 0
    for row in rows:
        by_text, by_cut_text = _class_of(row)
        plain = (by_text, row["area"] or "", row["hour"])
        located = areas.get(row["n"], row["area"]) if areas else row["area"]
        explained = (by_cut_text, located or "", row["hour_there_was"])
        result.plain[plain] += 1
        if row["faulty"]:
            rejected += 1
            result.reasons["cell_not_a_number"] += 1
            continue
        if row["again"]:
            repeated += 1
            result.reasons["id_used_before"] += 1
            continue
        result.explained[explained] += 1
        for reason, before, after in zip(("text_cut", "point_in_other_area", "time_in_dst_gap"), plain, explained, strict=True):
            result.reasons[reason] += before != after
    return result._replace(rejected=rejected, repeated=repeated, reasons=+result.reasons)


def _read(wanted: DataSet, mapping: dict[str, Any], files: list[Path]) -> list[dict[str, Any]]:
    connection = duckdb.connect()
    classes = mapping.get("classes", {})
    exact = [(code.lower(), to) for code, to in classes.get("exact", {}).items()] or [("", "")]
    patterns = [(number, rule["match"], rule["to"]) for number, rule in enumerate(classes.get("patterns", []))] or [(0, "", "")]
    connection.register("exact", pa.table({"plain": [row[0] for row in exact], "class": [row[1] for row in exact]}))
    connection.register(
        "patterns",
        pa.table(
            {
                "number": [row[0] for row in patterns],
                "match": [row[1] for row in patterns],
                "class": [row[2] for row in patterns],
            }
        ),
    )
    tables = " UNION ALL BY NAME ".join(
        f"SELECT *, {part} AS part FROM read_csv('{file}', all_varchar=true, header=true, parallel=false)"
        for part, file in enumerate(files)
    )
    hour = "strftime({}, '%Y-%m-%d %H')"
    there_was = f"timezone('{wanted.zone}', timezone('{wanted.zone}', local))"
    answer = connection.sql(f"""
        WITH numbered AS (SELECT *, row_number() OVER () AS n FROM ({tables})),
        read AS (
            SELECT n, {wanted.code} AS code, {wanted.text} AS text, {wanted.area.format(**mapping.get("places", {}))} AS area,
                   {wanted.local} AS local, {wanted.again} AS again, {wanted.faulty} AS faulty, {_limit(mapping)} AS by_limit
            FROM numbered
        ),
        codes AS (SELECT DISTINCT code, lower(regexp_replace(trim(code), '\\s+', ' ', 'g')) AS plain FROM read),
        classed AS (
            SELECT code, any_value(exact.class) AS by_exact, arg_min(patterns.class, patterns.number) AS by_pattern
            FROM codes LEFT JOIN exact USING (plain) LEFT JOIN patterns ON regexp_full_match(plain, lower(match)) GROUP BY code
        )
        SELECT n, read.code AS code, text, area, again, faulty, {hour.format("local")} AS hour,
               {hour.format(there_was)} AS hour_there_was, coalesce(by_exact, by_pattern) AS by_table, by_limit
        FROM read LEFT JOIN classed ON classed.code IS NOT DISTINCT FROM read.code
    """)
    rows: list[dict[str, Any]] = answer.to_arrow_table().to_pylist()
    return rows


def _limit(mapping: dict[str, Any]) -> str:
    """SQL for the class of the first reading past its limit."""
    limits = yaml.safe_load((ROOT / "streams" / "rules" / "limits.yaml").read_text(encoding="utf-8"))["metrics"]
    cases = []
    for reading in mapping.get("readings", []):
        limit = limits.get(reading["metric"], {})
        value = f'TRY_CAST("{reading["column"]}" AS DOUBLE)'
        cases += [
            f"WHEN {value} {sign} {limit[key]} THEN '{limit['class']}'"
            for key, sign in (("above", ">"), ("below", "<"))
            if key in limit
        ]
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


def _class_of(row: dict[str, Any]) -> tuple[str, str]:
    """Class by the whole text and by what an event may hold of it; a table or a limit decides first."""
    decided = row["by_table"] or row["by_limit"] or _codes().get((row["code"] or "").lower())
    if decided or not row["text"]:
        return decided or OPEN, decided or OPEN
    whole = _by_terms(row["text"])
    return whole, whole if len(row["text"]) <= LONGEST_TEXT else _by_terms(row["text"][:LONGEST_TEXT])


def _by_terms(text: str) -> str:
    """The class by a recount of the rules for texts, one text at a time (`tests.recount_terms`)."""
    if "terms" not in _RULES:
        _RULES["terms"] = WrittenRules.read(ROOT / "streams" / "rules")
    rules: WrittenRules = _RULES["terms"]
    return rules.class_of(text)


def _beats(files: list[Path]) -> dict[int, str]:
    """Chicago: beat of the polygon each row's coordinates lie in, by row number."""
    beats = json.loads(gzip.decompress((files[0].parent / "chicago_police_beats.geojson.gz").read_bytes()))
    rows = duckdb.sql(
        f"SELECT row_number() OVER (), Longitude::DOUBLE, Latitude::DOUBLE FROM read_csv({[str(file) for file in files]}, all_varchar=true, header=true)"
    ).fetchall()
    placed = [row for row in rows if row[1] is not None]
    found: dict[int, str] = {}
    for beat in sorted(beats["features"], key=lambda beat: beat["properties"]["beat_num"], reverse=True):
        inside = shapely.intersects_xy(
            shapely.geometry.shape(beat["geometry"]), [row[1] for row in placed], [row[2] for row in placed]
        )
        found |= {row[0]: beat["properties"]["beat_num"] for row, hit in zip(placed, inside, strict=True) if hit}
    return found


_RULES: dict[str, Any] = {}


def _codes() -> dict[str, str]:
    if "codes" not in _RULES:
        table = yaml.safe_load((ROOT / "streams" / "rules" / "codes.yaml").read_text(encoding="utf-8"))["codes"]
        _RULES["codes"] = {str(code).lower(): to for code, to in table.items()}
    codes: dict[str, str] = _RULES["codes"]
    return codes
