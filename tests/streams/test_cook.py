"""The kitchen: whatever comes in, one row a record goes out, in offset order, and one bad record harms no other."""

from __future__ import annotations

import gc
import hashlib
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.city import build_city
from schemas.block import BLOCK_SCHEMA
from schemas.events import EVENT_TYPES, Kind
from schemas.person_fields import PERSON_FIELDS
from schemas.places import Grid, Places
from schemas.reasons import REASONS
from streams import cook as kitchen_module
from streams.cook import MOST_FAILURES, TEN_MINUTES_MS, THIRTY_YEARS_MS, BrokenCode, Cooked, Kitchen, cook
from streams.fast import read_fast
from streams.judge import KEPT_BODY_BYTES
from streams.locate import Locator
from streams.records import RawRecord
from streams.rules import shipped_rules

CITY = build_city(1).places
LOCATOR = Locator(CITY)
AT = 1_795_392_000_000
"""2026-11-23T08:00:00+08:00, milliseconds."""
WHERE = {"lon": 109.98, "lat": 39.61}


def kitchen(kind: Kind = "police", *, keep_text: bool = False) -> Kitchen:
    return Kitchen(kind, LOCATOR, shipped_rules(), keep_text)


def event(number: int = 0, *, kind: Kind = "police", time: str = "2026-11-23T08:00:00+08:00", **data: Any) -> bytes:
    """A good event; `data` replaces its payload."""
    payload = data or ({"device": "d"} if kind == "sensor" else {"code": "火警", "position": WHERE})
    whole = {"specversion": "1.0", "id": f"e{number}", "source": "s", "type": EVENT_TYPES[kind], "time": time, "data": payload}
    return json.dumps(whole, ensure_ascii=False).encode()


def cooked(*values: bytes | None, at: Kitchen | None = None, first: int = 0, headers: Any = ()) -> Cooked:
    """Cook values as records from offset `first`; checks what holds for every block."""
    records = [RawRecord(first + i, AT, value, headers) for i, value in enumerate(values)]
    block = cook(at or kitchen(), records)
    assert block.table.schema == BLOCK_SCHEMA
    block.table.validate(full=True)
    assert block.table["source_offset"].to_pylist() == [record.offset for record in records], "a row for each record, in order"
    reasons = block.table["reject_reason"].to_pylist()
    assert sorted(reject.offset for reject in block.rejects) == [first + i for i, reason in enumerate(reasons) if reason]
    assert set(reasons) <= {None, *REASONS}
    return block


