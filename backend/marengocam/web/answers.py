"""From our values and errors to HTTP answers; the one place where errors get a status."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

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
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large",
          429: "too_many_requests"}  # fmt: skip
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


def refused(status: int, code: str, message: str, field: str | None = None) -> web.Response:
    """Return an error in the API's form."""
    detail: dict[str, Any] = {"code": code, "message": message}
    if field is not None:
        detail["field"] = field
    return web.json_response({"error": detail}, status=status)


def answer_for(error: MarengoCamError) -> web.Response:
    """Return the answer for one of our errors."""
    for kind, status, code in STATUSES:
        if isinstance(error, kind):
            return refused(status, code, str(error), getattr(error, "field", None))
    return refused(500, "internal", str(error))


def secured(frame_ancestors: str) -> Middleware:
    """Return what answers every error in the API's form, and puts the security headers on everything."""
    headers = SECURITY_HEADERS | {"Content-Security-Policy": CONTENT_POLICY.format(frame_ancestors=frame_ancestors)}

    @web.middleware
    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _answer_or_error(request, handler)
        if not response.prepared:
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            kept = "no-cache" if request.path.startswith("/page/") else "no-store"
            response.headers.setdefault("Cache-Control", kept)
        return response

    return answered


async def _answer_or_error(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except MarengoCamError as error:
        return answer_for(error)
    except web.HTTPException as error:
        return error if error.status < 400 else _http_error(error)
    except (ConnectionResetError, BrokenPipeError):
        raise
    except Exception:  # noqa: BLE001 - the API's own edge: logged with its stack, answered in its form
        _LOG.exception("%s %s failed", request.method, request.path)
        return refused(500, "internal", "Something went wrong inside MarengoCam; it is in the log of web.")


def _http_error(error: web.HTTPException) -> web.Response:
    messages = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "That is too large: send at most 8 MB.",
    }
    message = messages.get(error.status, error.reason or "The request was refused.")
    return refused(error.status, _CODES.get(error.status, "bad_input"), message)


async def given(request: web.Request, model: type[Model]) -> Model:
    """Return the request's body as a model; raises InputFieldError that names the field."""
    content = await request.read()
    try:
        return msgspec.json.decode(content, type=model)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        field = place.removesuffix("`").removeprefix("$").lstrip(".") or None
        raise InputFieldError(f"{message}{f' (field {field})' if field else ''}.", field) from None
    except msgspec.DecodeError as error:
        raise InputFieldError(f"The body is not valid JSON: {error}.", None) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputFieldError(f"The body is not valid JSON: {error}.", None) from None
