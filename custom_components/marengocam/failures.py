"""The client's errors as Home Assistant's, in the owner's language."""

from typing import TypeVar

from homeassistant.exceptions import HomeAssistantError

from .client import (
    ApiError,
    BackendTooNewError,
    BackendTooOldError,
    CannotConnectError,
    InvalidTokenError,
    MarengoCamClientError,
)
from .const import DOMAIN

ErrorT = TypeVar("ErrorT", bound=HomeAssistantError)

KEYS: dict[type[MarengoCamClientError], str] = {
    CannotConnectError: "cannot_connect",
    InvalidTokenError: "invalid_auth",
    BackendTooOldError: "backend_too_old",
    BackendTooNewError: "backend_too_new",
    ApiError: "refused",
}


def explain(error: MarengoCamClientError, kind: type[ErrorT]) -> ErrorT:
    """Return `kind` with the translated reason; raise it from `error`."""
    key = KEYS.get(type(error), "unexpected_answer")
    return kind(translation_domain=DOMAIN, translation_key=key, translation_placeholders={"reason": str(error)})


def not_loaded(kind: type[ErrorT]) -> ErrorT:
    """Return `kind` for a backend that is not there to be asked."""
    return kind(translation_domain=DOMAIN, translation_key="not_loaded")


def nothing_there(kind: type[ErrorT], path: str | None) -> ErrorT:
    """Return `kind` for a path that leads to nothing."""
    return kind(
        translation_domain=DOMAIN, translation_key="nothing_there", translation_placeholders={"path": path or "/"}
    )
