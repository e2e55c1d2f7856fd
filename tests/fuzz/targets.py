"""What reads bytes from outside, each as a function of bytes that returns or raises what its contract names. Any other error is a find.

`SEEDS` are good inputs, so that a fuzzer begins behind the first check. Cases that were found once lie in `cases/TARGET/`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, get_args

import pyarrow.compute as pc
from pydantic import TypeAdapter, ValidationError

from citybrain.http_face.encodings import PACK, BadEncoding, unpack
from citybrain.http_face.request import BadRequest, read_request
from citybrain.readonly import NotReadOnly, check_format, check_readonly
from ingest import mapping as mappings
from ingest.city import build_city
from ingest.events_of import iter_events
from ingest.outgoing import encode
from schemas.alerts import encode_alert, read_alert
from schemas.block import BlockHeader, decode_block, encode_block, open_block
from schemas.errors import BadAlert, BadBlock, BadMapping
from schemas.events import Kind
from schemas.reasons import REASONS
from sinks.covered import Covered
from sinks.repeats import RecentEvents
from sinks.sorting import sort_block
from streams.cook import Kitchen, cook
from streams.judge import judge
from streams.locate import Locator
from streams.log_batches import BrokenBatch, LogBatch, read_batches
from streams.records import USUAL, RawRecord, Reject, structured
from streams.rules import shipped_rules
from tests.alerts import action, raised
from tests.sinks.blocks import ARRIVED_MS, at, bad, block, raw
from tests.streams.test_log_batches import batch_bytes
from view import asked
from view.answers import from_cursor

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MOST_BYTES: Final = 200_000
"""A longer input is cut: what is slow by its length alone is found in a minute no more."""
MOST_ROWS: Final = 50


@cache
def _kitchen(kind: Kind) -> Kitchen:
    return Kitchen(kind, Locator(build_city(1).places), shipped_rules(), keep_text=True)


def _good(kind: Kind, offset: int) -> RawRecord:
    """A record that is accepted."""
    reading: dict[str, Any] = {"device": "d", "readings": [{"metric": "pm2_5", "value": 20.0, "unit": "ug/m3"}]}
    return raw(offset, kind=kind, **(reading if kind == "sensor" else {}))


def _kind(data: bytes) -> tuple[Kind, bytes]:
    """The first byte says of which kind the rest is."""
    return KINDS[data[0] % len(KINDS)], data[1:]


def event(data: bytes) -> None:
    """A record of a raw topic: it is accepted, or rejected by a known reason, and its neighbours are as if it were not there."""
    if not data:
        return
    kind, value = _kind(data)
    records = [_good(kind, 0), RawRecord(1, ARRIVED_MS, value, ()), _good(kind, 2)]
    rows = cook(_kitchen(kind), records).table.select(["source_offset", "reject_reason"]).to_pylist()
    assert [row["source_offset"] for row in rows] == [0, 1, 2]
    assert rows[0]["reject_reason"] is rows[2]["reject_reason"] is None
    assert rows[1]["reject_reason"] in {None, *REASONS} - {"internal_error"}


def batches(data: bytes) -> None:
    """The records of a batch as the broker keeps it, their number in the first byte: columns, or a BrokenBatch."""
    if not data:
        return
    rows = data[0] % 8 + 1
    try:
        found = read_batches([LogBatch(0, rows - 1, rows, ARRIVED_MS, -1, 0, data[1:])])
    except BrokenBatch:
        return
    assert len(found) <= rows
    assert all(isinstance(value, bytes) for value in found.structured().to_pylist())


def headers(data: bytes) -> None:
    """A record in binary mode, and the headers of a block: `name=value` a line, an empty line, the body."""
    head, _, body = data.partition(b"\n\n")
    pairs = [(name.decode(errors="replace"), value) for name, _, value in (line.partition(b"=") for line in head.split(b"\n"))]
    record = RawRecord(0, ARRIVED_MS, body, pairs)
    verdict = judge("police", record, structured(record))
    assert not isinstance(verdict, Reject) or verdict.reason in REASONS
    try:
        header = BlockHeader.from_kafka(pairs)
    except BadBlock:
        return
    assert BlockHeader.from_kafka(header.to_kafka()) == header


def mapping(data: bytes) -> None:
    """A mapping file, a line `===`, and a file that it reads: events, or a BadMapping."""
    text, _, rows = data.partition(b"\n===\n")
    try:
        found = mappings._read("fuzzed", text.decode(errors="replace"))
    except BadMapping:
        return
    _read_rows(found, rows)


def rows(data: bytes) -> None:
    """Rows of a file under a shipped mapping, which the first byte chooses; the second whether they are CSV or NDJSON."""
    if len(data) < 2:
        return
    names = sorted(mappings.shipped_mappings())
    _read_rows(_shipped(names[data[0] % len(names)]), data[2:], ".csv" if data[1] % 2 else ".ndjson")


@cache
def _shipped(name: str) -> mappings.Mapping:
    return mappings.load_mapping(name)


def _read_rows(by: mappings.Mapping, content: bytes, suffix: str = ".csv") -> None:
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(content)
        file.flush()
        try:
            for outgoing in islice(iter_events(by, Path(file.name)), MOST_ROWS):
                wire = encode(outgoing)
                judge(by.kind, RawRecord(0, ARRIVED_MS, wire.value, ()), wire.value)
        except BadMapping:
            return


def arrow(data: bytes) -> None:
    """The value of a record of citybrain.risk: a block that can be sorted into rows for the store, or a BadBlock."""
    try:
        table = decode_block(data)
        ends = pc.min_max(table["source_offset"]).as_py()
        header = BlockHeader(1, "citybrain.police", "raw-1", 0, ends["min"] or 0, ends["max"] or 0, table.num_rows, 0)
        header = BlockHeader.from_kafka(header.to_kafka())
        open_block(header, data)
    except BadBlock:
        return
    found = sort_block(table, header, at(0), Covered(), _recent(), lambda _: {})
    assert sum(found.tally) == table.num_rows
    decode_block(encode_block(table))


@cache
def _recent() -> RecentEvents:
    return RecentEvents()


def alert(data: bytes) -> None:
    """The value of a record of citybrain.alerts."""
    try:
        found = read_alert(data)
    except BadAlert as error:
        reason = error.reason
    else:
        reason = ""
    assert reason in {"", *REASONS}
    assert reason or read_alert(encode_alert(found).value) == found


def query(data: bytes) -> None:
    """Parameters of the HTTP API that we read ourselves, lines: a moment, a cursor, a month, SQL and its format."""
    moment, cursor, month, fmt, sql = (data.decode(errors="replace").split("\n", 4) + [""] * 5)[:5]
    for annotated, text in ((asked.Moment, moment), (asked.Month, month), (asked.Area, month), (asked.Cursor, cursor)):
        try:
            _adapter(annotated).validate_python(text)
        except ValidationError:
            continue
    from_cursor(cursor, 2)
    for check, text in ((check_readonly, sql), (check_format, fmt)):
        try:
            check(text)
        except NotReadOnly:
            continue


@cache
def _adapter(annotated: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotated)


def face(data: bytes) -> None:
    """A request to the HTTP face over chDB: method and encodings by the first byte, query string, content type, empty line, body."""
    if not data:
        return
    head, _, body = data[1:].partition(b"\n\n")
    string, _, kind = head.decode("latin-1").partition("\n")
    names = ["", *PACK, "unknown"]
    try:
        opened = unpack(body, names[data[0] % len(names)], MOST_BYTES)
        read_request("GET" if data[0] & 1 else "POST", string, kind, opened)
    except (BadRequest, BadEncoding):
        return


Target = Callable[[bytes], None]
TARGETS: Final[dict[str, Target]] = {
    "event": event, "batches": batches, "headers": headers, "mapping": mapping, "rows": rows, "arrow": arrow, "alert": alert, "query": query, "face": face,
}  # fmt: skip

_MAPPING = b"""about: fuzz
kind: police
source: urn:fuzz
id: number
at: {columns: [when], zone: Asia/Shanghai}
position: {lon: x, lat: y, system: gcj02}
fields: {code: type, text: {columns: [what, more], join: " ", patterns: ["(.+)"], empty: ["-"], optional: true}}
constants: {stage: reported}
classes: {exact: {BURG: O04}, patterns: [{match: "NOI.*", to: O12}]}
===
number,when,type,x,y,what
1001,2026-11-20 08:15,BURG,109.7755,39.5345,door forced
1002,,NOISE,,39.4813,
"""
_EVENTS = [_good(kind, n).value or b"" for n, kind in enumerate(KINDS)]
_RECORDS: list[tuple[bytes | None, bytes | None, int, list[tuple[str, bytes | None]]]] = [
    (b"k", _EVENTS[0], 0, [USUAL]),
    (None, None, -5, []),
    (b"", b"{}", 70_000, [("ce_specversion", b"1.0"), ("ce_id", None)]),
]
SEEDS: Final[dict[str, list[bytes]]] = {
    "event": [bytes([number]) + value for number, value in enumerate(_EVENTS)],
    "batches": [
        bytes([len(_RECORDS) - 1]) + batch_bytes(_RECORDS, 0, 0)[61:],  # behind the batch's own header
    ],
    "headers": [
        b"ce_specversion=1.0\nce_id=1\nce_source=s\nce_type=citybrain.police.v1\nce_time=2026-11-23T08:00:00+08:00\n\n{}",
        b"\n".join(name.encode() + b"=" + value for name, value in block([raw(0)]).headers) + b"\n\n",
    ],
    "mapping": [_MAPPING],
    "rows": [
        bytes([number, kind]) + (b"a,b\n1,2\n" if kind else b'{"a": {"b": 1}}\n')
        for number in range(len(mappings.shipped_mappings()))
        for kind in (0, 1)
    ],
    "arrow": [block([raw(0), bad(1)]).value, block([raw(0, kind="sensor")], "sensor").value],
    "alert": [encode_alert(one).value for one in (raised(), action(raised(), "ack", "a", note="看过"))],
    "query": [
        b"2026-11-25T08:00:00+08:00\nWyJhIiwiYiJd\n2026-11\nCSV\nSELECT 'a', `b` /* c */ FROM events -- d",
        b"2026-11-25T08:00:00Z\n\n150627\nArrowStream\nWITH 1 AS x SELECT x",
    ],
    "face": [
        b"\x00query=SELECT+1&param_a=b&max_threads=1\n\n",
        b"\x00database=x\n\nINSERT INTO events (a, b) SETTINGS x=1 FORMAT Native\nabc",
        b'\x00\nmultipart/form-data; boundary=b\n\n--b\r\ncontent-disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n--b--\r\n',
        *(bytes([number]) + b"query=SELECT+1\n\n" + pack(b" ") for number, pack in enumerate(PACK.values(), 1)),
    ],
}


def cases() -> list[tuple[str, bytes]]:
    """Every find that was kept, by target."""
    folder = Path(__file__).parent / "cases"
    return [(path.parent.name, path.read_bytes()) for path in sorted(folder.glob("*/*"))]
