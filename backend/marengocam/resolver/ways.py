"""What place and time say of two unknown individuals of one visit being one: seen at once, or one after the other."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, log
from uuid import UUID

from marengocam.core.identity import CameraGraph, Sight
from marengocam.core.visits import LEFT_AFTER
from marengocam.resolver.cues import Cue, CueKind, clamp
from marengocam.resolver.spacetime import (
    CLOCKS_APART_S,
    ELSEWHERE_LIMIT,
    TRANSIT_LIMIT,
    elsewhere_ratio,
    transit_cue,
)

ONE_CAMERA_S = 1.0  # one camera saw both at once for longer than a hand-over of the tracker takes: two people
OVERLAP_SHARE = 0.88  # of people in one of two overlapping views are in the other too: ELSEWHERE_LIMIT's odds
VISIT_GAP_S = LEFT_AFTER.total_seconds()
Views = tuple[str, str]


def way_cue(
    one: Sequence[Sight],
    other: Sequence[Sight],
    around: Sequence[Sight],
    alike: Mapping[tuple[UUID, UUID], float],
    graph: CameraGraph,
) -> Cue | None:
    """Weigh whether sights of two individuals are one's; None: they cannot be.

    `around`: sights of the others unknown, who by being alike (log ratios) may show that two views overlap.
    """
    views = _seen_at_once(one, other, graph)
    if views is None:
        return None
    if views:
        overlaps = {pair: _together(pair, around, alike, graph) for pair in views}
        best = max(sorted(views), key=lambda pair: overlaps[pair])
        return Cue(CueKind.WAY, overlaps[best], {"at_once": list(best)})
    ratio = clamp(sum(_switches(one, other, graph)), *TRANSIT_LIMIT)
    return Cue(CueKind.WAY, ratio)


def seen_apart(one: Sequence[Sight], other: Sequence[Sight]) -> bool:
    """Return whether one camera saw both at once, so that they cannot be one."""
    return any(a.camera_id == b.camera_id and _together_s(a, b) > ONE_CAMERA_S for a in one for b in other)


def _seen_at_once(one: Sequence[Sight], other: Sequence[Sight], graph: CameraGraph) -> set[Views] | None:
    """Return the pairs of views that saw both at once; None: an owner said that nobody is in both."""
    views = {
        (a.camera_id, b.camera_id)
        for a in one
        for b in other
        if a.camera_id != b.camera_id and _together_s(a, b) > CLOCKS_APART_S
    }
    return None if any(graph.overlaps.get(pair) is False for pair in views) else views


def _together(
    views: Views, around: Sequence[Sight], alike: Mapping[tuple[UUID, UUID], float], graph: CameraGraph
) -> float:
    """Return the log-odds that somebody in the second view is whom the first one sees at that moment.

    Whether two views overlap holds for everybody: who has his like in the other view at the same moment speaks for
    it, who has not against it.
    """
    known = elsewhere_ratio(graph, *views)
    told = graph.overlaps.get(views)
    if told:
        return known
    share = min(1 / (1 + exp(-known)), OVERLAP_SHARE - 0.01)
    odds = share / (OVERLAP_SHARE - share)
    here = [one for one in around if one.camera_id == views[0]]
    there = [one for one in around if one.camera_id == views[1]]
    for identity_id in sorted({one.identity_id for one in here}):
        sights = [one for one in here if one.identity_id == identity_id]
        others = {b.identity_id for a in sights for b in there if _together_s(a, b) > CLOCKS_APART_S} - {identity_id}
        ratios = [exp(alike[identity_id, one]) for one in sorted(others) if (identity_id, one) in alike]
        if ratios:
            odds *= OVERLAP_SHARE * sum(ratios) / len(ratios) + 1 - OVERLAP_SHARE
    together = OVERLAP_SHARE * odds / (1 + odds)
    return clamp(log(together / (1 - together)), *ELSEWHERE_LIMIT)


def _switches(one: Sequence[Sight], other: Sequence[Sight], graph: CameraGraph) -> list[float]:
    """Return what the ways say from each sight of one to the next one of the other."""
    others = {sight.local_track_id for sight in other}
    ordered = sorted((*one, *other), key=Sight.earliest_first)
    ratios = []
    for before, after in pairwise(ordered):
        switched = (before.local_track_id in others) != (after.local_track_id in others)
        if switched and after.first_s - before.last_s <= VISIT_GAP_S:
            way = transit_cue(after.camera_id, after.first_s, (before,), graph)
            ratios.append(way.log_ratio if way is not None else 0.0)
    return ratios


def _together_s(one: Sight, other: Sight) -> float:
    return min(one.last_s, other.last_s) - max(one.first_s, other.first_s)
