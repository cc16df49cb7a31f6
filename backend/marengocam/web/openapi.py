"""The OpenAPI document, made from the route table and the wire models."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from marengocam import __version__
from marengocam.web.table import PREFIX, Route
from marengocam.web.wire.base import ErrorAnswer

_REF = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"{(\w+)}")


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1)."""
    models = sorted(
        {one for route in routes for one in (route.answer, route.body) if one}, key=lambda one: one.__name__
    )
    _, components = msgspec.json.schema_components([*models, ErrorAnswer], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MarengoCam",
            "version": __version__,
            "description": "Cameras, people and events. Every error has the form of ErrorAnswer.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(route.path)
    ]
    parameters += [
        {"name": one.name, "in": "query", "required": False, "schema": {"type": one.kind}} for one in route.parameters
    ]
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.text,
        "parameters": parameters,
        "responses": {str(route.status): _answer(route), "default": _error()},
        "security": [{"token": []}] if route.scope else [],
    }
    if route.scope:
        operation["x-scope"] = route.scope
    if route.limit is not None:
        operation["x-limit"] = str(route.limit)
    if route.body is not None:
        schema = {"$ref": _REF.format(name=route.body.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.upload is not None:
        picture = {"type": "object", "properties": {route.upload: {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": picture}}}
    return operation


def _answer(route: Route) -> dict[str, Any]:
    if route.answer is not None:
        schema = {"$ref": _REF.format(name=route.answer.__name__)}
        return {"description": route.text, "content": {"application/json": {"schema": schema}}}
    if route.status in {101, 204}:
        return {"description": route.text}
    return {"description": route.text, "content": {route.media_type: {}}}


def _error() -> dict[str, Any]:
    schema = {"$ref": _REF.format(name="ErrorAnswer")}
    return {"description": "What was wrong and what to do", "content": {"application/json": {"schema": schema}}}
