"""The Arrow schema a payload model implies, so that the fast path can never know another contract than pydantic."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel


def arrow_schema(model: type[BaseModel]) -> pa.Schema:
    """One Arrow field a model field. Times stay text: their form is checked before they are read."""
    return pa.schema([pa.field(name, arrow_type(field.annotation)) for name, field in model.model_fields.items()])


def arrow_type(annotation: Any) -> pa.DataType:
    """Arrow type of a model annotation. TypeError for a kind of field the fast path cannot read."""
    if get_origin(annotation) is Annotated:
        return arrow_type(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        (inner,) = [choice for choice in get_args(annotation) if choice is not type(None)]
        return arrow_type(inner)
    if get_origin(annotation) is Literal or annotation in {str, datetime, AwareDatetime}:
        return pa.string()
    if get_origin(annotation) is list:
        return pa.list_(arrow_type(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pa.struct(list(arrow_schema(annotation)))
    if annotation is float:
        return pa.float64()
    if annotation is int:
        return pa.int64()
    message = f"field type {annotation!r}: the Arrow fast path reads str, int, float, datetime, Literal, list and models"
    raise TypeError(message)


def numbers_in(fields: Iterable[pa.Field]) -> Iterator[str]:
    """Names of all fields that hold a number, at any depth."""
    for field in fields:
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        if pa.types.is_struct(inner):
            yield from numbers_in(inner)
        elif pa.types.is_integer(inner) or pa.types.is_floating(inner):
            yield field.name
