"""The Arrow schema follows from the models: no second contract is written down."""

from __future__ import annotations

from typing import Any, Literal, get_args

import pyarrow as pa
import pytest
from pydantic import BaseModel

from schemas.events import EVENT_MODELS, Degrees, GridCode, Instant, Kind
from streams.arrow_contract import arrow_schema, arrow_type

READING = pa.struct([("metric", pa.string()), ("value", pa.float64()), ("unit", pa.string())])


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_field_of_a_model_is_a_column_in_its_order(kind: Kind) -> None:
    """Adding a field to a model adds it to the fast path."""
    model = EVENT_MODELS[kind]
    schema = arrow_schema(model)
    assert schema.names == list(model.model_fields)
    payload: Any = model.model_fields["data"].annotation
    assert [field.name for field in schema.field("data").type] == list(payload.model_fields)


def test_sensor_events_as_arrow() -> None:
    schema = arrow_schema(EVENT_MODELS["sensor"])
    data = schema.field("data").type
    assert {schema.field(name).type for name in ("specversion", "id", "source", "type", "time")} == {pa.string()}
    assert data.field("position").type == pa.struct([("lon", pa.float64()), ("lat", pa.float64())])
    assert data.field("readings").type == pa.list_(READING)
    assert (data.field("severity").type, data.field("status").type) == (pa.int64(), pa.string())


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, pa.string()), (int, pa.int64()), (float, pa.float64()), (Degrees, pa.float64()), (Instant, pa.string()),
        (float | None, pa.float64()), (Literal["a"], pa.string()), (list[float], pa.list_(pa.float64())),
        (list[GridCode] | None, pa.list_(pa.string())),
    ],
)  # fmt: skip
def test_types_one_by_one(annotation: Any, expected: pa.DataType) -> None:
    assert arrow_type(annotation) == expected


@pytest.mark.parametrize("annotation", [bool, bytes, dict[str, int], complex, object])
def test_a_type_the_fast_path_cannot_read_is_an_error_that_names_it(annotation: Any) -> None:
    """A silent guess would make two contracts."""
    with pytest.raises(TypeError, match="the Arrow fast path reads str, int, float"):
        arrow_type(annotation)


def test_two_types_in_one_field_are_refused() -> None:
    class Mixed(BaseModel):
        either: int | str

    with pytest.raises(ValueError, match="too many values"):
        arrow_schema(Mixed)
