"""Person fields go by name, at any depth, and each is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import EVENT_MODELS
from schemas.person_fields import PERSON_FIELDS, person_fields_in, without_person_fields

names = (
    st.sampled_from(sorted(PERSON_FIELDS)) | st.sampled_from(["Phone", "FACE_ID", "id", "place", "names"]) | st.text(max_size=3)
)
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "kept", "dropped"),
    [
        ({"phone": 1, "code": 2}, {"code": 2}, ["phone"]),
        ({"data": {"Phone": 1, "PHONE": 2, "姓名": 3}}, {"data": {}}, ["phone", "phone", "姓名"]),
        ([{"face": {"age": 1, "x": 2}}, {"x": [{"plate": 1}]}], [{}, {"x": [{}]}], ["age", "face", "plate"]),
        ({"names": 1, "telephone": "phone"}, {"names": 1, "telephone": "phone"}, []),
        ("phone", "phone", []),
        (None, None, []),
    ],
)
def test_dropped_by_name_and_counted(value: Any, kept: Any, dropped: list[str]) -> None:
    assert without_person_fields(value) == kept
    assert sorted(person_fields_in(value)) == sorted(dropped)


@given(values)
@settings(derandomize=True, deadline=None)
def test_nothing_is_left_and_nothing_is_changed_in_place(value: Any) -> None:
    before = repr(value)
    cut = without_person_fields(value)
    assert person_fields_in(cut) == []
    assert repr(value) == before
    assert (cut == value) == (person_fields_in(value) == [])


def test_any_depth_is_walked() -> None:
    """A JSON reader goes 1,024 levels deep; Python's stack does not."""
    value: Any = {"phone": 1, "code": 2}
    for _ in range(1_500):
        value = [{"x": value}]
    assert person_fields_in(value) == ["phone"]
    cut: Any = without_person_fields(value)
    for _ in range(1_500):
        cut = cut[0]["x"]
    assert cut == {"code": 2}


@pytest.mark.parametrize("kind", ["sensor", "police", "grid"])
def test_no_model_has_a_field_for_a_person(kind: Any) -> None:
    """The allow-list is what keeps persons out; the names only count what was sent."""
    model = EVENT_MODELS[kind]
    payload: Any = model.model_fields["data"].annotation
    assert not PERSON_FIELDS & {*model.model_fields, *payload.model_fields}


def test_names_are_lower_case_so_that_any_case_is_found() -> None:
    assert all(name == name.lower() for name in PERSON_FIELDS)
