"""What goes over the wire when a human says who is who."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from marengocam.web.wire.base import Given, Name, Told

Tracks = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=1000)]


class MergeInto(Given):
    """The other one, which stays."""

    into: UUID


class TracksGiven(Given):
    """The tracks it is about."""

    local_track_ids: Tracks


class TracksNamed(Given):
    """Who these tracks are: a new or known name, or a known person."""

    local_track_ids: Tracks
    name: Name | None = None
    person_id: UUID | None = None


class Denial(Given):
    """Who it is not; without tracks the whole identity is meant."""

    person_id: UUID
    local_track_ids: Annotated[list[UUID], msgspec.Meta(max_length=1000)] = msgspec.field(default_factory=list)


class Ignoring(Given):
    """Whether nothing shall be told."""

    ignored: bool = True


class WordOut(Told):
    """What was said; `undoable` while it holds and was not for good."""

    word_id: UUID
    kind: str
    said_at: datetime
    said_by: str
    summary: str
    subjects: list[UUID]
    undoable: bool
    undone_at: datetime | None
    undone_by: str | None


class WordSaid(WordOut):
    """A word that was carried out, and the identity that it is about now."""

    identity_id: UUID | None


class WordList(Told):
    words: list[WordOut]
    next: datetime | None
