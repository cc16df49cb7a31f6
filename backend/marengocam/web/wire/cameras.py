"""Cameras as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from marengocam.web.wire.base import CameraId, Given, Name, Share, Told, Url

Mode = Literal["always", "motion", "person", "off"]
Roll = Annotated[float, msgspec.Meta(ge=0, le=60)]
Corners = Annotated[list[tuple[Share, Share]], msgspec.Meta(min_length=3, max_length=100)]
Label = Literal[
    "person", "bicycle", "car", "motorcycle", "bus", "truck", "bird", "cat", "dog", "horse", "sheep", "cow", "bear",
    "backpack", "handbag", "suitcase",
]  # fmt: skip


class ZoneOut(Told):
    """A named area of a camera's picture."""

    zone_id: UUID
    name: str
    polygon: list[tuple[float, float]]
    open_person_tracks: int


class ZoneIn(Given):
    """A named area: at least three corners."""

    name: Name
    polygon: Annotated[list[tuple[Share, Share]], msgspec.Meta(min_length=3, max_length=100)]


class ZonesIn(Given):
    """All areas of a camera."""

    zones: Annotated[list[ZoneIn], msgspec.Meta(max_length=50)]


class RecordingIn(Given):
    """When it is recorded: what is left out has its default."""

    mode: Mode = "always"
    pre_roll_s: Roll = 5.0
    post_roll_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 10.0
    sound: bool = True


class RecordingOut(Told):
    """When it is recorded."""

    mode: Mode
    pre_roll_s: float
    post_roll_s: float
    sound: bool


class LabelRuleIn(Given):
    """A kind of thing that is looked for; sizes are shares of the picture."""

    label: Label
    min_score: Annotated[float, msgspec.Meta(ge=0.05, le=0.95)] | None = None
    min_height: Share = 0.0
    min_area: Share = 0.0


class LabelRuleOut(Told):
    """A kind of thing that is looked for; without a `min_score` the installation's holds."""

    label: str
    min_score: float | None
    min_height: float
    min_area: float


class AnalysisIn(Given):
    """What is looked for, and where not: what is left out has its default."""

    labels: Annotated[list[LabelRuleIn], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    masks: Annotated[list[Corners], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    learn_furniture: bool = True
    movement: bool = True
    faces: bool = True
    appearance: bool = True


class AnalysisOut(Told):
    """What is looked for (no labels: people, vehicles and animals), and where not."""

    labels: list[LabelRuleOut]
    masks: list[list[tuple[float, float]]]
    learn_furniture: bool
    movement: bool
    faces: bool
    appearance: bool


class CameraOut(Told):
    """A camera, its configuration and how it is doing; its password is never shown."""

    camera_id: str
    name: str
    enabled: bool
    detect: bool
    main_url: str
    sub_url: str | None
    username: str | None
    has_password: bool
    zones: list[ZoneOut]
    transport: Literal["tcp", "udp"]
    recording: RecordingOut
    analysis: AnalysisOut
    state: Literal["disabled", "connecting", "online", "offline"]
    reason: str
    since: datetime | None
    last_packet_at: datetime | None
    metrics: dict[str, Any]
    open_person_tracks: int
    recording_now: bool
    moving: bool
    last_person_at: datetime | None
    last_person_track_id: UUID | None


class CameraList(Told):
    cameras: list[CameraOut]


class CameraIn(Given):
    """A new camera; a user and password inside an address are taken out of it."""

    name: Name
    main_url: Url
    camera_id: CameraId | None = None
    sub_url: Url | None = None
    username: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    password: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    enabled: bool = True
    detect: bool = True
    transport: Literal["tcp", "udp"] = "tcp"
    recording: RecordingIn = msgspec.field(default_factory=RecordingIn)
    analysis: AnalysisIn = msgspec.field(default_factory=AnalysisIn)


class CameraChange(Given):
    """What is given changes, the rest stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    main_url: Url | msgspec.UnsetType = msgspec.UNSET
    sub_url: Url | msgspec.UnsetType | None = msgspec.UNSET
    username: str | msgspec.UnsetType | None = msgspec.UNSET
    password: str | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    detect: bool | msgspec.UnsetType = msgspec.UNSET
    transport: Literal["tcp", "udp"] | msgspec.UnsetType = msgspec.UNSET
    recording: RecordingIn | msgspec.UnsetType = msgspec.UNSET
    analysis: AnalysisIn | msgspec.UnsetType = msgspec.UNSET


class ProbeIn(Given):
    """An address to try."""

    main_url: Url
    username: str | None = None
    password: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"


class ProbeOut(Told):
    """What the address offers."""

    codec: str
    width_px: int
    height_px: int
    fps: float | None
    audio: str | None


class CameraProbeOut(Told):
    """What a camera's own addresses offer; `sub` is null where it has no second stream."""

    main: ProbeOut
    sub: ProbeOut | None
