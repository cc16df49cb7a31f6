"""Typed async client of the MarengoCam backend: aiohttp only, nothing of Home Assistant.

Errors: everything raised is a `MarengoCamClientError`; see `errors.py`.
"""

from .address import DEFAULT_PORT, AddressError, normalise_address
from .client import API_VERSION, Limits, LiveStream, MarengoCamClient
from .errors import (
    ApiError,
    CannotConnectError,
    IncompatibleVersionError,
    InvalidTokenError,
    MarengoCamClientError,
    UnexpectedAnswerError,
)
from .models import Camera, Event, EventPage, Health, Info, Models, Person, Replay, ServiceHealth, Storage, Zone
from .stream import Changed, Connected, Disconnected, EventStream, Pauses, Skipped, StreamMessage

__all__ = [
    "API_VERSION",
    "DEFAULT_PORT",
    "AddressError",
    "ApiError",
    "Camera",
    "CannotConnectError",
    "Changed",
    "Connected",
    "Disconnected",
    "Event",
    "EventPage",
    "EventStream",
    "Health",
    "IncompatibleVersionError",
    "Info",
    "InvalidTokenError",
    "Limits",
    "LiveStream",
    "MarengoCamClient",
    "MarengoCamClientError",
    "Models",
    "Pauses",
    "Person",
    "Replay",
    "ServiceHealth",
    "Skipped",
    "Storage",
    "StreamMessage",
    "UnexpectedAnswerError",
    "Zone",
    "normalise_address",
]
