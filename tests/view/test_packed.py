"""Packed bytes: what a browser may ask for is what it gets, and it can be unpacked."""

from __future__ import annotations

import gzip

import brotli
import httpx
import pytest

from view.packed import Packed

TEXT = b"function grid() { return 15; }\n" * 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("BR", "br"), ("", None), ("zstd", None),
        ("gzip;q=0", None), ("br;q=0.000", None), ("br;q=0.001", "br"), (";;,q=,br;q", "br"),
    ],
)  # fmt: skip
def test_the_smallest_form_that_is_accepted_is_sent(accepted: str, coding: str | None) -> None:
    body, headers = Packed.of(TEXT).for_reader(accepted)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]

    assert headers.get("Content-Encoding") == coding
    assert headers["Vary"] == "Accept-Encoding"
    assert unpack(body) == TEXT
    assert (len(body) < len(TEXT)) == (coding is not None)


def test_what_does_not_get_smaller_is_not_packed() -> None:
    assert Packed.of(b"x") == Packed(b"x", None, None)


def test_outlines_and_files_are_sent_packed(api: httpx.Client) -> None:
    """Over the real server: httpx unpacks gzip itself, so the two bodies have to be the same."""
    digest = api.get("/api/v1/meta").json()["grids"]
    script = api.get("/desk").text.split('type="module" src="')[1].split('"')[0]
    for path in (f"/api/v1/grids.{digest}.geojson", script):
        plain = api.get(path, headers={"Accept-Encoding": "identity"})
        packed = api.get(path, headers={"Accept-Encoding": "gzip"})
        with api.stream("GET", path, headers={"Accept-Encoding": "br"}) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "br"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert brotli.decompress(raw) == plain.content == packed.content
        assert "content-encoding" not in plain.headers
