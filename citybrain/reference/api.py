"""The page of the HTTP API: every route, parameter and answer, from the application's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from citybrain.reference.markdown import table
from schemas.places import Places
from view.app import build_app
from view.city import CityMap
from view.parts import Parts

METHODS = ("get", "post")


def document() -> dict[str, Any]:
    """The OpenAPI document. Nothing is asked for it."""
    parts = Parts(ask=lambda *_: [], publish=lambda _: None, city=CityMap(Places(())), zone=ZoneInfo("UTC"))
    app = build_app(parts)
    found: dict[str, Any] = app.openapi()
    return found


def routes() -> str:
    """Every route with its parameters and answers."""
    return "".join(_routes(document()))


def forms() -> str:
    """Every form of an answer with its fields."""
    return "".join(_forms(document()["components"]["schemas"]))


def _routes(api: dict[str, Any]) -> Iterator[str]:
    for path, methods in api["paths"].items():
        for method in METHODS:
            if method in methods:
                yield from _route(f"{method.upper()} {path}", methods[method])


def _route(title: str, route: dict[str, Any]) -> Iterator[str]:
    yield f"### `{title}`\n\n{route['description']}\n\n"
    parameters = [
        (
            f"`{one['name']}`",
            one["in"],
            _kind(one["schema"]),
            one.get("description", "") or one["schema"].get("description", ""),
        )
        for one in route.get("parameters", [])
    ]
    if parameters:
        yield table(("parameter", "in", "values", "meaning"), parameters)
    answers = [f"{status} {_content(answer)}".strip() for status, answer in sorted(route["responses"].items())]
    yield f"Answers: {', '.join(answers)}.\n\n"


def _content(answer: dict[str, Any]) -> str:
    kinds = [
        f"`{form['schema']['$ref'].rsplit('/', 1)[-1]}`" if "$ref" in form["schema"] else f"`{kind}`"
        for kind, form in answer.get("content", {}).items()
        if not (kind == "application/json" and form["schema"] == {})
    ]
    return "" if kinds == ["`ProblemBody`"] else " or ".join(kinds)


def _forms(schemas: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        if "properties" not in schema:
            continue
        yield f"### `{name}`\n\n{schema.get('description', '')}\n\n"
        rows = [(f"`{field}`", _kind(one), one.get("description", "")) for field, one in schema["properties"].items()]
        yield table(("field", "values", "meaning"), rows)


def _kind(schema: dict[str, Any]) -> str:
    """A JSON Schema in few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[-1]}`"
    if choices := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(_kind(one) for one in choices))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"][:8]) + (", ..." if len(schema["enum"]) > 8 else "")
    if "pattern" in schema:
        return f"text as `{schema['pattern']}`"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if "const" in schema:
        return f"`{schema['const']}`"
    return str(schema.get("format") or schema.get("type") or "any")
