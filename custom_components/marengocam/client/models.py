"""What the backend says, as frozen values; a field that is new is ignored, one that is gone is an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from .reading import JsonObject


@dataclass(frozen=True, slots=True)
class Models:
    """Which models are at work; None: that part is off."""

    detector: str | None
    face: str | None
    appearance: str | None

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(*(source.optional(key, source.text) for key in ("detector", "face", "appearance")))


@dataclass(frozen=True, slots=True)
class Info:
    """Who the backend is."""

    name: str
    version: str
    api_version: int
    installation_id: str
    last_event_number: int
    models: Models

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            name=source.text("name"),
            version=source.text("version"),
            api_version=source.integer("api_version"),
            installation_id=source.text("installation_id"),
            last_event_number=source.integer("last_event_number"),
            models=Models.parse(source.child("models")),
        )


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area of one camera's picture."""

    zone_id: str
    name: str

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("zone_id"), source.text("name"))


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera and how it is doing; `state` is disabled, connecting, online or offline."""

    camera_id: str
    name: str
    enabled: bool
    detect: bool
    state: str
    reason: str
    since: datetime | None
    open_person_tracks: int
    zones: tuple[Zone, ...]

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            camera_id=source.text("camera_id"),
            name=source.text("name"),
            enabled=source.flag("enabled"),
            detect=source.flag("detect"),
            state=source.text("state"),
            reason=source.optional("reason", source.text) or "",
            since=source.optional("since", source.time),
            open_person_tracks=source.integer("open_person_tracks"),
            zones=source.objects("zones", Zone.parse),
        )


@dataclass(frozen=True, slots=True)
class Person:
    """A named person and where they were last seen."""

    person_id: str
    name: str
    present: bool
    last_seen_at: datetime | None
    last_seen_camera_id: str | None
    last_seen_camera_name: str | None
    last_seen_probability: float | None

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            person_id=source.text("person_id"),
            name=source.text("name"),
            present=source.flag("present"),
            last_seen_at=source.optional("last_seen_at", source.time),
            last_seen_camera_id=source.optional("last_seen_camera_id", source.text),
            last_seen_camera_name=source.optional("last_seen_camera_name", source.text),
            last_seen_probability=source.optional("last_seen_probability", source.number),
        )


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """The last sign of life of one process; `status` is ok, degraded, failing or gone."""

    service: str
    instance: str
    status: str
    reason: str

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            source.text("service"),
            source.text("instance"),
            source.text("status"),
            source.optional("reason", source.text) or "",
        )


@dataclass(frozen=True, slots=True)
class Storage:
    """The media folder."""

    used_bytes: int
    free_bytes: int
    total_bytes: int
    recorded_s: float

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            source.integer("used_bytes"),
            source.integer("free_bytes"),
            source.integer("total_bytes"),
            source.number("recorded_s"),
        )


@dataclass(frozen=True, slots=True)
class Health:
    """How the backend is doing as a whole."""

    status: str
    services: tuple[ServiceHealth, ...]
    storage: Storage

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            status=source.text("status"),
            services=source.objects("services", ServiceHealth.parse),
            storage=Storage.parse(source.child("storage")),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered fact; `type` may be one that this client does not know yet."""

    number: int
    event_id: str
    type: str
    occurred_at: datetime
    late: bool
    camera_id: str | None
    camera_name: str | None
    local_track_id: str | None
    identity_id: str | None
    person_id: str | None
    person_name: str | None
    probability: float | None
    zones: tuple[str, ...]
    data: Mapping[str, Any]

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        def maybe(key: str) -> str | None:
            return source.optional(key, source.text)

        return cls(
            number=source.integer("number"),
            event_id=source.text("event_id"),
            type=source.text("type"),
            occurred_at=source.time("occurred_at"),
            late=source.flag("late"),
            camera_id=maybe("camera_id"),
            camera_name=maybe("camera_name"),
            local_track_id=maybe("local_track_id"),
            identity_id=maybe("identity_id"),
            person_id=maybe("person_id"),
            person_name=maybe("person_name"),
            probability=source.optional("probability", source.number),
            zones=source.optional("zones", source.texts) or (),
            data=data.content if (data := source.optional("data", source.child)) else {},
        )


@dataclass(frozen=True, slots=True)
class EventPage:
    """A stretch of events in order, and the newest number there is."""

    events: tuple[Event, ...]
    last_number: int

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.objects("events", Event.parse), source.integer("last_number"))


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay run; `state` is requested, running, finished or failed."""

    run_id: str
    camera_id: str
    state: str
    reason: str
    report: Mapping[str, Any]

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        report = source.optional("report", source.child)
        return cls(
            run_id=source.text("run_id"),
            camera_id=source.text("camera_id"),
            state=source.text("state"),
            reason=source.optional("reason", source.text) or "",
            report=report.content if report else {},
        )

    @property
    def done(self) -> bool:
        return self.state in ("finished", "failed")
