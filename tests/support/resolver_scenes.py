"""Tracks, sights and likenesses for resolver tests, said in few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import numpy as np

from marengocam.core.geometry import Box
from marengocam.core.identity import KnownPerson, Looks, Sight, Surroundings
from marengocam.core.model import Embedding, LocalTrack, NameEvidence, PathPoint, Vector

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FACE_MODEL = "mobilefacenet-128"
REID_MODEL = "omz-reid-0287-256"
LEFT, RIGHT = Box(0.1, 0.3, 0.2, 0.7), Box(0.7, 0.3, 0.8, 0.7)
SAME_FACE, OTHER_FACE = 0.75, 0.05
SAME_CLOTHES, OTHER_CLOTHES = 0.75, 0.05
CLOTHES_ALIKE = 4.0  # log ratio of two identities being one individual


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like one exemplar the track is."""

    kind: str
    model: str
    cosine: float
    quality: float
    at: datetime
    person_id: UUID | None
    identity_id: UUID | None
    trust: float


def looks_of(kind: str, likenesses: Sequence[Likeness]) -> Looks | None:
    """Return the columns in which decisions read likenesses of one kind."""
    chosen = [one for one in likenesses if one.kind == kind]
    if not chosen:
        return None
    owners = [one.person_id or one.identity_id for one in chosen]
    keys = tuple(dict.fromkeys(owners))
    return Looks(
        chosen[0].model,
        keys,
        np.array([keys.index(owner) for owner in owners]),
        np.array([one.cosine for one in chosen]),
        np.array([one.quality for one in chosen]),
        np.array([one.at.timestamp() for one in chosen]),
        np.array([one.trust for one in chosen]),
        np.arange(len(chosen)),
        [ident(f"look {number}") for number in range(len(chosen))],
        [None] * len(chosen),
    )


def ident(name: str) -> UUID:
    """Return the id that goes by this name in a test."""
    return uuid5(UUID(int=0), name)


def person(name: str) -> KnownPerson:
    return KnownPerson(ident(name), name)


def path(box: Box, start_s: float, end_s: float) -> tuple[PathPoint, ...]:
    """Return the path of an object standing at `box`."""
    count = max(2, int((end_s - start_s) / 0.5) + 1)
    steps = np.linspace(start_s, end_s, count)
    return tuple(PathPoint(NOON + timedelta(seconds=float(s)), box, 0.9) for s in steps)


def embedding(model: str, size: int = 128, quality: float = 0.9, vector: Vector | None = None) -> Embedding:
    values = np.eye(1, size, dtype=np.float32)[0] if vector is None else vector
    return Embedding(model, values, quality)


def track(
    name: str = "track",
    *,
    camera: str = "front",
    start_s: float = 0.0,
    end_s: float = 1.0,
    box: Box = LEFT,
    face: bool = False,
    clothes: bool = False,
    name_evidence: NameEvidence | None = None,
    open_: bool = True,
    zones: tuple[str, ...] = (),
    face_engine_ok: bool = True,
    quality: float = 0.9,
) -> LocalTrack:
    return LocalTrack(
        local_track_id=ident(name),
        camera_id=camera,
        label="person",
        first_seen_at=NOON + timedelta(seconds=start_s),
        last_seen_at=NOON + timedelta(seconds=end_s),
        open=open_,
        score=0.9,
        observations=10,
        path=path(box, start_s, end_s),
        zones=zones,
        face=embedding(FACE_MODEL, quality=quality) if face else None,
        appearance=embedding(REID_MODEL, 256) if clothes else None,
        name_evidence=name_evidence,
        face_engine_ok=face_engine_ok,
    )


def sight(
    name: str,
    identity: str,
    *,
    camera: str = "front",
    start_s: float = -10.0,
    end_s: float = -5.0,
    box: Box = LEFT,
    of: str | None = None,
    probability: float = 1.0,
) -> Sight:
    return Sight(
        local_track_id=ident(name),
        identity_id=ident(identity),
        person_id=ident(of) if of else None,
        camera_id=camera,
        first_s=(NOON + timedelta(seconds=start_s)).timestamp(),
        last_s=(NOON + timedelta(seconds=end_s)).timestamp(),
        probability=probability,
        path=path(box, start_s, end_s) if camera == "front" else (),
    )


def face_of(who: str, cosine: float, *, identity: str | None = None, seconds: float = -86400.0) -> Likeness:
    """Return how like a person's enrolled face (or an unknown identity's observed one) the track's face is."""
    return Likeness(
        kind="face",
        model=FACE_MODEL,
        cosine=cosine,
        quality=0.9,
        at=NOON + timedelta(seconds=seconds),
        person_id=ident(who) if identity is None else None,
        identity_id=ident(identity) if identity else None,
        trust=1.0,
    )


def clothes_of(
    identity: str, cosine: float, *, of: str | None = None, seconds: float = -5.0, trust: float = 1.0
) -> Likeness:
    return Likeness(
        kind="appearance",
        model=REID_MODEL,
        cosine=cosine,
        quality=0.9,
        at=NOON + timedelta(seconds=seconds),
        person_id=ident(of) if of else None,
        identity_id=ident(identity),
        trust=trust,
    )


def around(
    *,
    sights: tuple[Sight, ...] = (),
    likenesses: tuple[Likeness, ...] = (),
    persons: tuple[str, ...] = (),
) -> Surroundings:
    return Surroundings(
        sights,
        tuple(person(name) for name in persons),
        faces=looks_of("face", likenesses),
        appearances=looks_of("appearance", likenesses),
    )


def twice(names: Sequence[str], ratio: float) -> dict[tuple[UUID, UUID], float]:
    """Return that each two of these identities are so alike, in both orders."""
    return {(ident(one), ident(other)): ratio for one in names for other in names if one != other}
