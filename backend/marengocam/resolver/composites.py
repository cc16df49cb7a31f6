"""What a track shows of an unknown identity as well: that it is a person, or a stranger of before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log, log1p

from marengocam.core.identity import Shown, Sight, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.cues import LINKS, Cue, CueKind, best
from marengocam.resolver.fusion import past_strangers_cues
from marengocam.resolver.hypothesis import Hypothesis, Individual
from marengocam.resolver.spacetime import apart_s
from marengocam.resolver.ways import VISIT_GAP_S, seen_apart

RETURN_ODDS = 3.0  # that a track is somebody seen of late, to being somebody new: a visit has several tracks
PERSON_ODDS = 1.0  # that somebody new to this visit is one of the known persons
PERSONS_LEAST = 5  # a small gallery makes nobody in it likelier: callers outnumber a household
STRANGER_ODDS = 0.05  # that somebody new is one certain unknown remembered by face only


def arriving(persons: int) -> float:
    """Return the log-odds that somebody new to this visit is one certain person."""
    return log(PERSON_ODDS / max(PERSONS_LEAST, persons))


def with_persons(
    looks: Mapping[Individual, list[Cue]],
    linked: Mapping[Individual, Hypothesis],
    surroundings: Surroundings,
) -> list[Hypothesis]:
    """Return all that are linked, and 'it is that unknown, and that unknown is this person' where both may be.

    A name that the resolver gave before is no more than that: it is weighed again with each look. What faces of
    before say of an unknown's name says nothing of the track's being of it: that part is taken off both.
    """
    persons = [(one, _naming(cues)) for one, cues in looks.items() if one.person_id is not None]
    weighed = [(one, naming, sum(cue.log_ratio for cue in naming)) for one, naming in persons]
    known = arriving(len(surroundings.persons))
    found = []
    for unknown, plain in linked.items():
        if unknown.person_id is not None:
            found.append(plain)
            continue
        joined, before = [], 0.0
        linking = best(plain.cues, LINKS) is not None
        for person, naming, named_by in weighed:
            may_be = linking and named_by > 0 if unknown.called is None else unknown.called == person.person_id
            if not may_be or not _agree(unknown, person, surroundings):
                continue
            assert unknown.identity_id is not None
            assert person.person_id is not None
            shown = surroundings.shown(unknown.identity_id, person.person_id)
            before += exp(known) * (exp(max(shown.before, 0.0)) - 1.0) if shown is not None else 0.0
            joined.append((person.person_id, _together(plain.cues, naming, shown), named_by))
        told = log1p(before)
        found.append(replace(plain, prior=plain.prior - told) if told else plain)
        found += [
            Hypothesis(
                identity_id=unknown.identity_id,
                person_id=person_id,
                prior=plain.prior + known - told,
                cues=cues,
                composite=unknown.called is None,
                called=unknown.called,
                named_by=named_by,
                link=plain,
            )
            for person_id, cues, named_by in joined
        ]
    return found


def _by_camera(person: Individual) -> Mapping[str, list[Sight]]:
    """Return where a person was seen, or those whom the resolver called so."""
    seen: dict[str, list[Sight]] = defaultdict(list)
    for one in (*person.sights, *person.elsewhere):
        seen[one.camera_id].append(one)
    return seen


def _agree(unknown: Individual, person: Individual, surroundings: Surroundings) -> bool:
    """Return whether neither a camera nor a human tells the two apart."""
    own, seen = unknown.identity_ids, _by_camera(person)
    cameras = {one.camera_id for one in unknown.sights} & seen.keys()
    others = [one for camera in cameras for one in seen[camera] if one.identity_id not in own]
    return not seen_apart(unknown.sights, others) and not any(
        (identity_id, person.person_id) in surroundings.denied for identity_id in own
    )


def _together(linked: Sequence[Cue], naming: Sequence[Cue], shown: Shown | None) -> tuple[Cue, ...]:
    """Return what links the track to the unknown, and what all faces of both together say of the person.

    Where the unknown showed no face before, the track's is compared with the person's alone.
    """
    if shown is None:
        return (*linked, *naming)
    names = [cue for cue in naming if cue.kind is CueKind.NAME]
    own = next((cue.detail for cue in naming if cue.kind is CueKind.FACE), {})
    return (*linked, *names, Cue(CueKind.PAST_FACES, shown.together, {**own, "faces": shown.faces}))


def strangers_found(
    track: LocalTrack, looks: Mapping[Individual, list[Cue]], found: Sequence[Hypothesis], surroundings: Surroundings
) -> list[Hypothesis]:
    """Return 'it is that unknown of this visit, and that unknown is the stranger of before whose face this is'."""
    denied = {identity_id for identity_id, _ in surroundings.denied}
    left_alone = surroundings.ignored | surroundings.spoken_about | denied
    at_s = track.first_seen_at.timestamp()
    faces = {
        one: sum(cue.log_ratio for cue in _naming(cues))
        for one, cues in looks.items()
        if one.person_id is None and one.called is None
    }
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
