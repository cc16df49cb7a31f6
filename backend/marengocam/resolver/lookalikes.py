"""Telling a person from somebody a human said is not that person: who looks more alike counts, not how alike."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, TypeVar
from uuid import UUID

from marengocam.resolver.cues import Cue, CueKind

SLOPE = 15.0  # log-odds per unit of cosine: a face 0.15 liker to one of two is his by nearly ten to one


class Candidate(Protocol):
    """Who a track may be."""

    @property
    def person_id(self) -> UUID | None: ...
    @property
    def identity_ids(self) -> frozenset[UUID]: ...


C = TypeVar("C", bound=Candidate)


def told_apart(looks: Mapping[C, list[Cue]], denied: frozenset[tuple[UUID, UUID]]) -> dict[C, list[Cue]]:
    """Return the cues with the face's weaker one of each denied pair lowered.

    Each comparison alone may be as good as it gets: both are alike, so a human had to say that they are two.
    """
    told = dict(looks)
    for identity_id, person_id in sorted(denied):
        person = next((one for one in looks if one.person_id == person_id), None)
        other = next((one for one in looks if identity_id in one.identity_ids and one.person_id != person_id), None)
        if person is None or other is None:
            continue
        faces = [next((cue for cue in told[one] if cue.kind is CueKind.FACE), None) for one in (person, other)]
        if faces[0] is None or faces[1] is None:
            continue
        apart = float(faces[0].detail["cosine"]) - float(faces[1].detail["cosine"])
        weaker, stronger = (other, faces[0]) if apart > 0 else (person, faces[1])
        limit = stronger.log_ratio - SLOPE * abs(apart)
        told[weaker] = [
            replace(cue, log_ratio=min(cue.log_ratio, limit)) if cue.kind is CueKind.FACE else cue
            for cue in told[weaker]
        ]
    return told
