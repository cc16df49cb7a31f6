"""Who a track may be: individuals seen of late, persons not seen, unknowns found to be persons, or somebody new."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log
from uuid import UUID

from marengocam.core.identity import Assignment, CameraGraph, KnownPerson, Sight, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.cues import LINKS, Cue, CueKind, best, log_sum_exp
from marengocam.resolver.fusion import (
    Compared,
    appearance_cue,
    compared_appearances,
    compared_faces,
    face_cue,
    name_cue,
)
from marengocam.resolver.lookalikes import told_apart
from marengocam.resolver.spacetime import place_cues

RETURN_ODDS = 3.0  # that a track is somebody seen of late, to being somebody new: a visit has several tracks
RECENT_S = 120.0  # weight of an individual halves this long after its last sight
PERSON_ODDS = 1.0  # that somebody new to this visit is one of the known persons
PERSONS_LEAST = 5  # a small gallery makes nobody in it likelier: callers outnumber a household
STRANGER_ODDS = 0.05  # that somebody new is one certain unknown remembered by face only
STAY_RATIO = 1.5  # a decision others may have built upon is not given up for a whim


@dataclass(frozen=True, slots=True, eq=False)
class Individual:
    """One candidate: a person with all its recent identities, or one unknown identity."""

    identity_id: UUID | None  # where a track of this individual goes; None: a person without a recent identity
    identity_ids: frozenset[UUID]
    person_id: UUID | None
    sights: tuple[Sight, ...]
    faces: tuple[Compared, ...] = ()
    appearances: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the track may be, and how strongly all evidence speaks for it against somebody new."""

    identity_id: UUID | None
    person_id: UUID | None
    prior: float
    cues: tuple[Cue, ...]
    composite: bool = False  # the unknown identity is found to be the person

    @property
    def log_odds(self) -> float:
        return self.prior + sum(cue.log_ratio for cue in self.cues)

    @property
    def trust(self) -> float:
        """A chain is no stronger than its links: the trust of the strongest cue for it."""
        strongest = best(self.cues, LINKS)
        return strongest.trust if strongest else 1.0

    @property
    def key(self) -> tuple[float, str, str]:
        """Order: best first, ties by ids so that the order of arrival never matters."""
        return (-round(self.log_odds, 9), str(self.identity_id), str(self.person_id))

    def ratio_of(self, kinds: Iterable[CueKind]) -> float:
        wanted = frozenset(kinds)
        return sum(cue.log_ratio for cue in self.cues if cue.kind in wanted)


NOBODY_KNOWN = Hypothesis(identity_id=None, person_id=None, prior=0.0, cues=())


def individuals(track: LocalTrack, surroundings: Surroundings) -> list[Individual]:
    """Group sights and likenesses by individual; every person is one, seen or not."""
    sights: dict[UUID, list[Sight]] = defaultdict(list)
    faces: dict[UUID, list[Compared]] = defaultdict(list)
    appearances: dict[UUID, list[Compared]] = defaultdict(list)
    identities: dict[UUID, set[UUID]] = defaultdict(set)
    for sight in surroundings.sights:
        key = sight.person_id or sight.identity_id
        sights[key].append(sight)
        identities[key].add(sight.identity_id)
    told = surroundings.likenesses
    for looks, compared in (
        (faces, compared_faces(track.face, told) if track.face else []),
        (appearances, compared_appearances(track.appearance, told, track.last_seen_at) if track.appearance else []),
    ):
        for one in compared:
            owner = one.look.person_id or one.look.identity_id
            if owner is not None:
                looks[owner].append(one)
    for look in told:
        if look.person_id is None and look.identity_id is not None:
            identities[look.identity_id].add(look.identity_id)
    persons = {person.person_id for person in surroundings.persons}
    found = []
    for key in sorted(persons | sights.keys() | identities.keys()):
        person_id = key if key in persons else None
        if person_id is None and not identities[key]:
            continue
        found.append(_individual(person_id, sights[key], identities[key], tuple(faces[key]), tuple(appearances[key])))
    return found


def _individual(
    person_id: UUID | None,
    sights: list[Sight],
    identity_ids: set[UUID],
    faces: tuple[Compared, ...],
    appearances: tuple[Compared, ...],
) -> Individual:
    ordered = sorted(sights, key=lambda sight: (sight.last_seen_at, sight.local_track_id))
    newest = ordered[-1].identity_id if ordered else min(identity_ids, default=None)
    return Individual(newest, frozenset(identity_ids), person_id, tuple(ordered), faces, appearances)


