"""Rows of every kind of file, and what is said about files that cannot be read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard

from ingest.files import Row, read_rows
from schemas.errors import BadMapping

CSV = 'a,b\n1,"two, and\na new line"\n3,四\n'
NDJSON = '{"a": "1", "b": {"c": 2}}\n\n{"a": "3"}\n'


def plain(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def gzipped(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


def zstded(path: Path, text: str) -> None:
    """In two frames, as appending writers leave it."""
    raw = text.encode()
    path.write_bytes(zstandard.compress(raw[:10]) + zstandard.compress(raw[10:]))


PACKINGS = [("", plain), (".gz", gzipped), (".zst", zstded)]


@pytest.mark.parametrize(("packing", "write"), PACKINGS)
def test_csv_rows_are_numbered_from_one(tmp_path: Path, packing: str, write: Callable[[Path, str], None]) -> None:
    path = tmp_path / f"rows.csv{packing}"
    write(path, CSV)

    assert list(read_rows(path)) == [Row(1, {"a": "1", "b": "two, and\na new line"}), Row(2, {"a": "3", "b": "四"})]


@pytest.mark.parametrize(("packing", "write"), PACKINGS)
def test_ndjson_rows_are_numbered_by_line_and_flat(tmp_path: Path, packing: str, write: Callable[[Path, str], None]) -> None:
    path = tmp_path / f"rows.ndjson{packing}"
    write(path, NDJSON)

    assert list(read_rows(path)) == [Row(1, {"a": "1", "b.c": 2}), Row(3, {"a": "3"})]


def test_parquet_rows(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 2], "b": [{"c": None}, {"c": 0.5}]}).write_parquet(tmp_path / "rows.parquet")

    assert list(read_rows(tmp_path / "rows.parquet")) == [Row(1, {"a": 1, "b.c": None}), Row(2, {"a": 2, "b.c": 0.5})]


def test_other_delimiters_and_encodings(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("a;b\n1;井盖\n".encode("gb18030"))

    assert list(read_rows(path, delimiter=";", encoding="gb18030")) == [Row(1, {"a": "1", "b": "井盖"})]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes("\ufeffa,b\n1,2\n".encode())

    assert list(read_rows(tmp_path / "rows.csv")) == [Row(1, {"a": "1", "b": "2"})]


def test_a_row_of_other_width_says_so_and_keeps_its_number(tmp_path: Path) -> None:
    plain(tmp_path / "rows.csv", "a,b\n1\n2,3\n4,5,6\n")

    assert [(row.number, row.problem) for row in read_rows(tmp_path / "rows.csv")] == [
        (1, "row_of_other_width"), (2, None), (3, "row_of_other_width"),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["{broken", "[1, 2]", '"text"'])
def test_a_line_that_is_no_json_object_says_so(tmp_path: Path, line: str) -> None:
    plain(tmp_path / "rows.jsonl", f'{{"a": 1}}\n{line}\n{{"a": 2}}\n')

    assert [row.problem for row in read_rows(tmp_path / "rows.jsonl")] == [None, "row_not_json", None]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 200_000)[:-500], "after row "),
        ("bytes.csv", b"a,b\n1,2\n\xff,3\n", "after row "),
        ("quote.csv", b'a,b\n1,2\n3,"never closed\n', "after row 1"),
        ("cut.csv.zst", b"not zstd", "after row 0"),
        ("cut.parquet", b"PAR1 and nothing more", "after row 0"),
        ("twice.csv", b"a,a\n1,2\n", r"columns \['a'\] stand twice"),
        ("rows.xlsx", b"", "wanted .csv"),
    ],
)
def test_a_file_that_cannot_be_read_on_is_named_with_its_row(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(BadMapping, match=said) as caught:
        list(read_rows(tmp_path / name))
    assert name in str(caught.value)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    plain(tmp_path / "rows.csv", "")
    plain(tmp_path / "rows.ndjson", "")

    assert not [*read_rows(tmp_path / "rows.csv"), *read_rows(tmp_path / "rows.ndjson")]
