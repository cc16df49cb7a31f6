"""The values that travel between the rooms; the words are those of ARCHITECTURE.md."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.camera_options import Analysis, Recording, Transport
from marengocam.core.geometry import Box, Point
from marengocam.core.secret import Secret

Vector = npt.NDArray[np.float32]


class EventType(StrEnum):
    """Every kind of fact that others may act on."""

    PERSON_DETECTED = "person_detected"
    PERSON_CONFIRMED = "person_confirmed"
    PERSON_UNKNOWN = "person_unknown"
    PERSON_CORRECTED = "person_corrected"
    ZONE_ENTERED = "zone_entered"
    MOVEMENT_SEEN = "movement_seen"
    VISIT_ENDED = "visit_ended"
    MOMENT_MARKED = "moment_marked"
    CAMERA_OFFLINE = "camera_offline"
    CAMERA_ONLINE = "camera_online"
    HEALTH_CHANGED = "health_changed"
    SURVIVAL_MODE_CHANGED = "survival_mode_changed"
    REPLAY_FINISHED = "replay_finished"
    RULE_FIRED = "rule_fired"


class CameraState(StrEnum):
    """How a camera is doing; every state but `online` carries a reason for its owner."""

    DISABLED = "disabled"
    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area of one camera's picture."""

    zone_id: UUID
    name: str
    polygon: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Camera:
    """One video source as its owner configured it; the addresses carry no user or password."""

    camera_id: str
    name: str
    main_url: str
    sub_url: str | None = None
    username: str | None = None
    password: Secret | None = None
    enabled: bool = True
    detect: bool = True
    zones: tuple[Zone, ...] = ()
    transport: Transport = Transport.TCP
    recording: Recording = field(default_factory=Recording)
    analysis: Analysis = field(default_factory=Analysis)
    restarts: int = 0  # how often its owner had it begun anew


@dataclass(frozen=True, slots=True)
class Chunk:
    """One recorded file; `path` is relative to the media root."""

    chunk_id: UUID
    camera_id: str
    started_at: datetime
    duration_s: float
    size_bytes: int
    path: PurePosixPath
    codec: str
    width_px: int
    height_px: int

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.duration_s)


@dataclass(frozen=True, slots=True)
class Detection:
    """One labelled box in one frame."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Embedding:
    """A unit-length vector and the model that made it; vectors of different models are never compared."""

    model: str
    vector: Vector
    quality: float  # 0 (useless) to 1 (as good as it gets)


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """A name that a face engine without embeddings gave, with its own score."""

    engine: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class PathPoint:
    """Where an object was at one moment of its LocalTrack."""

    at: datetime
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class LocalTrack:
    """One object followed through one camera, from first to last sight."""

    local_track_id: UUID
    camera_id: str
    label: str
    first_seen_at: datetime
    last_seen_at: datetime
    open: bool
    score: float  # best detection score
    observations: int  # detections that support it
    path: tuple[PathPoint, ...] = ()
    zones: tuple[str, ...] = ()  # names, in order of entry
    crop_path: PurePosixPath | None = None  # best picture, relative to the media root
    crop_paths: tuple[PurePosixPath, ...] = ()  # further pictures that show it otherwise
    face_crop_path: PurePosixPath | None = None
    face: Embedding | None = None
    appearance: Embedding | None = None
    name_evidence: NameEvidence | None = None
    face_engine_ok: bool = True  # False: the engine was cut off, so no face says nothing
    run_id: UUID | None = None  # the replay run it belongs to; None when live


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered fact; `number` is gap-free in the order of commit."""

    number: int
    event_id: UUID
    type: EventType
    occurred_at: datetime
    recorded_at: datetime
    camera_id: str | None = None
    local_track_id: UUID | None = None
    identity_id: UUID | None = None
    person_id: UUID | None = None
    person_name: str | None = None
    probability: float | None = None
    zones: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)  # evidence summary and what the type adds


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before the hub gave it its number."""

    event_id: UUID
    type: EventType
    occurred_at: datetime
    camera_id: str | None = None
    local_track_id: UUID | None = None
    identity_id: UUID | None = None
    person_id: UUID | None = None
    person_name: str | None = None
    probability: float | None = None
    zones: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on one thing for a while; `fence` rises with every change of holder."""

    name: str
    holder: str
    fence: int
    expires_at: datetime
