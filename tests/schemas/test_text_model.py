"""A text model's file: what is written is read; what is broken, changed or of another form is refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.errors import BadModel
from schemas.text_model import Context, Lead, Negation, Platt, Temperature, TextModel, from_bytes, hash_of, to_bytes
from streams.model_file import read_model

WHOLE: dict[str, Any] = {
    "name": "pipes", "version": "3", "labels": ("leak", "fire"),
    "terms": {"漏水": {"leak": 2}, "gas leak": {"leak": 1.5, "fire": 0.2}},
    "bias": {"fire": -0.5}, "normalisation": "l2", "scales": {"漏水": 1.3}, "threshold": 0.2, "margin": 0.1,
    "calibration": Platt(slope={"leak": 2, "fire": 1}, offset={"leak": -1, "fire": 0}),
    "masks": ("防漏水",), "negation": Negation(negators=("没有",), fillers=("发生",)),
    "contexts": {"drill": Context(raise_by=9, terms=("演练",))}, "data": "made up for a test",
}  # fmt: skip


@pytest.mark.parametrize("calibration", [WHOLE["calibration"], Temperature(temperature=0.5), Lead(slope=2, offset=-1, most=3)])
def test_what_is_written_is_read(calibration: Any, tmp_path: Path) -> None:
    """Byte for byte: writing what was read gives the same file."""
    model = TextModel(**{**WHOLE, "calibration": calibration})
    path = tmp_path / "model.json"
    path.write_bytes(to_bytes(model))

    assert read_model(path) == model
    assert to_bytes(read_model(path)) == path.read_bytes()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"nothing.json: cannot be read \(No such file or directory\)"):
        read_model(tmp_path / "nothing.json")


@pytest.mark.parametrize("cut", [1, 100, 500])
def test_a_cut_file_is_refused(cut: int) -> None:
    with pytest.raises(BadModel, match=r"f: not JSON .*; is the file whole"):
        from_bytes(to_bytes(TextModel(**WHOLE))[:-cut].rstrip(b"\n}"), "f")


def test_a_changed_weight_is_refused_by_its_hash() -> None:
    """A weight that somebody turned has to be seen: rules that change are audited."""
    content = to_bytes(TextModel(**WHOLE)).replace(b'"leak": 2.0\n', b'"leak": 2.5\n')
    with pytest.raises(BadModel, match=r"f: hash is 'sha256:.*', its content has 'sha256:.*'"):
        from_bytes(content, "f")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"form": "other/1"}, "form is 'other/1', wanted 'citybrain-text-model/1'"),
        ({"labels": ["leak"]}, r"labels \['fire'\] are not in `labels`"),
        ({"labels": ["leak", "fire", "leak"]}, "a label stands twice"),
        ({"scales": {"火": 1}}, r"scales of \['火'\], which are no terms"),
        ({"scales": {"漏水": 0}}, "scales.漏水: Input should be greater than 0"),
        ({"terms": {"漏水": {"leak": "heavy"}}}, r"terms.漏水.leak: Input should be a valid number"),
        ({"calibration": {"method": "guess"}}, "calibration: Input tag 'guess'"),
        ({"calibration": {"method": "platt", "slope": {}, "offset": {}}}, "calibration lacks labels"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"hash": "sha256:0"}, "hash is 'sha256:0'"),
        ({"hash": None}, "hash is None"),
    ],
)
def test_a_file_of_another_make_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    document = {**orjson.loads(to_bytes(TextModel(**WHOLE))), **change}
    with pytest.raises(BadModel, match=reason):
        from_bytes(orjson.dumps(document), "f")


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"{}"])
def test_json_that_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BadModel, match="f: form is"):
        from_bytes(content, "f")


def test_the_hash_is_of_the_content_not_of_its_order() -> None:
    """Terms in another order are the same model; another word about the data is another one."""
    model = TextModel(**WHOLE)
    turned = TextModel(**{**WHOLE, "terms": dict(reversed(WHOLE["terms"].items()))})
    assert hash_of(turned) == hash_of(model)
    assert hash_of(TextModel(**{**WHOLE, "data": "another"})) != hash_of(model)
