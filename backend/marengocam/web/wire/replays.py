"""Replays as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from marengocam.web.wire.base import CameraId, Given, Told

Pace = Literal["fast", "real_time", "step"]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ReplayIn(Given):
    """A stretch of a camera's recording to be fed through today's code.

    `overrides` changes settings for this run alone, such as detector_min_score; `models` takes models by name.
    """

    camera_id: CameraId
    from_at: datetime
    to_at: datetime
    debug: bool = False
    overrides: Annotated[dict[Word, Word], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=dict)
    models: Annotated[list[Word], msgspec.Meta(max_length=4)] = msgspec.field(default_factory=list)
    pace: Pace = "fast"
    gallery_at: datetime | None = None


class WhyIn(Given):
    """A moment of a camera's recording that is to be explained."""

    at: datetime
    overrides: Annotated[dict[Word, Word], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=dict)
    models: Annotated[list[Word], msgspec.Meta(max_length=4)] = msgspec.field(default_factory=list)


class ReplayControl(Given):
    """What is wanted of a run that has not ended; `steps` more frames in step pace."""

    wish: Literal["run", "pause", "cancel"] | None = None
    pace: Pace | None = None
    steps: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0


class ReplayOut(Told):
    """A run; its report when it has finished.

    That is an explanation where it was asked why (`why_at`), outcomes where own tests were run (`case_ids`).
    """

    run_id: UUID
    camera_id: str
    source: str
    from_at: datetime | None
    to_at: datetime | None
    debug: bool
    state: Literal["requested", "running", "finished", "failed", "cancelled"]
    reason: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    overrides: dict[str, str]
    gallery_at: datetime | None
    pace: Pace
    why_at: datetime | None
    case_ids: list[UUID] | None
    wish: Literal["run", "pause", "cancel"]
    steps: int
    progress: dict[str, Any]
    report: dict[str, Any]


class ReplayList(Told):
    replays: list[ReplayOut]


class DifferenceOut(Told):
    """What a run saw that live history, or another run, did not."""

    summary: str
    difference: dict[str, Any]


class CaseIn(Given):
    """A moment (`at`, or that of an event) with what should be seen around it; its recording is kept from retention.

    `expected`: nothing, person, person:NAME, unknown, movement or a label such as car; zone:NAME may follow.
    """

    name: Word
    expected: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    at: datetime | None = None
    event_number: int | None = None
    camera_id: CameraId | None = None
    before_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 10.0
    after_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20.0


class SuiteIn(Given):
    """An owner's own tests to be run: all, or those named; `overrides` and `models` hold for this run alone."""

    names: Annotated[list[Word], msgspec.Meta(max_length=500)] = msgspec.field(default_factory=list)
    overrides: Annotated[dict[Word, Word], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=dict)
    models: Annotated[list[Word], msgspec.Meta(max_length=4)] = msgspec.field(default_factory=list)


class CaseOut(Told):
    """An owner's own test: a moment, what should be seen, and what the last run saw."""

    case_id: UUID
    name: str
    camera_id: str
    from_at: datetime
    to_at: datetime
    expected: str
    created_at: datetime
    passed: bool | None
    seen: str
    ran_at: datetime | None


class CaseList(Told):
    cases: list[CaseOut]
