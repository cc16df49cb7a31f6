"""What the resolver weighs and what it decides: values shared by `db.resolution` and the resolver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.model import Embedding, LocalTrack, NewEvent, PathPoint


@dataclass(frozen=True, slots=True)
class Sight:
    """A LocalTrack already assigned to an identity; `path` only where the same camera saw it at about the same time."""

    local_track_id: UUID
    identity_id: UUID
    person_id: UUID | None
    camera_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    probability: float
    path: tuple[PathPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like one exemplar the track is: the cosine of two unit vectors of the same model."""

    kind: str  # face or appearance
    model: str
    cosine: float
    quality: float  # the exemplar's, 0 to 1
    at: datetime  # when the exemplar was seen
    person_id: UUID | None
    identity_id: UUID | None
    trust: float  # probability that the exemplar is of whom it stands for; 1: a human said so


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person as the resolver needs it."""

    person_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """What was decided about a track before."""

    identity_id: UUID
    person_id: UUID | None  # the identity's person
    probability: float
    decided_by: str
    announced_person_id: UUID | None
    announced_unknown: bool
    decided_at: datetime
    alone: bool  # the track is the only one of its identity


@dataclass(frozen=True, slots=True)
class ClaimedTrack:
    """A changed track that this process alone may decide on now."""

    track: LocalTrack
    revision: int
    assignment: Assignment | None


@dataclass(frozen=True, slots=True)
class Transit:
    """Seconds from last sight in one camera to first sight in another: log-normal."""

    count: int
    mean_log_s: float
    deviation_log_s: float


@dataclass(frozen=True, slots=True)
class Covisibility:
    """Of `chances` tracks seen while somebody was in the other view, `together` were that same individual."""

    together: int
    chances: int


@dataclass(frozen=True, slots=True)
class CameraGraph:
    """What past journeys taught about pairs of cameras; keys are (from, to) and (here, there)."""

    transits: Mapping[tuple[str, str], Transit] = field(default_factory=dict)
    covisible: Mapping[tuple[str, str], Covisibility] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a decision on one track may rest on, besides the track itself."""

    sights: tuple[Sight, ...]
    likenesses: tuple[Likeness, ...]
    persons: tuple[KnownPerson, ...]
    denied: frozenset[tuple[UUID, UUID]] = frozenset()  # (identity, person): a human said it is not
    ignored: frozenset[UUID] = frozenset()  # identities and persons that nothing is told about


@dataclass(frozen=True, slots=True)
class ExemplarWrite:
    """An embedding taken into a gallery; one row per track, kind and model."""

    exemplar_id: UUID
    person_id: UUID | None
    identity_id: UUID
    local_track_id: UUID
    kind: str
    embedding: Embedding
    source: str
    picture_path: PurePosixPath | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one decision writes, in one transaction."""

    claimed: ClaimedTrack
    identity_id: UUID | None  # None: a track that gets no identity, such as a car
    person_id: UUID | None = None  # what the identity's person shall be
    left_identity_id: UUID | None = None  # the identity the track belonged to before, when it is another
    probability: float = 0.0
    margin: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    announced_person_id: UUID | None = None
    announced_unknown: bool = False
    exemplars: tuple[ExemplarWrite, ...] = ()
    events: tuple[NewEvent, ...] = ()
    wake_identity: bool = False  # its other recent tracks have to be looked at again: the person is new to it
