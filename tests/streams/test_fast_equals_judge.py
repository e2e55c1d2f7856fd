"""The Arrow fast path accepts only what the pydantic judge accepts, with the same row; it leaves the rest to the judge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES, DeviceStatus, Kind, MediationLevel, Stage
from schemas.taxonomy import taxonomy
from streams.columns import columns_of
from streams.fast import LARGEST_PART, PART, SMALLEST_PART, read_fast
from streams.judge import judge
from streams.plain import LONGEST, look_at
from streams.records import RawRecord, Reject

DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=80)
KINDS: tuple[Kind, ...] = get_args(Kind)


class Raw(str):
    """JSON source that stands as it is, whether it is JSON or not."""

    __slots__ = ()


def dump(value: Any, *, ascii_only: bool = True, gap: str = "") -> str:
    """JSON of a value in which objects are dicts or lists of pairs (`Pairs`), so that keys may stand twice."""
    match value:
        case Raw():
            return str(value)
        case Pairs():
            inner = ",".join(f"{json.dumps(key)}:{gap}{dump(item, ascii_only=ascii_only, gap=gap)}" for key, item in value)
            return f"{{{inner}}}"
        case dict():
            return dump(Pairs(value.items()), ascii_only=ascii_only, gap=gap)
        case list():
            return f"[{gap}{f',{gap}'.join(dump(item, ascii_only=ascii_only, gap=gap) for item in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only)


class Pairs(list[tuple[str, Any]]):
    """An object as its members, one after the other."""


def both(kind: Kind, values: Sequence[bytes]) -> tuple[set[int], list[int]]:
    """Positions the fast path took and those it left; fails where it took what the judge refuses or reads otherwise."""
    records = [RawRecord(1_000 + i, 1_795_392_000_000 + i, value, []) for i, value in enumerate(values)]
    column = pa.array(values, pa.binary())
    table, doubtful = read_fast(kind, columns_of(records), column, look_at(column).plain)
    taken = set()
    for row in table.to_pylist():
        i = row["source_offset"] - 1_000
        assert i not in taken, "a record was read twice"
        taken.add(i)
        verdict = judge(kind, records[i], values[i])
        assert row == verdict, f"{values[i]!r} is read by the fast path and the judge says {verdict}"
    assert sorted([*taken, *doubtful]) == list(range(len(values))), "every record is taken or doubtful, once"
    return taken, doubtful


EDGE_TEXTS = [
    "", " ", "a", "\u4e1c\u80dc\u533a\u4eba\u6c11\u6cd5\u9662", "\U0001f525", "e\u0301", "a\tb", 'quote"', "back\\slash", "\u2028", "\ufeff", "\uffff",
    "\u0130", "[{[{", "NaN", "Infinity", "Information: Inf", "\0", "x" * 20, "x" * 21, "x" * 199, "x" * 200, "x" * 201, "\U0001f525" * 200, "\U0001f525" * 201,
    "\u4e2d" * 4000, "\u4e2d" * 4001, "150602001001001", "15060200100100", "\uff11" * 15, "150602001001001\n", "S01", "s01", "U00", "X99",
    "reported", "Reported", "town", "online", "pm2.5", "9a", "\u00e9", "a" * 64, "a" * 65, "1.0", ",5e400",
]  # fmt: skip
EDGE_TIMES = [
    "2026-11-23T08:00:00+08:00", "2026-11-23T08:00:00Z", "2026-11-23t08:00:00z", "2026-11-23 08:00:00Z", "2026-11-23T08:00:00",
    "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z",
    "2026-11-23T24:00:00Z", "2026-11-23T23:60:00Z", "2016-12-31T23:59:60Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z",
    "2026-11-23T08:00:00.1Z", "2026-11-23T08:00:00.123456Z", "2026-11-23T08:00:00.1234567Z", "2026-11-23T08:00:00.123456789Z",
    "2026-11-23T08:00:00.Z", "2026-11-23T08:00Z", "2026-11-23T08:00:00+0800", "2026-11-23T08:00:00+08", "2026-11-23T08:00:00-00:00",
    "2026-11-23T08:00:00+23:59", "2026-11-23T08:00:00+24:00", "2026-11-23T08:00:00+08:60", "2026-11-23T08:00:00+99:99",
    "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999999Z", "1900-01-01T00:00:00.0015Z", "1000-01-01T00:00:00.000001+23:59",
    "0999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2038-12-31T23:59:59.999Z",
    "2999-12-31T23:59:59.999999-23:59", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "12026-11-23T08:00:00Z",
    "20261123T080000Z", "2026-W48-1T08:00:00Z", "2026-11-23", "1795392000", "now", "2026-11-23T08:00:00\u22121:00",
    "\uff12026-11-23T08:00:00Z", " 2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z ", "2026-11-23T08:00:00 UTC",
]  # fmt: skip
EDGE_NUMBERS = [
    "0", "-0", "0.0", "-0.0", "1", "1.0", "1e0", "1E+0", "4", "5", "-1", "2.5", "109.98765432101234567", "180", "180.00000000000003",
    "-180", "90.1", "1e15", "1000000000000001", "-1e15", "1e-400", "5e-324", "1e400", "-1e400", "9e308", "1.8e308", "10e308", "1e99",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "9" * 99, "9" * 310, "9" * 5000, "0." + "3" * 400,
    "1e99999999999", "01", "+1", ".5", "1.", "1.e5", "0x10", "1_000", "--1", "NaN", "-NaN", "Infinity", "-Infinity", "nan", "inf",
    '"1"', "true", "null", "[1]", "{}",
]  # fmt: skip
STRANGE: list[Any] = [
    None, True, False, [], {}, [[]], [None], [{}], {"a": None}, "", 0, 1.5, Raw("'a'"), Raw(""), Raw("tru"), Raw("1 2"), Raw('"\\ud800"'),
    Raw('"\\udc00"'), Raw('"\\ud83d\\ude00"'), Raw('"\\u0000"'), Raw('"\\x"'), Raw('"\x01"'), Raw('"a\nb"'), Raw("/*c*/1"), Raw("[1,]"),
    Raw('{"a":1,}'), Raw('{"a":1,"a":2}'), Raw("{}{}"), Raw("1}{"), Raw('"'), Raw("[" * 20 + "]" * 20), Raw("[" * 31 + "]" * 31),
    Raw("[" * 100 + "]" * 100), Raw('{"a":' * 31 + "1" + "}" * 31), Raw("[" * 300 + "]" * 300), Raw("[" * 5000 + "]" * 5000),
]  # fmt: skip

texts = st.one_of(st.sampled_from(EDGE_TEXTS), st.text(max_size=12))
numbers = st.one_of(
    st.sampled_from(EDGE_NUMBERS).map(Raw), st.floats().map(lambda x: Raw(repr(x))), st.integers().map(lambda x: Raw(str(x)))
)
strange = st.one_of(st.sampled_from(STRANGE), texts, numbers)
short = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=20)
times = st.datetimes(
    datetime(1000, 1, 1),  # noqa: DTZ001 - the offset stands in the text
    datetime(2999, 12, 31),  # noqa: DTZ001
).map(lambda at: at.isoformat() + "+08:00")
positions = st.fixed_dictionaries(
    {"lon": st.floats(-180, 180, exclude_min=True).filter(bool), "lat": st.integers(-90, 90) | st.floats(-90, 90)},
    optional={"altitude": st.integers()},
)
readings = st.lists(
    st.fixed_dictionaries(
        {
            "metric": st.from_regex(r"\A[a-z][a-z0-9_.]{0,8}\Z"),
            "value": st.floats(-1e15, 1e15) | st.integers(-(10**15), 10**15),
        },
        optional={"unit": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)},
    ),
    max_size=4,
)


def located(**more: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Optional fields of every payload and of one kind."""
    fields = {
        "position": positions,
        "grid": st.from_regex(r"\A[0-9]{15}\Z"),
        "place": short,
        "code": short,
        "incident_class": st.sampled_from(sorted(taxonomy().classes)),
        "severity": st.integers(0, 4),
        "department": short,
    }
    return {name: st.none() | strategy for name, strategy in (fields | more).items()}


