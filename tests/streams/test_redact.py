"""Kept text names no person: numbers, addresses and plates are marks."""

from __future__ import annotations

import polars as pl
import pytest

from streams.redact import redact


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("请回电13812345678谢谢", "请回电[phone]谢谢"),
        ("138-1234-5678", "[phone]"),
        ("138 1234 5678", "[phone]"),
        ("+86 13812345678", "[phone]"),
        ("8613812345678", "[phone]"),
        ("座机0477-8123456", "座机[phone]"),
        ("座机04778123456", "座机[phone]"),
        ("010 12345678", "[phone]"),
        ("身份证150602199001011234", "身份证[id]"),
        ("15060219900101123X和15060219900101123x", "[id]和[id]"),
        ("旧证150602900101123", "旧证[id]"),
        ("写信到 zhang.san+1@example.com.cn。", "写信到 [email]。"),
        ("蒙K12345追尾", "[plate]追尾"),
        ("蒙K·A1234", "[plate]"),
        ("蒙 K12345", "[plate]"),
        ("蒙KD12345", "[plate]"),
        ("蒙K1234警", "[plate]"),
        ("蒙k1a2b3", "[plate]"),
        ("3号楼2单元501室漏水", "3号楼2单元501室漏水"),
        ("2026年11月23日08:00", "2026年11月23日08:00"),
        ("欠款12000元", "欠款12000元"),
        ("", ""),
        ("150602199001011234 13812345678 a@b.cn 蒙K12345", "[id] [phone] [email] [plate]"),
    ],
)
def test_what_names_a_person_becomes_a_mark(text: str, kept: str) -> None:
    assert redact(pl.Series("text", [text]), keep=True).to_list() == [kept]


def test_text_goes_unless_a_deployment_keeps_it() -> None:
    text = pl.Series("text", ["楼上漏水", None])
    assert redact(text, keep=False).to_list() == [None, None]
    assert redact(text, keep=True).to_list() == ["楼上漏水", None]


@pytest.mark.parametrize("keep", [True, False])
def test_the_column_stays_a_column_of_text(keep: bool) -> None:
    empty = redact(pl.Series("text", [], dtype=pl.String), keep=keep)
    assert (empty.name, len(empty)) == ("text", 0)
    assert empty.dtype == pl.String
