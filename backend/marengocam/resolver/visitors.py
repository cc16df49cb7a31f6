"""What a track shows of two unknown identities of one visit: that they are one."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import log
from uuid import UUID

from marengocam.core.identity import CameraGraph, Sight, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.composites import RETURN_ODDS
from marengocam.resolver.cues import LINKS, Cue, CueKind, best
from marengocam.resolver.fusion import past_strangers_cues
from marengocam.resolver.hypothesis import Hypothesis, Individual
from marengocam.resolver.ways import VISIT_GAP_S, seen_apart, way_cue

GOING_ON = frozenset({CueKind.CONTINUATION, CueKind.SAME_PLACE})


def visitors_found(
    track: LocalTrack,
    found: Sequence[Hypothesis],
    individuals: Mapping[UUID, Individual],
    surroundings: Surroundings,
    graph: CameraGraph,
) -> list[Hypothesis]:
    """Return 'it is that unknown of this visit, and that unknown is the other one of this visit whom it is like'.

    The prior is that of the track itself: whoever founded the other identity was somebody about, or somebody new.
    """
    pairs = surroundings.alike_clothes
    if not pairs:
        return []
    denied = {identity_id for identity_id, _ in surroundings.denied}
    left_alone = surroundings.ignored | surroundings.spoken_about | denied
    linked = {
        one.identity_id: one
        for one in found
        if one.person_id is None and one.identity_id in individuals.keys() - left_alone and one.joins is None
        if one.identity_id is not None
    }
    own = _sight_of(track)
    at_s = track.first_seen_at.timestamp()
    visiting = [one for one in surroundings.sights if max(one.first_s - at_s, at_s - one.last_s) <= VISIT_GAP_S]
    about = len({one.person_id or one.identity_id for one in visiting})
    prior = log(RETURN_ODDS / max(1, about - 1))
    told = {frozenset((one.identity_id, one.joins)) for one in found if one.joins is not None}
    joined = []
    for pair in combinations(sorted({one for two in pairs for one in two} & linked.keys()), 2):
        nearer, farther = sorted(pair, key=lambda one: linked[one].key)
        first, second = linked[nearer], linked[farther]
        one, other = individuals[nearer], individuals[farther]
        if frozenset(pair) in told or best(first.cues, LINKS) is None or seen_apart(one.sights, other.sights):
            continue
        around = [sight for sight in visiting if sight.person_id is None and sight.identity_id not in pair]
        way = way_cue((*one.sights, own), other.sights, around, surroundings.alike_others, graph)
        if way is None:
            continue
        cues = (*_once(first.cues, second.cues), way)
        cues += tuple(past_strangers_cues(surroundings.alike_faces, pairs, (nearer, farther)))
        into, gone = sorted(pair, key=lambda one: min(map(Sight.earliest_first, individuals[one].sights)))
        joined.append(Hypothesis(into, None, first.prior + prior, cues, joins=gone, visiting=True))
    return joined


def _once(first: Sequence[Cue], second: Sequence[Cue]) -> tuple[Cue, ...]:
    """Return what links the track to the first, and that it went on where the second was lost."""
    return (*first, *(cue for cue in second if cue.kind in GOING_ON))


def _sight_of(track: LocalTrack) -> Sight:
    first_s, last_s = track.first_seen_at.timestamp(), track.last_seen_at.timestamp()
    return Sight(track.local_track_id, track.local_track_id, None, track.camera_id, first_s, last_s, 1.0)
