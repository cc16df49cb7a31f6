"""The page docs/ref/api.md, written from the OpenAPI document."""

from typing import Any

_HEAD = """\
# API reference (v1)

Written from the OpenAPI document, which a running backend serves at `/api/v1/openapi.json`; a test compares. After a
change run `MARENGOCAM_UPDATE_REFERENCE=1 .venv/bin/python -m pytest tests/unit/web/test_api_reference.py`.

- **Token**: `Authorization: Bearer mc_...`, made by `marengocam token create --name phone`. Scopes: `read`, `write`
  (includes `read`), `admin` (includes both). 20 wrong tokens a minute from one address are answered with 429.
- **Signed** routes take no token: they are opened by the `expires` and `signature` of an address that another route
  gave (HLS: 12 hours; WebSocket ticket: 1 minute).
- **Times** are RFC 3339, UTC. **Boxes and polygons** are shares (0 to 1) of the picture's width and height.
- **Errors** have the form `{"error": {"code": "bad_input", "message": "what to do", "field": "main_url"}}`; `field` is
  there when one field is at fault. Unknown fields in a request are refused.

| code | status | meaning |
|---|---|---|
| `bad_input` | 400 | What was sent cannot be used; the message says what to change. |
| `unauthorized` | 401 | No token, or one that is not valid. |
| `forbidden` | 403 | The token lacks the scope, or a signed address has expired. |
| `not_found` | 404 | There is no such thing. |
| `method_not_allowed` | 405 | The address does not take that method. |
| `conflict` | 409 | It clashes with what is there, such as a name in use. |
| `too_slow` | 408 | The request's body took more than 30 seconds. |
| `too_large` | 413 | More than 8 MB, or more than 1 MB of JSON. |
| `too_many_requests` | 429 | Too many wrong tokens, or too often what costs much: wait `Retry-After` seconds. |
| `hub_unavailable` | 503 | The database is away; nothing is lost, try again. |
| `face_engine_unavailable` | 503 | The face engine does not answer; see health. |
| `store_unavailable` | 503 | The media folder cannot be used; see health. |
| `internal` | 500 | An error of ours; it is in the log of `web`. |

## Event stream

`GET /api/v1/events/stream?after=N` is a WebSocket. The server sends JSON texts: first
`{"kind": "hello", "last_number": 41}`, then every event after number N as `{"kind": "event", "event": Event}`, in order
and without gaps, those of the past first; without `after`, only what is new. In between come hints, each kind at most
once a second: `{"kind": "changed", "what": "cameras"}` (or `persons`, `tracks`, `health`). Keep the highest number seen
and connect again with it after any break: nothing is lost and nothing comes twice. A reader too slow for 10 seconds is
closed with code 1013. Ping every 15 seconds.

Programs send the bearer token; browsers, which cannot send headers here, first ask `POST /api/v1/events/ticket` for a
signed address and add `&after=N` to it.
"""


def api_reference(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document of ours."""
    parts = [_HEAD, "## Routes\n"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(_route(method.upper(), path, operation))
    parts.append("## Models\n")
    parts += [_model(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    return "\n".join(parts)


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    often = f" At most {operation['x-limit']} from one address." if "x-limit" in operation else ""
    scope = operation.get("x-scope", "none")
    lines = [f"### {method} {path}\n", f"{operation['summary']}. Scope: {scope}.{often}\n"]
    query = [one for one in operation["parameters"] if one["in"] == "query"]
    if query:
        named = (f"`{one['name']}` ({one['schema']['type']})" for one in query)
        lines.append(f"- Query: {', '.join(named)}")
    if "requestBody" in operation:
        lines.append(f"- Takes: {_content(operation['requestBody']['content'])}")
    for status, answer in operation["responses"].items():
        if status != "default":
            lines.append(f"- Answers {status}: {_content(answer.get('content', {}))}")
    return "\n".join(lines) + "\n"


def _content(content: dict[str, Any]) -> str:
    for media_type, described in content.items():
        schema = described.get("schema", {})
        if "$ref" in schema:
            return _kind(schema)
        if "properties" in schema:
            return f"`{media_type}` with file `{next(iter(schema['properties']))}`"
        return f"`{media_type}`"
    return "nothing"


def _model(name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}\n"]
    if "description" in schema:
        lines.append(f"{schema['description']}\n")
    lines += ["| field | type | needed |", "|---|---|---|"]
    needed = schema.get("required", [])
    for field, described in schema["properties"].items():
        lines.append(f"| `{field}` | {_kind(described)} | {'yes' if field in needed else ''} |")
    return "\n".join(lines) + "\n"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join("null" if one is None else f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"list of {len(schema['prefixItems'])} numbers"
        return f"list of {_kind(schema.get('items', {}))}"
    kind = str(schema.get("format") or schema.get("type") or "anything")
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return f"{kind} ({', '.join(bounds)})" if bounds else kind


_BOUNDS = {"minLength": "at least", "maxLength": "at most", "minimum": "from", "maximum": "to"}
