"""Who a track may be: individuals seen of late, persons not seen, unknowns found to be persons, or somebody new."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, inf, log
from uuid import UUID

import numpy as np

from marengocam.core.identity import Assignment, CameraGraph, Floats, KnownPerson, Sight, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.composites import RETURN_ODDS, STRANGER_ODDS, arriving, strangers_found, with_persons
from marengocam.resolver.crowd import NOTHING, RECENT_S, Crowd
from marengocam.resolver.cues import Cue, CueKind, log_sum_exp
from marengocam.resolver.fusion import (
    Weighed,
    appearance_cue,
    face_cue,
    name_cue,
    weighed_appearances,
    weighed_faces,
)
from marengocam.resolver.hypothesis import NOBODY_KNOWN, Hypothesis, Individual
from marengocam.resolver.lookalikes import told_apart
from marengocam.resolver.seen import columns_of
from marengocam.resolver.spacetime import Span, apart_s, place_cues, span_of
from marengocam.resolver.visitors import visitors_found

TIED_ODDS = 1e-8  # log-odds that round to the same are no farther apart
STAY_RATIO = 1.5  # a decision others may have built upon is not given up for a whim


@dataclass(frozen=True, slots=True)
class Explanations:
    """What a track may be, best first; and, in one number, all those who have nothing for them but that they are about.

    `crowd` is the log-odds of all of the latter together against somebody new; minus infinity: there are none.
    """

    ordered: list[Hypothesis]
    crowd: float

    def probabilities(self) -> list[float]:
        """Return the softmax of log-odds; with that of the crowd they add up to 1."""
        total = log_sum_exp([*(one.log_odds for one in self.ordered), self.crowd])
        return [exp(one.log_odds - total) for one in self.ordered]


@dataclass(frozen=True, slots=True)
class _About:
    """Who is about, by individual: what looks say, and who is one of the crowd."""

    called: Mapping[UUID, UUID]  # individuals that the resolver named, and whom
    elsewhere: Mapping[UUID, list[Sight]]  # by person: sights of those called so
    faces: Weighed | None
    appearances: Weighed | None
    crowd: Crowd


def hypotheses(
    track: LocalTrack, surroundings: Surroundings, graph: CameraGraph, assignment: Assignment | None
) -> Explanations:
    """Return every explanation of the track that is not impossible; somebody new is always one."""
    names = {person.person_id: person for person in surroundings.persons}
    apart = {assignment.identity_id} if assignment is not None else set()
    apart |= {identity_id for identity_id, _ in surroundings.denied}
    about = _about(track, surroundings, names.keys() | apart, graph)
    crowd = about.crowd
    keys = sorted({*names, *crowd.standing_out})
    sights = crowd.sights_of(keys)
    standing_out = [_individual(key if key in names else None, key, sights[key], about) for key in keys]
    span = span_of(track)
    places = {one: _place(track, one, graph, span) for one in standing_out}
    placed = {one: place for one, place in places.items() if place is not None}
    total = _weight_of_all(track, placed, crowd.weights)
    priors = _priors(track, placed, total, len(names))
    looks = told_apart({one: _recognition(track, one, names) for one in placed}, surroundings.denied)
    linked = {}
    for individual, place in placed.items():
        cues = [*place, *looks[individual]]
        if assignment is not None and not assignment.alone and assignment.identity_id in individual.identity_ids:
            cues.append(Cue(CueKind.STAY, STAY_RATIO))
        linked[individual] = Hypothesis(
            individual.identity_id, individual.person_id, priors[individual], tuple(cues), called=individual.called
        )
    found = [NOBODY_KNOWN, *with_persons(looks, linked, surroundings)]
    found += strangers_found(track, looks, found, surroundings)
    unknown = {
        one.identity_id: one
        for one in placed
        if one.person_id is None and one.called is None and one.identity_id is not None
    }
    found += visitors_found(track, found, unknown, surroundings, graph)
    weighed, rest = crowd.log_odds(total), -inf
    if len(weighed):
        # The likeliest of them may be the runner-up, whom an owner is told about.
        as_high = np.flatnonzero(weighed > weighed.max() - TIED_ODDS).tolist()
        leading = max(as_high, key=lambda leading: (round(float(weighed[leading]), 9), crowd.key(leading)))
        likeliest = crowd.key(leading)
        one = _individual(None, likeliest, crowd.sights_of([likeliest])[likeliest], about)
        cues = [*(place_cues(track, one.sights, graph) or ()), *_recognition(track, one, names)]
        prior = float(weighed[leading]) - sum([cue.log_ratio for cue in cues])
        found.append(Hypothesis(likeliest, None, prior, tuple(cues)))
        rest = _together(np.delete(weighed, leading))
    ordered = sorted(found, key=lambda one: one.key)
    return Explanations(ordered, rest)


def _together(log_odds: Floats) -> float:
    """Return the log-odds of any of them; in one order, since the last digit hangs on it."""
    if not len(log_odds):
        return -inf
    ordered = np.sort(log_odds)
    return float(ordered[-1] + log(np.exp(ordered - ordered[-1]).sum()))


def _about(track: LocalTrack, surroundings: Surroundings, apart: Collection[UUID], graph: CameraGraph) -> _About:
    called, columns = surroundings.called, surroundings.columns
    if columns is None:
        columns = columns_of(surroundings.sights, [_whose(one, called) for one in surroundings.sights])
    elsewhere: dict[UUID, list[Sight]] = defaultdict(list)
    if called:
        for row in np.flatnonzero(columns.individuals.listed(called)[columns.identity]).tolist():
            sight = columns.sights[row]
            elsewhere[called[sight.identity_id]].append(sight)
    faces = appearances = None
    if track.face is not None and surroundings.faces is not None:
        faces = weighed_faces(track.face, surroundings.faces, [one.person_id for one in surroundings.persons])
    if track.appearance is not None and surroundings.appearances is not None:
        at_s = track.last_seen_at.timestamp()
        appearances = weighed_appearances(track.appearance, surroundings.appearances, at_s, surroundings.clothes)
    looks = tuple(
        (one.numbered(columns.individuals), one.ratios) if one is not None else NOTHING for one in (faces, appearances)
    )
    return _About(called, dict(elsewhere), faces, appearances, Crowd(track, columns, looks, apart, graph))


def _whose(sight: Sight, called: Collection[UUID]) -> UUID:
    return sight.identity_id if sight.person_id is None or sight.identity_id in called else sight.person_id


def _place(track: LocalTrack, one: Individual, graph: CameraGraph, span: Span) -> tuple[Cue, ...] | None:
    """Return what place and time say of one candidate; None: it cannot be.

    Of a person, those whom the resolver called so only tell where he is not: going on from there is their own affair.
    """
    cues = place_cues(track, one.sights, graph, span)
    if cues is None or not one.elsewhere:
        return cues
    others = place_cues(track, one.elsewhere, graph, span)
    if others is None:
        return None
    return (*cues, *(cue for cue in others if cue.kind is CueKind.ELSEWHERE and cue.log_ratio < 0))


def _individual(person_id: UUID | None, key: UUID, sights: Sequence[Sight], about: _About) -> Individual:
    if len(sights) > 1:
        sights = sorted(sights, key=Sight.newest_first, reverse=True)
    identity_ids = {sight.identity_id for sight in sights}
    if person_id is None:
        identity_ids.add(key)
    newest = sights[-1].identity_id if sights else min(identity_ids, default=None)
    face = about.faces.get(key) if about.faces is not None else None
    appearance = about.appearances.get(key) if about.appearances is not None else None
    return Individual(
        newest,
        frozenset(identity_ids),
        person_id,
        tuple(sights),
        face,
        appearance,
        about.called.get(key),
        tuple(about.elsewhere.get(key, ())),
    )


def _recognition(track: LocalTrack, individual: Individual, names: Mapping[UUID, KnownPerson]) -> list[Cue]:
    cues: list[Cue] = []
    if track.face is not None and individual.face is not None:
        cues.append(face_cue(track.face, individual.face))
    person = names.get(individual.person_id) if individual.person_id is not None else None
    if track.name_evidence is not None and person is not None:
        cues.append(name_cue(track.name_evidence, person.name))
    if track.appearance is not None and individual.appearance is not None:
        cues.append(appearance_cue(track.appearance, individual.appearance))
    return cues


def _weight_of_all(track: LocalTrack, placed: Mapping[Individual, tuple[Cue, ...]], crowd: Collection[float]) -> float:
    """Return how much those seen of late weigh together; who is busy in another view hardly counts."""
    first_s = track.first_seen_at.timestamp()
    weights = [_recency(one.sights, first_s) * _free(place) for one, place in placed.items() if one.sights]
    return max(1.0, fsum([*weights, *crowd]))


def _priors(
    track: LocalTrack, placed: Mapping[Individual, tuple[Cue, ...]], total: float, persons: int
) -> dict[Individual, float]:
    """Return the log prior odds against somebody new of each possible candidate.

    Those seen of late share RETURN_ODDS by how lately, of `total`. The known persons share PERSON_ODDS evenly.
    """
    first_s = track.first_seen_at.timestamp()
    known = arriving(persons)
    priors = {}
    for one in placed:
        terms = []
        if one.sights:
            terms.append(log(RETURN_ODDS * _recency(one.sights, first_s) / total))
        if one.person_id is not None:
            terms.append(known)
        elif not terms:
            terms.append(log(STRANGER_ODDS))
        priors[one] = log_sum_exp(terms)
    return priors


def _free(place: Sequence[Cue]) -> float:
    return min(1.0, exp(sum(cue.log_ratio for cue in place if cue.kind is CueKind.ELSEWHERE)))


def _recency(sights: Sequence[Sight], at_s: float) -> float:
    return 1.0 / (1.0 + max(apart_s(sights, at_s), 0.0) / RECENT_S)