def rows(block: Cooked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = block.table.to_pylist()
    return found


def test_an_accepted_row_has_every_answer() -> None:
    (row,) = rows(cooked(event(1, code="火警", position=WHERE, text="x", case_id="c", stage="reported", phone="1"), first=7))
    assert (row["source_offset"], row["kind"], row["source"], row["id"]) == (7, "police", "s", "e1")
    assert (row["incident_class"], row["category"], row["classified_by"], row["evidence"]) == (
        "S01",
        "public_safety",
        "code",
        "火警",
    )
    assert (row["located_by"], len(row["grid"]), row["lon"], row["lat"]) == ("coordinates", 15, 109.98, 39.61)
    assert (row["at"].timestamp() * 1000, row["received_at"].timestamp() * 1000) == (AT, AT)
    assert (row["case_id"], row["stage"], row["text"]) == ("c", "reported", None)
    assert row["rules_version"] == shipped_rules().version
    assert [name for name in row if name.startswith("reject_") and row[name] is not None] == []


def test_the_body_hash_tells_a_repeat_from_a_conflict() -> None:
    first, again, other = rows(cooked(event(1), event(1), event(1, code="溺水")))
    assert first["body_hash"] == again["body_hash"] != other["body_hash"]


def test_text_is_kept_only_where_a_deployment_asks_and_then_redacted() -> None:
    value = event(1, text="着火，电话13812345678")
    assert [row["text"] for row in rows(cooked(value))] == [None]
    assert [row["text"] for row in rows(cooked(value, at=kitchen(keep_text=True)))] == ["着火，电话[phone]"]


GOOD = [event(i) for i in range(4)]
BAD: dict[str, tuple[bytes | None, str]] = {
    "nothing": (None, "empty"),
    "no bytes": (b"", "empty"),
    "one megabyte": (event(9, text="x" * 1_000_000), "too_large"),
    "deep": (event(9)[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}", "too_deep"),
    "deeper": (event(9)[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}", "too_deep"),
    "deeper, of a person": (event(9)[:-1] + b',"phone":' + b'{"age":' * 900 + b"1" + b"}" * 900 + b"}", "too_deep"),
    "deepest": (b"[" * 60_000, "too_deep"),
    "no UTF-8": (b"\xff\xfe", "not_utf8"),
    "no JSON": (b"hello", "not_json"),
    "NaN": (b'{"id":NaN}', "not_json"),
    "infinite": (event(9)[:-1] + b',"x":' + b"9" * 400 + b"}", "not_json"),
    "NUL": (event(9, text="a\0b"), "nul_byte"),
    "no event": (b"{}", "not_cloudevents"),
    "another type": (event(9, kind="grid"), "unknown_type"),
    "naive time": (event(9, time="2026-11-23T08:00:00"), "invalid_time"),
    "old": (event(9, time="1996-01-01T00:00:00Z"), "time_out_of_range"),
    "future": (event(9, time="2026-11-23T08:10:01+08:00"), "time_out_of_range"),
    "year 1": (event(9, time="0001-01-01T00:00:00Z"), "time_out_of_range"),
    "year 9999": (event(9, time="9999-12-31T23:59:59Z"), "time_out_of_range"),
    "null island": (event(9, position={"lon": 0, "lat": 0}), "invalid_position"),
    "swapped": (event(9, position={"lon": 39.61, "lat": 109.98}), "invalid_position"),
    "wrong field": (event(9, severity=9), "invalid_data"),
}


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD)
def test_a_bad_record_is_a_row_with_a_reason_and_its_neighbours_are_as_alone(value: bytes | None, reason: str) -> None:
    alone = [rows(cooked(good))[0] | {"source_offset": None} for good in GOOD]
    block = cooked(*GOOD[:2], value, *GOOD[2:])
    found = rows(block)
    assert found[2]["reject_reason"] == reason
    assert [row | {"source_offset": None} for i, row in enumerate(found) if i != 2] == alone


def rejected(value: bytes | None) -> dict[str, Any]:
    (row,) = rows(cooked(value))
    assert row["reject_reason"]
    return row


def test_a_reject_has_its_length_and_hash_and_no_field_of_an_event() -> None:
    value = event(9, severity=9)
    row = rejected(value)
    assert (row["reject_length"], row["reject_sha256"]) == (len(value), hashlib.sha256(value).hexdigest())
    filled = {name for name, item in row.items() if item is not None}
    assert filled == {
        "source_offset",
        "received_at",
        "reject_reason",
        "reject_detail",
        "reject_body",
        "reject_length",
        "reject_sha256",
    }


@pytest.mark.parametrize("value", [b"hello", b"\xff", b'{"a":NaN}', None, event(9, text="x" * 1_000_000)])
def test_what_is_no_json_or_too_large_keeps_no_bytes(value: bytes | None) -> None:
    assert rejected(value)["reject_body"] is None


PADDING = "x" * 100_000
LATE = "2030-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "value",
    [
        event(9, severity=9, padding=PADDING),
        event(9, time=LATE, padding=PADDING),
        event(9, position={"lon": 39.61, "lat": 109.98}, padding=PADDING),
    ],
    ids=["wrong field", "late", "swapped"],
)
def test_a_kept_body_is_cut_at_64_kib_whoever_refuses(value: bytes) -> None:
    row = rejected(value)
    assert len(row["reject_body"]) <= KEPT_BODY_BYTES
    assert row["reject_length"] == len(value)


@pytest.mark.parametrize(
    "value", [event(9, severity=9, phone="1", deep=[{"Name": "x"}]), event(9, time=LATE, phone="1", deep=[{"Name": "x"}])]
)
def test_a_kept_body_has_no_person_fields_whoever_refuses(value: bytes) -> None:
    body = json.loads(rejected(value)["reject_body"])
    assert "phone" not in body["data"]
    assert body["data"]["deep"] == [{}]


@pytest.mark.parametrize(
    ("late_ms", "accepted"),
    [(0, True), (TEN_MINUTES_MS, True), (TEN_MINUTES_MS + 1, False), (-THIRTY_YEARS_MS, True), (-THIRTY_YEARS_MS - 1, False)],
)
def test_times_are_taken_from_thirty_years_back_to_ten_minutes_ahead(late_ms: int, accepted: bool) -> None:
    """Against Kafka's append time: no clock of ours decides."""
    (row,) = rows(Cooked(cook(kitchen(), [RawRecord(0, AT - late_ms, event(), ())]).table))
    assert row["reject_reason"] == (None if accepted else "time_out_of_range")


RING = [[30, 50], [31, 50], [31, 51], [30, 51], [30, 50]]
ELSEWHERE = Places.of([Grid("150602001001001", "g", "c", "t", "b", {"type": "Polygon", "coordinates": [RING]})])
"""A city where both orders of a point are possible degrees."""


def test_swapped_coordinates_are_rejected_and_others_outside_are_kept() -> None:
    """Placed as it is, a swapped point would lie on another continent."""
    there = Kitchen("police", Locator(ELSEWHERE), shipped_rules())
    points = [{"lon": 30.5, "lat": 50.5}, {"lon": 50.5, "lat": 30.5}, {"lon": 2.35, "lat": 48.85}]
    inside, swapped, abroad = rows(cooked(*[event(i, position=point) for i, point in enumerate(points)], at=there))
    assert (inside["located_by"], inside["grid"]) == ("coordinates", "150602001001001")
    assert (swapped["reject_reason"], swapped["grid"]) == ("invalid_position", None)
    assert "lon 50.5, lat 30.5 lie in the city only when exchanged" in swapped["reject_detail"]
    assert (abroad["reject_reason"], abroad["located_by"], abroad["grid"]) == (None, "outside", "")


def test_person_fields_are_counted_by_name_and_the_events_kept() -> None:
    """In accepted and in rejected records, at any depth, in any case of letters."""
    block = cooked(
        event(1, phone="1", code="火警"), event(2, severity=9, phone="1", x={"face": {"age": 1}}), event(3), event(4, Phone="1")
    )
    assert block.person_fields == {"phone": 3, "face": 1, "age": 1}
    assert [row["reject_reason"] for row in rows(block)] == [None, "invalid_data", None, None]
    assert not PERSON_FIELDS & set(BLOCK_SCHEMA.names)


BINARY = [
    ("ce_specversion", b"1.0"), ("ce_id", b"b1"), ("ce_source", b"s"), ("ce_type", EVENT_TYPES["police"].encode()),
    ("ce_time", b"2026-11-23T08:00:00+08:00"), ("content-type", b"application/json"),
]  # fmt: skip


def test_a_binary_event_is_read_as_a_structured_one() -> None:
    (row,) = rows(cooked('{"code":"火警"}'.encode(), headers=BINARY))
    assert (row["id"], row["incident_class"]) == ("b1", "S01")


@pytest.mark.parametrize("value", [b'{"severity":9}', b"not json"])
def test_a_rejected_binary_record_has_the_length_and_hash_of_what_was_sent(value: bytes) -> None:
    """So that it can be found in the log."""
    (row,) = rows(cooked(value, headers=BINARY))
    assert (row["reject_length"], row["reject_sha256"]) == (len(value), hashlib.sha256(value).hexdigest())


@pytest.mark.parametrize("headers", [[("content-type", None), ("ce_specversion", b"1.0")], [("ce_specversion", None)]])
def test_headers_without_a_value_are_no_harm(headers: Any) -> None:
    """Kafka allows them; an error would stop the partition for ever."""
    cooked(event(1), b"{}", headers=headers)


some_bytes = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.text(max_size=20).map(str.encode),
    st.sampled_from([*GOOD, *(value for value, _ in BAD.values() if value is None or len(value) < 10_000)]),
    st.builds(
        lambda good, at, junk: good[:at] + junk + good[at:], st.sampled_from(GOOD), st.integers(0, 150), st.binary(max_size=3)
    ),
    st.builds(lambda good, at: good[:at], st.sampled_from(GOOD), st.integers(0, 150)),
)


