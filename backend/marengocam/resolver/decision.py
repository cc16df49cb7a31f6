"""From hypotheses to one verdict: whom the track belongs to, whether a name may be said, and why."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log
from uuid import UUID

from marengocam.core.identity import Assignment, CameraGraph, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.candidates import Explanations, hypotheses
from marengocam.resolver.cues import LINKS, CueKind
from marengocam.resolver.hypothesis import Hypothesis

CONFIRM_MARGIN = 2.2  # log-odds to the runner-up (9 to 1) before a name is said
CONFIRM_LINK_RATIO = 2.0  # evidence that is not prior or habit: face, name, appearance, or plain continuation
JOIN_PROBABILITY = 0.6  # of being that unknown rather than somebody new
CALLED_JOIN_PROBABILITY = 0.8  # of being of an identity that is called a person: the name goes with it
RETURN_PROBABILITY = 0.9  # from which two identities become one: a track may go back, an identity does not
JOIN_LINK_RATIO = 1.0  # and of that, so much from links or a usual journey: nobody joins by habit alone
NAMED_RATIO = 2.0  # face and name evidence from which a person needs no chain of links
FOUND_PROBABILITY = 0.98  # from which an unknown gets a name: all its tracks do, how sure each of them may be
UNNAME_PROBABILITY = 0.5  # below, whom the resolver called an identity it is more likely not
RETRACT_PROBABILITY = 0.1  # an announced person is held until this unlikely or another is confirmed
TRUST_CAP = 0.999
MARGIN_LIMIT = 50.0
JOINING = LINKS | {CueKind.TRANSIT, CueKind.STAY}
PROBABILITY_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is believed about one track now."""

    chosen: Hypothesis
    probability: float
    margin: float
    runner_up: Hypothesis | None
    confirmed_person_id: UUID | None  # may be announced by name
    likeliest_person: tuple[UUID, float] | None
    unnames: bool = False  # the identity is more likely not whom the resolver called it
    founder: float = 0.0  # how likely it is that whoever founded the identity is the person, where it is found to be

    @property
    def trust(self) -> float:
        """How sure it is that the track belongs to its identity: a founder does by definition."""
        if self.chosen.identity_id is None and self.chosen.person_id is None:
            return 1.0
        return self.probability

    @property
    def recognition(self) -> float:
        """Log ratio of face, name and appearance together, from which the camera graph learns."""
        return self.chosen.ratio_of((CueKind.FACE, CueKind.NAME, CueKind.APPEARANCE))


def decide(
    track: LocalTrack,
    surroundings: Surroundings,
    graph: CameraGraph,
    assignment: Assignment | None,
    confirm_probability: float,
) -> Verdict:
    """Return the verdict on one track; pure and independent of the order in which candidates come."""
    return judge(hypotheses(track, surroundings, graph, assignment), assignment, confirm_probability)


def judge(explanations: Explanations, assignment: Assignment | None, confirm_probability: float) -> Verdict:
    """Choose among all explanations."""
    ordered, weights = explanations.ordered, explanations.probabilities()
    persons: dict[UUID, float] = defaultdict(float)
    for one, weight in zip(ordered, weights, strict=True):
        if one.person_id is not None:
            persons[one.person_id] += weight
    likeliest = min(persons.items(), key=lambda pair: (-pair[1], str(pair[0])), default=None)
    chosen, confirmed = _choose(ordered, weights, persons, likeliest, assignment, confirm_probability)
    called = chosen.called if chosen.person_id is None else None
    unnames = called is not None and _being_called(ordered, weights, chosen) < UNNAME_PROBABILITY
    person_id = chosen.person_id if called is None or unnames else called
    weight = persons[person_id] if person_id is not None else _weight_of(ordered, weights, chosen)
    rival_weight, rival = _runner_up(ordered, weights, persons, chosen)
    return Verdict(
        chosen=chosen,
        probability=min(weight * (_chain(chosen) if person_id is not None else 1.0), 1.0),
        margin=_log_odds(weight, rival_weight),
        runner_up=rival,
        confirmed_person_id=confirmed,
        likeliest_person=likeliest,
        unnames=unnames,
        founder=_found(ordered, weights, chosen) * chosen.linked if chosen.composite else 0.0,
    )


def _choose(
    ordered: Sequence[Hypothesis],
    weights: Sequence[float],
    persons: dict[UUID, float],
    likeliest: tuple[UUID, float] | None,
    assignment: Assignment | None,
    confirm_probability: float,
) -> tuple[Hypothesis, UUID | None]:
    if likeliest is not None:
        person_id, weight = likeliest
        leading = _leading(ordered, weights, person_id, weight)
        rival_weight, _ = _runner_up(ordered, weights, persons, leading)
        wanted = max(confirm_probability, FOUND_PROBABILITY) if leading.composite else confirm_probability
        sure = weight * _chain(leading) >= wanted
        if sure and _log_odds(weight, rival_weight) >= CONFIRM_MARGIN and _linked(leading):
            return leading, person_id
    announced = assignment.announced_person_id if assignment else None
    # What a human took back is not held: then the identity is no longer that person.
    held = announced is not None and assignment is not None and assignment.person_id == announced
    if announced is not None and held and persons.get(announced, 0.0) >= RETRACT_PROBABILITY:
        return next(one for one in ordered if one.person_id == announced), None
    nobody = next(one for one in ordered if one.identity_id is None and one.person_id is None)
    unknown = _likeliest_unknown(ordered, weights)
    if unknown is None or unknown.ratio_of(JOINING) < JOIN_LINK_RATIO:
        return nobody, None
    being_unknown = _weight_of(ordered, weights, unknown)
    if unknown.called is not None:
        return (unknown if being_unknown >= CALLED_JOIN_PROBABILITY else nobody), None
    joins = being_unknown >= JOIN_PROBABILITY * (being_unknown + _weight_of(ordered, weights, nobody))
    return (unknown if joins else nobody), None


