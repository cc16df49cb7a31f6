"""Cameras, and what is known of those that are not added yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from ..reading import JsonObject


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area of one camera's picture."""

    zone_id: str
    name: str
    open_person_tracks: int

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("zone_id"), source.text("name"), source.integer("open_person_tracks"))


@dataclass(frozen=True, slots=True)
class Recording:
    """When a camera is recorded; `mode` is always, motion, person or off."""

    mode: str
    pre_roll_s: float
    post_roll_s: float
    sound: bool

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("mode"), source.number("pre_roll_s"), source.number("post_roll_s"), source.flag("sound"))


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
    main_url: str
    sub_url: str | None
    username: str | None
    recording: Recording
    analysis: Mapping[str, Any]  # as the backend gave it: given back whole when one field changes
    recording_now: bool
    moving: bool
    last_person_at: datetime | None
    last_person_track_id: str | None
    metrics: Mapping[str, float]
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
            main_url=source.text("main_url"),
            sub_url=source.optional("sub_url", source.text),
            username=source.optional("username", source.text),
            recording=Recording.parse(source.child("recording")),
            analysis=source.child("analysis").content,
            recording_now=source.flag("recording_now"),
            moving=source.flag("moving"),
            last_person_at=source.optional("last_person_at", source.time),
            last_person_track_id=source.optional("last_person_track_id", source.text),
            metrics=source.child("metrics").content,
            zones=source.objects("zones", Zone.parse),
        )

    @property
    def faces(self) -> bool:
        """Whether faces are looked for."""
        return bool(self.analysis.get("faces", True))


@dataclass(frozen=True, slots=True)
class Chunk:
    """One recorded file."""

    started_at: datetime
    duration_s: float

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.time("started_at"), source.number("duration_s"))


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which a camera should have been recorded and was not."""

    camera_id: str
    from_at: datetime
    to_at: datetime

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("camera_id"), source.time("from_at"), source.time("to_at"))


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that answered on the local network; `camera_id` is set when it is known already."""

    name: str
    host: str
    onvif_url: str
    camera_id: str | None

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            source.text("name"),
            source.text("host"),
            source.text("onvif_url"),
            source.optional("camera_id", source.text),
        )


@dataclass(frozen=True, slots=True)
class Streams:
    """What a camera says of itself by ONVIF, and which of its streams suit."""

    manufacturer: str
    model: str
    main_url: str
    sub_url: str | None

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            source.text("manufacturer"),
            source.text("model"),
            source.text("main_url"),
            source.optional("sub_url", source.text),
        )


@dataclass(frozen=True, slots=True)
class Probe:
    """What an address offers."""

    codec: str
    width_px: int
    height_px: int

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("codec"), source.integer("width_px"), source.integer("height_px"))