@pytest.mark.parametrize("kind", ["sensor", "police", "grid"])
@given(values=st.lists(some_bytes, min_size=1, max_size=12), first=st.integers(0, 2**60))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_no_record_is_lost_whatever_the_bytes(kind: Kind, values: list[bytes | None], first: int) -> None:
    """One row a record, in offset order, accepted or with a reason of the closed list; never an error of ours."""
    block = cooked(*values, at=kitchen(kind), first=first)
    assert "internal_error" not in block.table["reject_reason"].to_pylist()


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A defect of ours: a batch with an id that starts with "trap" raises. Gives the sizes of the batches tried."""
    tried: list[int] = []
    whole = read_fast

    def broken(kind: Kind, records: Any, values: Any, plain: Any) -> Any:
        tried.append(len(values))
        if any(b'"trap' in value for value in values.to_pylist()):
            raise ZeroDivisionError
        return whole(kind, records, values, plain)

    monkeypatch.setattr(kitchen_module, "read_fast", broken)
    return tried


def trapped(number: int = 0) -> bytes:
    return event(number).replace(b'"e', b'"trap')


def test_a_record_our_code_fails_on_is_rejected_alone(trap: list[int]) -> None:
    """The batch is tried whole, then record by record; the fault is a row that names the error."""
    block = cooked(event(1), trapped(2), event(3, severity=9), event(4), first=40)
    assert [row["reject_reason"] for row in rows(block)] == [None, "internal_error", "invalid_data", None]
    reject = rows(block)[1]
    assert (reject["reject_detail"], reject["reject_body"], reject["reject_length"]) == (
        "ZeroDivisionError",
        None,
        len(trapped(2)),
    )
    assert trap == [4, 1, 1, 1, 1]
    assert rows(block)[0] | {"source_offset": 0} == rows(cooked(event(1)))[0]


def test_person_fields_are_counted_record_by_record_too(trap: list[int]) -> None:
    assert cooked(trapped(), event(1, phone="1"), event(2, phone="2")).person_fields == {"phone": 2}
    assert trap == [3, 1, 1, 1]


@pytest.mark.usefixtures("trap")
def test_a_hundred_failures_in_a_row_are_rejects() -> None:
    block = cooked(*[trapped(i) for i in range(MOST_FAILURES)], event(1), *[trapped(i) for i in range(MOST_FAILURES)])
    assert len(block.rejects) == 2 * MOST_FAILURES == 200


@pytest.mark.usefixtures("trap")
def test_more_than_a_hundred_in_a_row_mean_that_our_code_is_broken() -> None:
    """The process has to end: rejecting everything would empty the topics."""
    with pytest.raises(BrokenCode, match="101 records in a row failed, last at offset 101"):
        cooked(event(1), *[trapped(i) for i in range(MOST_FAILURES + 1)], event(2))


@pytest.mark.usefixtures("trap")
def test_the_collector_runs_again_after_a_block_and_after_a_failure() -> None:
    cooked(event(1))
    cooked(trapped(1))
    assert gc.isenabled()


def test_words_are_dictionaries_shared_by_accepted_and_rejected_rows() -> None:
    block = cooked(event(1), b"", event(2), b"x")
    for name in ("kind", "reject_reason", "incident_class"):
        (chunk,) = block.table[name].chunks
        assert pa.types.is_dictionary(chunk.type)
