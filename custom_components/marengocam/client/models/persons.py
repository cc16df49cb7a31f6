"""Persons and their visits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ..reading import JsonObject


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
    last_seen_track_id: str | None
    has_picture: bool

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
            last_seen_track_id=source.optional("last_seen_track_id", source.text),
            has_picture=source.flag("has_picture"),
        )


@dataclass(frozen=True, slots=True)
class Word:
    """What a human said about who is who; it can be undone by its id."""

    word_id: str
    summary: str

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("word_id"), source.text("summary"))


@dataclass(frozen=True, slots=True)
class Stop:
    """A stretch of a visit in front of one camera."""

    camera_id: str
    from_at: datetime
    to_at: datetime

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(source.text("camera_id"), source.time("from_at"), source.time("to_at"))


@dataclass(frozen=True, slots=True)
class Visit:
    """An individual's way through the cameras, from coming to leaving."""

    visit_id: str
    identity_id: str
    person_id: str | None
    person_name: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    ended: bool
    path: tuple[Stop, ...]
    local_track_ids: tuple[str, ...]
    picture_track_id: str | None

    @classmethod
    def parse(cls, source: JsonObject) -> Self:
        return cls(
            visit_id=source.text("visit_id"),
            identity_id=source.text("identity_id"),
            person_id=source.optional("person_id", source.text),
            person_name=source.optional("person_name", source.text),
            first_seen_at=source.time("first_seen_at"),
            last_seen_at=source.time("last_seen_at"),
            ended=source.flag("ended"),
            path=source.objects("path", Stop.parse),
            local_track_ids=source.texts("local_track_ids"),
            picture_track_id=source.optional("picture_track_id", source.text),
        )
