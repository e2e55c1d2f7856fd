"""Structured and binary CloudEvents become the same bytes; what is neither stays as it came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES
from streams.judge import judge
from streams.records import RawRecord, Reject, structured

Header = tuple[str, bytes | None]
ATTRIBUTES: list[Header] = [
    ("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", "源".encode()), ("ce_type", EVENT_TYPES["grid"].encode()),
    ("ce_time", b"2026-11-23T08:00:00+08:00"),
]  # fmt: skip
JSON_TYPE: Header = ("content-type", b"application/json")
EVENT = {"specversion": "1.0", "id": "1", "source": "源", "type": EVENT_TYPES["grid"], "time": "2026-11-23T08:00:00+08:00"}


def record(value: bytes | None, headers: list[Header]) -> RawRecord:
    return RawRecord(0, 0, value, headers)


@pytest.mark.parametrize(
    "headers",
    [
        [*ATTRIBUTES, JSON_TYPE],
        ATTRIBUTES,
        [(name.upper(), content) for name, content in [*ATTRIBUTES, JSON_TYPE]],
        [("Content-Type", b"APPLICATION/JSON; charset=utf-8"), *ATTRIBUTES],
        [*ATTRIBUTES, JSON_TYPE, ("traceparent", b"\xff\xfe"), ("empty", None)],
        [*ATTRIBUTES, ("content-type", None)],
    ],
)
def test_binary_mode_becomes_the_structured_event(headers: list[Header]) -> None:
    """Attributes in headers ce_*, in any case; other headers are not ours."""
    assert json.loads(structured(record(b'{"place":"x"}', headers))) == EVENT | {"data": {"place": "x"}}


def test_extensions_come_along() -> None:
    """And are dropped by the model, as in structured mode."""
    value = structured(record(b"{}", [*ATTRIBUTES, ("ce_subject", b"s"), ("ce_traceparent", b"t")]))
    assert json.loads(value) == EVENT | {"subject": "s", "traceparent": "t", "data": {}}


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents+json",
        b"application/cloudevents+json; charset=UTF-8",
        b"Application/CloudEvents+JSON",
        b"APPLICATION/CLOUDEVENTS+JSON",
    ],
)
@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_the_content_type_decides_for_structured_mode_in_any_case(name: str, content_type: bytes) -> None:
    """Even with ce_* headers beside it, which some gateways copy."""
    value = json.dumps(EVENT).encode()
    assert structured(record(value, [*ATTRIBUTES, (name, content_type)])) is value


@pytest.mark.parametrize("headers", [[], [("traceparent", b"1")], [("ce_id", b"1")], [JSON_TYPE]])
def test_without_ce_specversion_the_value_is_the_event(headers: list[Header]) -> None:
    assert structured(record(b'{"any":1}', headers)) == b'{"any":1}'


@pytest.mark.parametrize("value", [None, b""])
def test_an_empty_record_stays_empty(value: bytes | None) -> None:
    assert structured(record(value, [*ATTRIBUTES, JSON_TYPE])) == b""


@pytest.mark.parametrize("value", [b"not json", b'{"a":NaN}', b"\xff", b"{", b'{}, "id": "forged"', b'{}}{"x":1', b"1 2"])
def test_a_value_that_is_not_json_stays_so_and_is_named_so(value: bytes) -> None:
    """Also one that would be JSON once it stands inside the event: it could write attributes of its own."""
    assert structured(record(value, ATTRIBUTES)) == value
    verdict = judge("grid", record(value, ATTRIBUTES), value)
    assert isinstance(verdict, Reject)
    assert verdict.reason in {"not_json", "not_utf8"}


def test_data_is_the_value_and_never_a_header() -> None:
    value = structured(record(b'{"place":"x"}', [*ATTRIBUTES, ("ce_data", b"forged")]))
    assert json.loads(value)["data"] == {"place": "x"}


def test_an_attribute_that_is_not_utf8_leaves_the_value_as_it_is() -> None:
    assert structured(record(b"{}", [*ATTRIBUTES, ("ce_id", b"\xff")])) == b"{}"


names = st.sampled_from(["ce_specversion", "CE_ID", "ce_", "content-type", "ce_time", "x", ""]) | st.text(max_size=8)
contents = st.none() | st.binary(max_size=8) | st.sampled_from([b"1.0", b"application/json", b"application/cloudevents"])
values = st.none() | st.binary(max_size=20) | st.sampled_from([b"{}", b"[1]", b"[" * 2_000 + b"]" * 2_000])


@given(values, st.lists(st.tuples(names, contents), max_size=6))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_the_headers_there_are_bytes(value: bytes | None, headers: list[tuple[str, Any]]) -> None:
    """An error here would stop a partition for ever."""
    assert isinstance(structured(record(value, headers)), bytes)