case = located(
    text=short,
    case_id=short,
    stage=st.sampled_from(get_args(Stage)),
    mediation_level=st.sampled_from(get_args(MediationLevel)),
)
PAYLOADS: dict[Kind, st.SearchStrategy[dict[str, Any]]] = {
    "sensor": st.fixed_dictionaries(
        {"device": short}, optional=located(readings=readings, status=st.sampled_from(get_args(DeviceStatus)))
    ),
    "police": st.fixed_dictionaries({}, optional=case),
    "grid": st.fixed_dictionaries({}, optional=case),
}


def envelopes(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Events that keep the contract, with fields nobody knows."""
    return st.fixed_dictionaries(
        {
            "specversion": st.just("1.0"),
            "id": short,
            "source": short,
            "type": st.just(EVENT_TYPES[kind]),
            "time": times | st.sampled_from(EDGE_TIMES[:2]),
            "data": PAYLOADS[kind],
        },
        optional={"subject": st.none() | short, "extension": st.integers() | st.lists(short, max_size=2)},
    )


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Where a change can be made: every member and element."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, item in inner:
        yield (*here, key)
        yield from paths(item, (*here, key))


@st.composite
def mutated(draw: st.DrawFn, kind: Kind) -> bytes:
    """An event of a kind with nought to three things wrong, or strange, or only unusual."""
    event: Any = draw(envelopes(kind))
    doubled: list[tuple[Any, Any]] = []
    for _ in range(draw(st.integers(0, 3))):
        match draw(st.sampled_from(["replace", "replace", "drop", "add", "double", "time", "number"])):
            case "add":
                event["data"][draw(texts)] = draw(strange)
            case "time":
                event["time"] = draw(st.sampled_from(EDGE_TIMES))
            case "number":
                if isinstance(event["data"].get("position"), dict):
                    event["data"]["position"][draw(st.sampled_from(["lon", "lat"]))] = draw(numbers)
                else:
                    event["data"][draw(st.sampled_from(["severity", "nobody_reads_it"]))] = draw(numbers)
            case "double":
                doubled.append((draw(st.sampled_from(sorted(event))), draw(strange)))
            case change:
                *outer, last = draw(st.sampled_from(list(paths(event))))
                if outer == [] and last == "data":
                    continue
                box = event
                for key in outer:
                    box = box[key]
                if change == "replace":
                    box[last] = draw(strange)
                else:
                    del box[last]
    members = draw(st.permutations(list(event.items())))
    text = dump(Pairs([*members, *doubled]), ascii_only=draw(st.booleans()), gap=draw(st.sampled_from(["", " ", "\t", "\n"])))
    return (
        draw(st.sampled_from(["{}", "{}", "{}", " {}", "{} ", "\ufeff{}", "[{}]", "{}{}"]))
        .replace("{}", text)
        .encode(errors="surrogatepass")
    )


@st.composite
def torn(draw: st.DrawFn, kind: Kind) -> bytes:
    """An event whose bytes were cut, doubled or overwritten somewhere."""
    value = bytearray(dump(draw(envelopes(kind)), ascii_only=False).encode())
    start = draw(st.integers(0, len(value)))
    end = min(len(value), start + draw(st.integers(0, 3)))
    value[start:end] = draw(
        st.binary(max_size=3) | st.sampled_from([b"", b"}", b"{", b'"', b",", b"\\", b"\0", b"\xff", b"\xc0\x80", b"9"])
    )
    return bytes(value)


def anything(kind: Kind) -> st.SearchStrategy[bytes]:
    return st.one_of(mutated(kind), mutated(kind), torn(kind), st.binary(max_size=20))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@DETERMINISTIC
def test_what_the_fast_path_takes_the_judge_takes_alike(kind: Kind, data: st.DataObject) -> None:
    """Each record alone, then all of them among enough clean ones that a refused batch is read in parts."""
    values = data.draw(st.lists(anything(kind), min_size=1, max_size=4))
    for value in values:
        both(kind, [value])
    crowd = [clean(kind, i) for i in range(SMALLEST_PART)]
    both(kind, [*crowd[::2], *values, *crowd[1::2]])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(DETERMINISTIC, max_examples=30)
def test_nothing_is_doubtful_in_a_clean_batch(kind: Kind, data: st.DataObject) -> None:
    """Else the fast path would be pointless."""
    values = data.draw(st.lists(envelopes(kind), min_size=1, max_size=4))
    assert both(kind, [json.dumps(value).encode() for value in values])[1] == []


def clean(kind: Kind, number: int, **more: Any) -> bytes:
    """A good event with every optional field of its kind."""
    data: dict[str, Any] = {
        "position": {"lon": 109.98 + number / 1000, "lat": 39},
        "grid": "150602001001001",
        "place": "\u4e1c\u80dc\u533a",
        "code": "\u706b\u8b66",
        "incident_class": "S01",
        "severity": number % 5,
        "department": "d",
    }
    if kind == "sensor":
        data |= {
            "device": f"dev-{number}",
            "status": "online",
            "readings": [{"metric": "co_ppm", "value": number / 7, "unit": "ppm"}],
        }
    else:
        data |= {
            "text": "\u697c\u4e0a\u6f0f\u6c34 \U0001f4a7",
            "case_id": f"c{number}",
            "stage": "reported",
            "mediation_level": "town",
        }
    event = {
        "specversion": "1.0", "id": f"e{number}", "source": "s", "type": EVENT_TYPES[kind], "time": "2026-11-23T08:00:00.5+08:00", "data": data
    }  # fmt: skip
    return json.dumps(event | more, ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_clean_batch_is_taken_whole(kind: Kind) -> None:
    taken, doubtful = both(kind, [clean(kind, i) for i in range(500)])
    assert (len(taken), doubtful) == (500, [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "bad", [b'{"data":1}', b"{", b"{}{}", b'{"id":5}', clean("grid", 1, id=7), clean("grid", 1) + b" " + clean("grid", 2)]
)
def test_a_bad_record_costs_its_neighbours_no_more_than_a_look(kind: Kind, bad: bytes) -> None:
    """The judge sees the bad one and few others; every row is right."""
    values = [clean(kind, i) for i in range(400)]
    values[123] = bad
    _, doubtful = both(kind, values)
    assert 123 in doubtful
    assert len(doubtful) <= SMALLEST_PART


def test_records_that_end_in_each_others_strings_are_not_read_as_one() -> None:
    """Without a line end between them three of these are one object, and the fourth makes up for the number."""
    torn = [b'{"a":"}', b'{","b":"}', b'{"}', b"".join(clean("grid", i) for i in range(3))]
    both("grid", torn)
    both("grid", [clean("grid", 0), *torn, *(clean("grid", i) for i in range(1, SMALLEST_PART * 2))])


@pytest.mark.parametrize("bad", [b'{"id":5}', clean("grid", 1, id=7)])
def test_a_full_call_that_arrow_refuses_is_read_again_in_smaller_ones(bad: bytes) -> None:
    values = [clean("grid", i) for i in range(LARGEST_PART + PART)]
    for at in (7, LARGEST_PART // 2, LARGEST_PART + 3):
        values[at] = bad
    _, doubtful = both("grid", values)
    assert {7, LARGEST_PART // 2, LARGEST_PART + 3} <= set(doubtful)
    assert len(doubtful) <= 6


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("grid", b'"severity": 1', b'"severity": "high"'),
        ("police", b'"lat": 39', b'"lat" : [39]'),
        ("sensor", b'"value": 0.14285714285714285', b'"value":true'),
    ],
)
def test_what_is_no_number_is_seen_before_arrow_refuses_its_neighbours(kind: Kind, good: bytes, bad: bytes) -> None:
    """Half of the records are so broken, and the others stay on the fast path."""
    value = clean(kind, 1)
    assert good in value
    broken = value.replace(good, bad)
    column = pa.array([value, broken] * 50, pa.binary())
    assert look_at(column).plain.tolist() == [True, False] * 50


@pytest.mark.parametrize("where", ["envelope", "data", "position", "readings"])
@pytest.mark.parametrize("number", EDGE_NUMBERS)
def test_every_edge_number_anywhere(where: str, number: str) -> None:
    """Also in fields that nobody reads: JSON that one reader takes and the other not would be two contracts."""
    places: dict[str, dict[str, Any]] = {
        "envelope": {"extra": Raw(number)},
        "data": {"data": {"device": "d", "severity": Raw(number), "extra": [Raw(number)]}},
        "position": {"data": {"device": "d", "position": {"lon": Raw(number), "lat": 1, "extra": Raw(number)}}},
        "readings": {"data": {"device": "d", "readings": [{"metric": "a", "value": Raw(number), "extra": Raw(number)}]}},
    }
    event = json.loads(clean("sensor", 0)) | places[where]
    both("sensor", [dump(event).encode()])
    for name in ("severity", "extra"):
        if where == "data":
            both("sensor", [dump(event | {"data": {"device": "d", name: Raw(number)}}).encode()])


@pytest.mark.parametrize("time", EDGE_TIMES)
def test_every_edge_time(time: str) -> None:
    both("police", [clean("police", 0, time=time)])
    both("police", [clean("police", i, time=time if i == 40 else "2026-11-23T08:00:00Z") for i in range(80)])


@pytest.mark.parametrize(
    "field", ["id", "source", "type", "specversion", "subject", "place", "code", "grid", "text", "stage", "incident_class"]
)
def test_every_edge_text_in_every_field(field: str) -> None:
    for text in EDGE_TEXTS:
        event = json.loads(clean("grid", 0))
        (event if field in {"id", "source", "type", "specversion", "subject"} else event["data"])[field] = text
        for ascii_only in (True, False) if field in {"id", "text"} else (False,):
            both("grid", [dump(event, ascii_only=ascii_only).encode()])


@pytest.mark.parametrize("strange_one", STRANGE, ids=lambda value: repr(value)[:24])
def test_every_strange_value_in_every_place(strange_one: Any) -> None:
    kinds: tuple[Kind, ...] = ("sensor", "grid")
    for kind in kinds:  # police has the fields of grid
        event = json.loads(clean(kind, 0))
        for path in [*paths(event), ("extra",), ("data", "extra")]:
            changed = json.loads(json.dumps(event))
            *outer, last = path
            box = changed
            for key in outer:
                box = box[key]
            box[last] = strange_one
            both(kind, [dump(changed).encode(errors="surrogatepass")])


@pytest.mark.parametrize(
    "data",
    [
        *({"position": {"lon": lon, "lat": lat}} for lon in (0, -0.0, 1e-9, 180, 181) for lat in (0, -0.0, 5e-324, -90, -91)),
        *({"readings": [{"metric": "a", "value": 1, "unit": "u" * length}]} for length in (0, 20, 21)),
        *({"readings": [{"metric": "a" * length, "value": 1}]} for length in (0, 64, 65)),
        *({"readings": [{"metric": "a", "value": 1}] * count} for count in (0, 1, 64, 65)),
        *(
            {"readings": readings}
            for readings in (None, [None], [{"metric": None, "value": 1}], [{"metric": "a"}], [{"value": 1}])
        ),
        *({name: "x" * length} for name in ("place", "code", "department") for length in (0, 1, 200, 201)),
        *({"severity": severity} for severity in (-1, 0, 4, 5)),
    ],
    ids=lambda data: json.dumps(data)[:40],
)
def test_limits_on_both_sides(data: dict[str, Any]) -> None:
    """Alone and between good neighbours: the rows beside a list too long must keep their own readings."""
    event = json.loads(clean("sensor", 3))
    value = json.dumps(event | {"data": {"device": "d", **data}}).encode()
    both("sensor", [value])
    taken, _ = both("sensor", [clean("sensor", i) if i != 20 else value for i in range(50)])
    assert len(taken) >= 49


def test_long_records_are_left_to_the_judge() -> None:
    value = clean("grid", 0, padding="x" * LONGEST)
    assert both("grid", [value, clean("grid", 1)]) == ({1}, [0])
    assert not isinstance(judge("grid", RawRecord(0, 0, value, []), value), Reject)


def test_an_empty_batch_and_empty_records_are_no_harm() -> None:
    assert both("grid", []) == (set(), [])
    assert both("grid", [b"", b"", clean("grid", 1), b""]) == ({2}, [0, 1, 3])