def hypotheses(
    track: LocalTrack, surroundings: Surroundings, graph: CameraGraph, assignment: Assignment | None
) -> list[Hypothesis]:
    """Return every explanation of the track that is not impossible, best first; somebody new is always one."""
    names = {person.person_id: person for person in surroundings.persons}
    everybody = individuals(track, surroundings)
    places = {one: place_cues(track, one.sights, graph) for one in everybody}
    placed = {one: place for one, place in places.items() if place is not None}
    priors = _priors(track, placed, len(names))
    looks = told_apart({one: _recognition(track, one, names) for one in placed}, surroundings.denied)
    found = [NOBODY_KNOWN]
    for individual, place in placed.items():
        cues = [*place, *looks[individual]]
        if assignment is not None and not assignment.alone and assignment.identity_id in individual.identity_ids:
            cues.append(Cue(CueKind.STAY, STAY_RATIO))
        prior = priors[individual]
        found.append(Hypothesis(individual.identity_id, individual.person_id, prior, tuple(cues)))
    found += _composites(looks, found, surroundings)
    return sorted(found, key=lambda one: one.key)


def _recognition(track: LocalTrack, individual: Individual, names: Mapping[UUID, KnownPerson]) -> list[Cue]:
    cues: list[Cue | None] = []
    if track.face is not None:
        cues.append(face_cue(track.face, individual.faces))
    person = names.get(individual.person_id) if individual.person_id is not None else None
    if track.name_evidence is not None and person is not None:
        cues.append(name_cue(track.name_evidence, person.name))
    if track.appearance is not None:
        cues.append(appearance_cue(track.appearance, individual.appearances))
    return [cue for cue in cues if cue is not None]


def _priors(track: LocalTrack, placed: Mapping[Individual, tuple[Cue, ...]], persons: int) -> dict[Individual, float]:
    """Return each possible candidate's log prior odds against somebody new.

    Those seen of late share RETURN_ODDS by how lately; who is busy in another view hardly takes from the others' share.
    The known persons share PERSON_ODDS evenly.
    """
    weights = {one: _recency(one.sights, track.first_seen_at) for one in placed if one.sights}
    total = max(1.0, sum(weight * _free(placed[one]) for one, weight in weights.items()))
    arriving = _arriving(persons)
    priors = {}
    for one in placed:
        terms = []
        if one in weights:
            terms.append(log(RETURN_ODDS * weights[one] / total))
        if one.person_id is not None:
            terms.append(arriving)
        elif not terms:
            terms.append(log(STRANGER_ODDS))
        priors[one] = log_sum_exp(terms)
    return priors


def _arriving(persons: int) -> float:
    """Return the log-odds that somebody new to this visit is one certain person."""
    return log(PERSON_ODDS / max(PERSONS_LEAST, persons))


def _free(place: Sequence[Cue]) -> float:
    return min(1.0, exp(sum(cue.log_ratio for cue in place if cue.kind is CueKind.ELSEWHERE)))


def _recency(sights: Sequence[Sight], at: datetime) -> float:
    apart = [max((at - s.last_seen_at).total_seconds(), (s.first_seen_at - at).total_seconds(), 0.0) for s in sights]
    return 1.0 / (1.0 + min(apart) / RECENT_S)


def _composites(
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
            if sum(cue.log_ratio for cue in naming) <= 0 or _seen_apart(unknown, person):
                continue
            if any((identity_id, person.person_id) in surroundings.denied for identity_id in unknown.identity_ids):
                continue
            joined.append(
                Hypothesis(
                    identity_id=unknown.identity_id,
                    person_id=person.person_id,
                    prior=linked.prior + _arriving(len(surroundings.persons)),
                    cues=_without_double_face(linked.cues, naming),
                    composite=True,
                )
            )
    return joined


def _naming(cues: Sequence[Cue]) -> list[Cue]:
    return [cue for cue in cues if cue.kind in {CueKind.FACE, CueKind.NAME}]


def _without_double_face(linked: Sequence[Cue], naming: Sequence[Cue]) -> tuple[Cue, ...]:
    """Count the track's face once: for the unknown where it denies it, else for the person."""
    has_face = any(cue.kind is CueKind.FACE for cue in naming)
    kept = [cue for cue in linked if not (has_face and cue.kind is CueKind.FACE and cue.log_ratio > 0)]
    return (*kept, *naming)


def _seen_apart(one: Individual, other: Individual) -> bool:
    """Return whether one camera saw both at once, so that they cannot be one."""
    return any(
        a.camera_id == b.camera_id
        and (min(a.last_seen_at, b.last_seen_at) - max(a.first_seen_at, b.first_seen_at)).total_seconds() > 1.0
        for a in one.sights
        for b in other.sights
    )


def odds_to_probabilities(ordered: Sequence[Hypothesis]) -> list[float]:
    """Return the softmax of log-odds; sums to 1."""
    total = log_sum_exp(one.log_odds for one in ordered)
    return [exp(one.log_odds - total) for one in ordered]
