"""Events and replays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from ..reading import JsonObject


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
    """One replay run; `state` is requested, running, finished, failed or cancelled."""

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
        return self.state in ("finished", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """What a run saw that live history did not, in a sentence and in full."""

    summary: str
    difference: Mapping[str, Any]

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("summary"), source.child("difference").content)
