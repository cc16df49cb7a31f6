"""The backend as a whole: who it is, how it is doing, what its owner wishes for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ..reading import JsonObject


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
    oldest_at: datetime | None
    database_bytes: int

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            source.integer("used_bytes"),
            source.integer("free_bytes"),
            source.integer("total_bytes"),
            source.number("recorded_s"),
            source.optional("oldest_at", source.time),
            source.integer("database_bytes"),
        )


@dataclass(frozen=True, slots=True)
class Survival:
    """How many steps survival mode has given up (0: it is off), the last of them, and why: disk, lag."""

    level: int
    step: str
    reasons: tuple[str, ...]

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.integer("level"), source.text("step"), source.texts("reasons"))


@dataclass(frozen=True, slots=True)
class Health:
    """How the backend is doing as a whole; `face_engine` is off, ok or away, no storage: its folder cannot be used."""

    status: str
    services: tuple[ServiceHealth, ...]
    storage: Storage | None
    now: datetime
    survival_mode: bool
    survival: Survival
    face_engine: str

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            status=source.text("status"),
            services=source.objects("services", ServiceHealth.parse),
            storage=Storage.parse(storage) if (storage := source.optional("storage", source.child)) else None,
            now=source.time("now"),
            survival_mode=source.flag("survival_mode"),
            survival=Survival.parse(source.child("survival")),
            face_engine=source.text("face_engine"),
        )


@dataclass(frozen=True, slots=True)
class Preferences:
    """What its owner wishes for the whole installation."""

    privacy: bool
    confirm_probability: float

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.flag("privacy"), source.number("confirm_probability"))
