"""From our values and errors to HTTP answers; the one place where errors get a status."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from itertools import accumulate
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from marengocam.core.errors import (
    BadInputError,
    ConflictError,
    FaceEngineError,
    HubUnavailableError,
    MarengoCamError,
    MediaError,
    NotFoundError,
    StoreError,
)
from marengocam.web.refusals import no_json, unlike_model
from marengocam.web.signing import BadSignatureError

_LOG = logging.getLogger(__name__)
Model = TypeVar("Model")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STATUSES: tuple[tuple[type[MarengoCamError], int, str], ...] = (
    (BadSignatureError, 403, "forbidden"),
    (NotFoundError, 404, "not_found"),
    (ConflictError, 409, "conflict"),
    (BadInputError, 400, "bad_input"),
    (MediaError, 400, "bad_input"),
    (HubUnavailableError, 503, "hub_unavailable"),
    (FaceEngineError, 503, "face_engine_unavailable"),
    (StoreError, 503, "store_unavailable"),
)
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 408: "too_slow",
          413: "too_large", 429: "too_many_requests"}  # fmt: skip
BEGUN = web.RequestKey("begun", bool)  # in a request whose answer's head has gone out
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")  # what an error says in its headers
BODY_LIMIT_S = 30.0  # for sending a request's body, however large
MAX_JSON_BYTES = 1 << 20
MAX_NESTING = 32
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class InputFieldError(BadInputError):
    """A field of the request cannot be used."""

    def __init__(self, message: str, field: str | None) -> None:
        super().__init__(message)
        self.field = field


def told(value: Any, status: int = 200) -> web.Response:
    """Return a model as JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def refused(status: int, code: str, message: str, field: str | None = None, line: int | None = None) -> web.Response:
    """Return an error in the API's form."""
    detail: dict[str, Any] = {"code": code, "message": message}
    detail |= {name: value for name, value in (("field", field), ("line", line)) if value is not None}
    return web.json_response({"error": detail}, status=status)


def answer_for(error: MarengoCamError) -> web.Response:
    """Return the answer for one of our errors."""
    for kind, status, code in STATUSES:
        if isinstance(error, kind):
            return refused(status, code, str(error), getattr(error, "field", None), getattr(error, "line", None))
    return refused(500, "internal", str(error))


def secure(app: web.Application, frame_ancestors: str) -> None:
    """Have every error answered in the API's form, and the security headers on everything."""
    headers = SECURITY_HEADERS | {"Content-Security-Policy": CONTENT_POLICY.format(frame_ancestors=frame_ancestors)}

    async def head(request: web.Request, response: web.StreamResponse) -> None:
        request[BEGUN] = True
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        kept = "no-cache" if request.path.startswith("/page/") else "no-store"
        response.headers.setdefault("Cache-Control", kept)

    app.middlewares.append(_answer_or_error)
    app.on_response_prepare.append(head)


@web.middleware
async def _answer_or_error(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (ConnectionResetError, BrokenPipeError):
        raise
    except Exception as error:
        if BEGUN in request:
            _cut(request, error)
            raise ConnectionResetError("an answer was cut off") from error
        return _error_answer(request, error)


def _cut(request: web.Request, error: Exception) -> None:
    """End the connection: an error's text would be taken for a part of what was being sent."""
    _LOG.warning("%s %s was cut off: %s", request.method, request.path, str(error) or type(error).__name__)
    if request.transport is not None:
        request.transport.abort()


def _error_answer(request: web.Request, error: Exception) -> web.StreamResponse:
    if isinstance(error, MarengoCamError):
        return answer_for(error)
    if isinstance(error, web.HTTPException):
        return error if error.status < 400 else _http_error(error)
    _LOG.error("%s %s failed", request.method, request.path, exc_info=error)
    return refused(500, "internal", "Something went wrong inside MarengoCam; it is in the log of web.")


def _http_error(error: web.HTTPException) -> web.Response:
    messages = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        408: "The request came too slowly: send it again.",
        413: "That is too large: send at most 8 MB, or 1 MB of JSON.",
    }
    message = messages.get(error.status, error.reason or "The request was refused.")
    answer = refused(error.status, _CODES.get(error.status, "bad_input"), message)
    answer.headers.update({name: error.headers[name] for name in KEPT_HEADERS if name in error.headers})
    return answer


async def in_time(sending: Awaitable[Model]) -> Model:
    """Return what a client is sending; raises HTTPRequestTimeout when it takes too long."""
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            return await sending
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


async def given(request: web.Request, model: type[Model]) -> Model:
    """Return the request's body as a model; raises InputFieldError that names the field."""
    content = await in_time(request.read())
    if len(content) > MAX_JSON_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_JSON_BYTES, len(content))
    if _nesting(content) > MAX_NESTING:
        raise InputFieldError(f"The body is nested too deeply: {MAX_NESTING} levels are taken.", None)
    try:
        return msgspec.json.decode(content, type=model)
    except msgspec.ValidationError as error:
        raise InputFieldError(*unlike_model(str(error), model)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputFieldError(no_json(error, content), None) from None


def _nesting(content: bytes) -> int:
    """Return how deep the brackets of a JSON text stand in each other: what is kept must be readable again."""
    if content.count(b"[") + content.count(b"{") <= MAX_NESTING:
        return MAX_NESTING
    brackets = _BRACKET.findall(_TEXT.sub(b"", content))
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)
