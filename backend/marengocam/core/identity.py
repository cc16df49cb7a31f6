"""What the resolver weighs and what it decides: values shared by `db.resolution` and the resolver."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.model import Embedding, LocalTrack, NameEvidence, NewEvent, PathPoint, Vector
from marengocam.core.register import Register

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


class Sight(NamedTuple):
    """A LocalTrack already assigned to an identity; `path` only where the same camera saw it at about the same time.

    A turn makes hundreds of them: a named tuple takes a third of the time of a frozen dataclass.
    """

    local_track_id: UUID
    identity_id: UUID
    person_id: UUID | None
    camera_id: str
    first_s: float  # first and last sight, seconds
    last_s: float
    probability: float
    path: tuple[PathPoint, ...] = ()

    def newest_first(self) -> tuple[float, float, str, int]:
        """Order: newest first; of one moment by what was seen, since ids are random."""
        return (-self.last_s, self.first_s, self.camera_id, self.local_track_id.int)

    def earliest_first(self) -> tuple[float, float, str, int]:
        """Order: by beginning, else as above."""
        return (self.first_s, self.last_s, self.camera_id, self.local_track_id.int)


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """How like the exemplars of one model a track's face (or its clothes) are; columns, an entry for each exemplar."""

    model: str
    owners: Sequence[UUID]  # individuals: a person, or an identity of somebody unknown; of more looks than these, too
    owner: Places  # whom each exemplar stands for: index into `owners`
    cosines: Floats
    qualities: Floats  # the exemplars', 0 to 1
    at_s: Floats  # when each was seen, seconds
    trusts: Floats  # probability that it is of whom it stands for; 1: a human said so
    rows: Places  # where each exemplar stands in the two columns below, which are a whole album's
    exemplar_ids: Sequence[UUID]
    local_track_ids: Sequence[UUID | None]  # on which each was seen; None: enrolled, or the track is gone


@dataclass(frozen=True, slots=True, eq=False)
class SightColumns:
    """Sights, newest first, with columns beside them."""

    sights: tuple[Sight, ...]
    individuals: Register  # who may be more than those seen here
    owner: Places  # whose each sight is: a number of `individuals`
    identity: Places  # of which identity it is: such a number, too
    firsts: Floats  # first and last sight, seconds
    lasts: Floats
    camera_codes: Mapping[str, int]  # of cameras, of which some may have no sight here
    cameras: Places  # where each sight was: a number of `camera_codes`


@dataclass(frozen=True, slots=True, eq=False)
class Portraits:
    """Looks of a track, first, and of some identities by the same model, to be compared with each other; columns."""

    model: str
    identity_ids: tuple[UUID, ...]
    owner: Places  # whose each look but the first is: index into `identity_ids`, ascending
    vectors: Vector  # of unit length, a row for each
    qualities: Floats
    at_s: Floats
    trusts: Floats


@dataclass(frozen=True, slots=True, eq=False)
class KnownLooks:
    """Exemplars of one kind, model and size, as tracks are compared with them; columns, an entry for each."""

    kind: str  # face or appearance
    model: str
    exemplar_ids: Sequence[UUID]
    vectors: Vector  # a row for each
    qualities: Sequence[float]
    at_s: Sequence[float]  # when each was seen
    trusts: Sequence[float]
    person_ids: Sequence[UUID | None]  # in whose lasting gallery it is
    identity_ids: Sequence[UUID | None]  # on whom it was seen
    local_track_ids: Sequence[UUID | None]
    sources: Sequence[str]
    humans: Sequence[bool]  # a human decided on its track


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
    others: int = 0  # how many other tracks its identity had when it was claimed


@dataclass(frozen=True, slots=True)
class Transit:
    """Seconds from last sight in one camera to first sight in another: log-normal."""

    count: float  # of journeys, each as far as it is known that both ends are of one individual
    mean_log_s: float
    deviation_log_s: float
    told: bool = False  # an owner said so


@dataclass(frozen=True, slots=True)
class Covisibility:
    """Of `chances` tracks seen while somebody was in the other view, `together` were that same individual."""

    together: int
    chances: int


@dataclass(frozen=True, slots=True)
class CameraWay:
    """All that is known about the way from one camera to another: learned, and what an owner said."""

    from_camera: str
    to_camera: str
    told_transit_s: float | None = None
    told_overlaps: bool | None = None
    journeys: int = 0
    learned_transit_s: float | None = None  # median
    together: int = 0  # of `chances` tracks in `from_camera` while somebody was in the other: the same individual
    chances: int = 0