def _likeliest_unknown(ordered: Sequence[Hypothesis], weights: Sequence[float]) -> Hypothesis | None:
    """Return the likeliest way in which a track is of an identity that no human named, whoever that is."""
    for one, weight in zip(ordered, weights, strict=True):
        if one.identity_id is None or (one.person_id is not None and one.called is None and not one.composite):
            continue
        if one.person_id is not None:
            return next(way for way in ordered if way.identity_id == one.identity_id and way.person_id is None)
        if one.joins is None or weight >= RETURN_PROBABILITY * (1 - _agreeing(ordered, weights, one)):
            return one
    return None


def _leading(ordered: Sequence[Hypothesis], weights: Sequence[float], person_id: UUID, weight: float) -> Hypothesis:
    """Return the likeliest way in which a track is that person.

    That an unknown is the person names all tracks of the unknown, its founder among them, who is of it no surer than
    what links the track to it: of the ways it has to be nearly sure, else the track is the person's and the unknown
    stays what it is.
    """
    ways = [one for one in ordered if one.person_id == person_id]
    leading = ways[0]
    if not leading.composite:
        return leading
    if _found(ordered, weights, leading) * leading.linked >= RETURN_PROBABILITY * weight:
        return leading
    return next((one for one in ways if not one.composite), leading)


def _found(ordered: Sequence[Hypothesis], weights: Sequence[float], leading: Hypothesis) -> float:
    """Return how likely it is that a track is of an identity and that this is a person."""
    return sum(
        own
        for one, own in zip(ordered, weights, strict=True)
        if one.person_id == leading.person_id and one.identity_id == leading.identity_id
    )


def _agreeing(ordered: Sequence[Hypothesis], weights: Sequence[float], one: Hypothesis) -> float:
    """Return how likely it is that two of a visit are one in other ways that do not exclude this one: all are one."""
    if not one.visiting:
        return 0.0
    pairs = {frozenset((other.identity_id, other.joins)) for other in ordered if other.visiting}
    own = frozenset((one.identity_id, one.joins))
    return sum(
        weight
        for other, weight in zip(ordered, weights, strict=True)
        if other.visiting and other is not one
        if all(frozenset(two) in pairs for two in combinations(own | {other.identity_id, other.joins}, 2))
    )


def _weight_of(ordered: Sequence[Hypothesis], weights: Sequence[float], unknown: Hypothesis) -> float:
    """Return how likely that unknown is, whoever it turns out to be."""
    if unknown.identity_id is None:
        return weights[ordered.index(unknown)]
    return sum(weight for one, weight in zip(ordered, weights, strict=True) if one.identity_id == unknown.identity_id)


def _being_called(ordered: Sequence[Hypothesis], weights: Sequence[float], called: Hypothesis) -> float:
    """Return how likely an identity is whom the resolver called it, given that the track is of it."""
    whole = _weight_of(ordered, weights, called)
    return 1.0 - weights[ordered.index(called)] / whole if whole > 0 else 1.0


def _linked(hypothesis: Hypothesis) -> bool:
    return sum(cue.log_ratio for cue in hypothesis.cues if cue.kind in LINKS) >= CONFIRM_LINK_RATIO


def _chain(hypothesis: Hypothesis) -> float:
    """Return the factor for having come by links: a face or a name of its own needs none."""
    if hypothesis.naming >= NAMED_RATIO:
        return 1.0
    return min(hypothesis.trust, TRUST_CAP)


def _runner_up(
    ordered: Sequence[Hypothesis], weights: Sequence[float], persons: dict[UUID, float], chosen: Hypothesis
) -> tuple[float, Hypothesis | None]:
    """Return the strongest other explanation: another person (all its ways together), unknown, or somebody new."""
    strongest, rival = 0.0, None
    for one, weight in zip(ordered, weights, strict=True):
        if one is chosen or (chosen.person_id is not None and one.person_id == chosen.person_id):
            continue
        if one.identity_id is not None and one.identity_id == chosen.identity_id and chosen.person_id is None:
            continue
        total = persons[one.person_id] if one.person_id is not None else weight
        if total > strongest:
            strongest, rival = total, one
    return strongest, rival


def _log_odds(weight: float, other: float) -> float:
    ratio = log(max(weight, PROBABILITY_FLOOR)) - log(max(other, PROBABILITY_FLOOR))
    return min(max(ratio, -MARGIN_LIMIT), MARGIN_LIMIT)
