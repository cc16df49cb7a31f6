"""Typed async client of the MarengoCam backend: aiohttp only, nothing of Home Assistant.

Errors: everything raised is a `MarengoCamClientError`; see `errors.py`.
"""

from .address import DEFAULT_PORT, AddressError, normalise_address
from .client import API_VERSION, MarengoCamClient
from .connection import Limits
from .errors import (
    ApiError,
    BackendTooNewError,
    BackendTooOldError,
    CannotConnectError,
    IncompatibleVersionError,
    InvalidTokenError,
    MarengoCamClientError,
    UnexpectedAnswerError,
)
from .models import (
    Camera,
    Chunk,
    Event,
    EventPage,
    FoundCamera,
    Gap,
    Health,
    Info,
    Models,
    Person,
    Preferences,
    Probe,
    Recording,
    Replay,
    ServiceHealth,
    Stop,
    Storage,
    Streams,
    Visit,
    Word,
    Zone,
)
from .recordings import LiveStream
from .stream import Changed, Connected, Disconnected, EventStream, Pauses, Skipped, StreamMessage

__all__ = [
    "API_VERSION",
    "DEFAULT_PORT",
    "AddressError",
    "ApiError",
    "BackendTooNewError",
    "BackendTooOldError",
    "Camera",
    "CannotConnectError",
    "Changed",
    "Chunk",
    "Connected",
    "Disconnected",
    "Event",
    "EventPage",
    "EventStream",
    "FoundCamera",
    "Gap",
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
    "Preferences",
    "Probe",
    "Recording",
    "Replay",
    "ServiceHealth",
    "Skipped",
    "Stop",
    "Storage",
    "StreamMessage",
    "Streams",
    "UnexpectedAnswerError",
    "Visit",
    "Word",
    "Zone",
    "normalise_address",
]