@dataclass(frozen=True, slots=True)
class CameraGraph:
    """What past journeys taught, or an owner says, about pairs of cameras; keys are (from, to) and (here, there)."""

    transits: Mapping[tuple[str, str], Transit] = field(default_factory=dict)
    covisible: Mapping[tuple[str, str], Covisibility] = field(default_factory=dict)
    # of those who were seen elsewhere after a camera, how many in each other one, at once or later
    moves: Mapping[tuple[str, str], float] = field(default_factory=dict)
    moves_from: Mapping[str, float] = field(default_factory=dict)
    tracks: Mapping[str, int] = field(default_factory=dict)  # of people, by camera: where anybody is to be expected
    overlaps: Mapping[tuple[str, str], bool] = field(default_factory=dict)  # an owner said so; both directions


class EngineWord(NamedTuple):
    """That an engine without embeddings called a track by a name."""

    identity_id: UUID  # of the track
    evidence: NameEvidence


class Shown(NamedTuple):
    """What the faces that an identity showed, and engines called it, say of its being a person: log ratios."""

    before: float  # without the track's own
    together: float  # with it
    faces: int  # with it


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a decision on one track may rest on, besides the track itself."""

    sights: tuple[Sight, ...]
    persons: tuple[KnownPerson, ...]
    columns: SightColumns | None = None  # the same sights; None: they were not put together yet
    faces: Looks | None = None
    appearances: Looks | None = None
    clothes: Floats | None = None  # log ratios of `appearances` as if all were of one moment; None: not worked out yet
    denied: frozenset[tuple[UUID, UUID]] = frozenset()  # (identity, person): a human said it is not
    ignored: frozenset[UUID] = frozenset()  # identities and persons that nothing is told about
    spoken_about: frozenset[UUID] = frozenset()  # identities with tracks that a human decided on
    called: Mapping[UUID, UUID] = field(default_factory=dict)  # identities that the resolver named, and whom
    # what an identity's faces say of its being a person; None: there are none to compare. Few pairs are asked for
    shown: Callable[[UUID, UUID], Shown | None] = lambda _identity_id, _person_id: None
    # (unknown identity, stranger of before), log ratio of that identity's own faces being the other's
    past_faces: Mapping[tuple[UUID, UUID], float] = field(default_factory=dict)
    past_clothes: Mapping[tuple[UUID, UUID], float] = field(default_factory=dict)  # the same of clothes
    # (one unknown of this visit with the track's own look, another one), log ratio of their being one: by faces, by
    # clothes; and the clothes of all unknown about, each two without the track
    alike_faces: Mapping[tuple[UUID, UUID], float] = field(default_factory=dict)
    alike_clothes: Mapping[tuple[UUID, UUID], float] = field(default_factory=dict)
    alike_others: Mapping[tuple[UUID, UUID], float] = field(default_factory=dict)
    # by which looks two unknown are found to be one, as a cue's detail; asked of the verdict only
    likest: Callable[..., Mapping[str, Any]] = lambda _cue, _one, _other, *, visiting: {}  # noqa: ARG005


@dataclass(frozen=True, slots=True)
class Vicinity:
    """Everything the decisions of one turn may rest on, read once: more than any one of its tracks may look at."""

    sights: tuple[Sight, ...]  # newest first
    looks: tuple[KnownLooks, ...]  # each kind, model and size once
    persons: tuple[KnownPerson, ...]
    person_of: Mapping[UUID, UUID | None]  # of every identity that sights and strangers are of
    strangers: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)  # of each track: identities by face
    denied: frozenset[tuple[UUID, UUID]] = frozenset()
    ignored: frozenset[UUID] = frozenset()
    spoken_about: frozenset[UUID] = frozenset()  # identities with tracks that a human decided on
    words: Mapping[UUID, EngineWord] = field(default_factory=dict)  # by track: what engines called it


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
    joined_identity_id: UUID | None = None  # an identity found to be `identity_id`: all its tracks go there
    wake_identity: bool = False  # its other recent tracks have to be looked at again: the person is new to it
    founder: float = 0.0  # how likely the identity's founder is the person, where it is found to be: others are so, too
    founds: bool = False  # the track is the first of its identity, which is new
    unnamed: bool = False  # `identity_id` is not whom the resolver called it: it is nobody known again
