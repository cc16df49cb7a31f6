"""The API's models (v1). Times are RFC 3339, UTC; boxes and polygons are shares of the picture."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from marengocam.web.wire.base import Given, Name, Told


class ModelsInUse(Told):
    """Which models look at the cameras."""

    detector: str | None
    face: str | None
    appearance: str | None


class Info(Told):
    """Who answers here."""

    name: str
    version: str
    api_version: int
    installation_id: UUID
    last_event_number: int
    models: ModelsInUse


class MediaUrl(Told):
    """A signed path, valid for some hours, that needs no token."""

    url: str


class SpanIn(Given):
    """A stretch of time."""

    from_at: datetime
    to_at: datetime


class ChunkOut(Told):
    chunk_id: UUID
    camera_id: str
    started_at: datetime
    duration_s: float
    size_bytes: int
    codec: str
    width_px: int
    height_px: int


class ChunkList(Told):
    chunks: list[ChunkOut]


class TrackOut(Told):
    """A LocalTrack and who it is believed to be."""

    local_track_id: UUID
    camera_id: str
    label: str
    open: bool
    first_seen_at: datetime
    last_seen_at: datetime
    score: float
    observations: int
    zones: list[str]
    identity_id: UUID | None
    person_id: UUID | None
    person_name: str | None
    probability: float | None
    decided_by: str | None
    has_crop: bool


class PathPointOut(Told):
    at: datetime
    box: tuple[float, float, float, float]
    score: float


class TrackDetail(TrackOut):
    """A LocalTrack with its path and the evidence for its identity."""

    path: list[PathPointOut]
    evidence: dict[str, Any] | None
    views: int  # further pictures that show it otherwise: crop.jpg?view=1 and on


class TrackList(Told):
    tracks: list[TrackOut]
    next: str | None


class SightingsOut(Told):
    """Tracks that began near one another; a `label` of null: of several kinds."""

    from_at: datetime
    to_at: datetime
    count: int
    named: bool
    person_names: list[str]
    label: str | None


class SightingsList(Told):
    """All that a camera saw in a span, oldest first."""

    sightings: list[SightingsOut]


class IdentityOut(Told):
    """One individual as the resolver sees it."""

    identity_id: UUID
    person_id: UUID | None
    person_name: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    tracks: int
    crop_track_id: UUID | None


class IdentityList(Told):
    identities: list[IdentityOut]


class IdentityName(Given):
    """Who an identity is: a new or known name, or a known person."""

    name: Name | None = None
    person_id: UUID | None = None


class PersonIn(Given):
    name: Name


class PersonOut(Told):
    """Somebody with a name, and where they were seen last; `last_seen_track_id` has a picture."""

    person_id: UUID
    name: str
    created_at: datetime
    faces: int
    last_seen_at: datetime | None
    last_seen_camera_id: str | None
    last_seen_camera_name: str | None
    last_seen_probability: float | None
    last_seen_track_id: UUID | None
    present: bool
    has_picture: bool


class PersonList(Told):
    persons: list[PersonOut]


class EventOut(Told):
    """A numbered fact; `late` when it is told long after it happened."""

    number: int
    event_id: UUID
    type: str
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    camera_id: str | None
    camera_name: str | None
    local_track_id: UUID | None
    identity_id: UUID | None
    person_id: UUID | None
    person_name: str | None
    probability: float | None
    zones: list[str]
    data: dict[str, Any]


class EventList(Told):
    events: list[EventOut]
    last_number: int


class ServiceOut(Told):
    service: str
    instance: str
    status: str
    reason: str
    started_at: datetime
    heartbeat_at: datetime
    detail: dict[str, Any]


class StorageOut(Told):
    used_bytes: int
    free_bytes: int
    total_bytes: int
    recorded_bytes: int
    recorded_s: float
    oldest_at: datetime | None
    database_bytes: int


class HealthEntryOut(Told):
    at: datetime
    service: str
    subject: str
    level: str
    message: str


class SurvivalOut(Told):
    """How many steps survival mode has given up (0: it is off), the last of them, and why."""

    level: int
    step: str
    reasons: list[Literal["disk", "lag"]]


class HealthOut(Told):
    """How the whole is doing; `status` is that of the worst part."""

    status: Literal["ok", "degraded", "failing"]
    services: list[ServiceOut]
    now: datetime
    survival_mode: bool
    survival: SurvivalOut
    face_engine: Literal["off", "ok", "away"]
    storage: StorageOut | None
    log: list[HealthEntryOut]


class TokenIn(Given):
    name: Name
    scopes: Annotated[list[Literal["read", "write", "admin"]], msgspec.Meta(min_length=1)]


class TokenOut(Told):
    token_id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(Told):
    """A new token, shown this once."""

    token: str


class TokenList(Told):
    tokens: list[TokenOut]


class TicketOut(Told):
    """A signed path for a WebSocket, valid for a minute: browsers cannot send headers there."""

    url: str
