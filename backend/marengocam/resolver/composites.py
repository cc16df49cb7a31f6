"""What a track shows of an unknown identity as well: that it is a person, or a stranger of before."""

from collections.abc import Mapping, Sequence
from math import log

from marengocam.core.identity import Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.cues import LINKS, Cue, CueKind, best
from marengocam.resolver.fusion import past_faces_cues, past_strangers_cues
from marengocam.resolver.hypothesis import NOBODY_KNOWN, Hypothesis, Individual
from marengocam.resolver.spacetime import apart_s
from marengocam.resolver.ways import VISIT_GAP_S, seen_apart

RETURN_ODDS = 3.0  # that a track is somebody seen of late, to being somebody new: a visit has several tracks
PERSON_ODDS = 1.0  # that somebody new to this visit is one of the known persons
PERSONS_LEAST = 5  # a small gallery makes nobody in it likelier: callers outnumber a household
STRANGER_ODDS = 0.05  # that somebody new is one certain unknown remembered by face only


def arriving(persons: int) -> float:
    """Return the log-odds that somebody new to this visit is one certain person."""
    return log(PERSON_ODDS / max(PERSONS_LEAST, persons))


def persons_found(
    looks: Mapping[Individual, list[Cue]],
    found: Sequence[Hypothesis],
    surroundings: Surroundings,
) -> list[Hypothesis]:
    """Return 'it is that unknown, and that unknown is this person' where both halves have something for them."""
    by_identity = {one.identity_id: one for one in found if one.person_id is None}
    persons = [(one, _naming(cues)) for one, cues in looks.items() if one.person_id is not None]
    joined = []
    for unknown in looks:
        linked = by_identity[unknown.identity_id] if unknown.person_id is None else NOBODY_KNOWN
        if best(linked.cues, LINKS) is None:
            continue
        for person, naming in persons:
            if sum(cue.log_ratio for cue in naming) <= 0 or seen_apart(unknown.sights, person.sights):
                continue
            if any((identity_id, person.person_id) in surroundings.denied for identity_id in unknown.identity_ids):
                continue
            past = past_faces_cues(surroundings.past_faces, unknown.identity_id, person.person_id)
            joined.append(
                Hypothesis(
                    identity_id=unknown.identity_id,
                    person_id=person.person_id,
                    prior=linked.prior + arriving(len(surroundings.persons)),
                    cues=(*_without_double_face(linked.cues, naming), *past),
                    composite=True,
                )
            )
    return joined


def strangers_found(
    track: LocalTrack, looks: Mapping[Individual, list[Cue]], found: Sequence[Hypothesis], surroundings: Surroundings
) -> list[Hypothesis]:
    """Return 'it is that unknown of this visit, and that unknown is the stranger of before whose face this is'."""
    denied = {identity_id for identity_id, _ in surroundings.denied}
    left_alone = surroundings.ignored | surroundings.spoken_about | denied
    at_s = track.first_seen_at.timestamp()
    faces = {one: sum(cue.log_ratio for cue in _naming(cues)) for one, cues in looks.items() if one.person_id is None}
    unknown = [one for one in faces if not one.identity_ids & left_alone]
    by_identity = {one.identity_id: one for one in found if one.person_id is None}
    joined = []
    for one in unknown:
        linked = by_identity[one.identity_id]
        if not one.sights or apart_s(one.sights, at_s) > VISIT_GAP_S or best(linked.cues, LINKS) is None:
            continue
        for stranger in unknown:
            if faces[stranger] <= max(faces[one], 0.0) or seen_apart(one.sights, stranger.sights):
                continue
            assert one.identity_id is not None
            assert stranger.identity_id is not None
            pair = (one.identity_id, stranger.identity_id)
            past = past_strangers_cues(surroundings.past_faces, surroundings.past_clothes, pair)
            cues = (*_without_double_face(linked.cues, _naming(looks[stranger])), *past)
            prior = linked.prior + log(STRANGER_ODDS)
            joined.append(Hypothesis(stranger.identity_id, None, prior, cues, joins=one.identity_id))
    return joined


def _naming(cues: Sequence[Cue]) -> list[Cue]:
    return [cue for cue in cues if cue.kind in {CueKind.FACE, CueKind.NAME}]


def _without_double_face(linked: Sequence[Cue], naming: Sequence[Cue]) -> tuple[Cue, ...]:
    """Count the track's face once: for the unknown where it denies it, else for the person."""
    has_face = any(cue.kind is CueKind.FACE for cue in naming)
    kept = [cue for cue in linked if not (has_face and cue.kind is CueKind.FACE and cue.log_ratio > 0)]
    return (*kept, *naming)
