"""schemathesis finds nothing: made-up requests, good and bad, get what the OpenAPI document says, and never a 5xx.

`make check-api` asks with many more examples than CI has time for.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.view.world import bearer

EXAMPLES = int(os.environ.get("TEST_API_EXAMPLES", "6"))
"""Requests for each operation, token and mode; without the setting always the same ones."""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("token", ["city-duty", "own-duty", None])
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_schemathesis_finds_nothing(api: httpx.Client, token: str | None, mode: GenerationMode) -> None:
    """Every operation but the endless stream; status, media type, body and headers against the document."""
    document = orjson.loads(api.get("/openapi.json").content)
    del document["paths"]["/api/v1/live"]
    schema = schemathesis.openapi.from_dict(document)
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) >= 14
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
            continue

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            derandomize="TEST_API_EXAMPLES" not in os.environ,
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def finds_nothing(case: Any) -> None:
            case.call_and_validate(base_url=str(api.base_url), headers=bearer(token), timeout=120)

        finds_nothing()
