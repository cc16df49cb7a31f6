"""What place and time say: who cannot be, who simply went on, who had time to walk over."""

from collections.abc import Sequence
from datetime import datetime
from math import exp, hypot, log, pi
from typing import NamedTuple

from marengocam.core.geometry import Box
from marengocam.core.identity import CameraGraph, Sight, Transit
from marengocam.core.model import LocalTrack, PathPoint
from marengocam.resolver.cues import Cue, CueKind, clamp

AT_ONCE_S = 0.5  # shorter overlaps in one camera are the tracker's hand-over
CLOCKS_APART_S = 1.5  # overlaps between cameras shorter than this may be clock skew
SAME_BOX_IOU = 0.4  # two tracks on one object; below, two objects
SAME_PLACE_RATIO = 4.0
CONTINUATION_S = 8.0  # after a longer gap the place says nothing
PATH_SLACK_S = 2.0  # a path may begin and end this much within its track's first and last sight
PLACE_SPREAD = 0.25  # of box height: jitter of a box
SPEED_SPREAD = 0.5  # box heights per second a walker may differ from the predicted walk
SPEED_SPAN_S = 1.0  # stretch of path a speed is taken from
LEAPED_SHARE = 0.1  # of continued tracks appear anywhere (occlusion, missed boxes)
SIZE_SPREAD = 0.25  # log of box height between two sights of one object
SIZE_SPREAD_OTHERS = 0.8  # log of box height between two objects
CONTINUATION_LIMIT = (-3.0, 6.0)
BACKGROUND_MEDIAN_S = 60.0  # seconds between sights of unrelated tracks, log-normal
BACKGROUND_MEAN_LOG = log(BACKGROUND_MEDIAN_S)
BACKGROUND_DEVIATION = 1.8
DEVIATION_FLOOR = 0.4  # journeys are never more regular
TRANSIT_LIMIT = (-4.0, 3.0)
LONGEST_S = 1800.0  # a journey between two cameras
MOVES_PRIOR = 1.0  # pseudo-count of journeys whither nobody went yet
TOGETHER_PRIOR = 0.1  # pseudo-counts of overlapping views: log-odds -3 until something was seen
CHANCES_PRIOR = 2.0
ELSEWHERE_LIMIT = (-4.0, 2.0)

Span = tuple[float, float]


def span_of(track: LocalTrack) -> Span:
    """Return a track's first and last sight, seconds."""
    return track.first_seen_at.timestamp(), track.last_seen_at.timestamp()


def place_cues(
    track: LocalTrack, sights: Sequence[Sight], graph: CameraGraph, span: Span | None = None
) -> tuple[Cue, ...] | None:
    """Return what place and time say about one candidate's sights; None: it cannot be the same individual.

    `span` is the track's, for whoever asks about many candidates.
    """
    if not sights:
        return ()
    cues: list[Cue] = []
    first_s, last_s = span = span or span_of(track)
    here = [sight for sight in sights if sight.camera_id == track.camera_id]
    there = [sight for sight in sights if sight.camera_id != track.camera_id]
    at_once = [sight for sight in here if min(last_s, sight.last_s) - max(first_s, sight.first_s) > AT_ONCE_S]
    if at_once:
        overlaps = [_shared_iou(track.path, sight.path) for sight in at_once]
        if any(iou is not None and iou < SAME_BOX_IOU for iou in overlaps):
            return None
        if any(iou is not None for iou in overlaps):
            trust = max(sight.probability for sight in at_once)
            cues.append(Cue(CueKind.SAME_PLACE, SAME_PLACE_RATIO, {"camera_id": track.camera_id}, trust))
    elif (continued := _continuation(track, here, span)) is not None:
        cues.append(continued)
    if there:
        ways = _other_cameras(track, here, there, graph, span)
        if ways is None:
            return None
        cues += ways
    return tuple(cues)


def _other_cameras(
    track: LocalTrack, here: Sequence[Sight], there: Sequence[Sight], graph: CameraGraph, span: Span
) -> list[Cue] | None:
    """Return what sights in other cameras say; None: an owner said that nobody is in both views at once."""
    first_s, last_s = span
    visible = sorted(
        {one.camera_id for one in there if min(last_s, one.last_s) - max(first_s, one.first_s) > CLOCKS_APART_S}
    )
    if visible:
        ratios = {camera: elsewhere_ratio(graph, track.camera_id, camera) for camera in visible}
        if any(graph.overlaps.get((track.camera_id, camera)) is False for camera in visible):
            return None
        camera = max(visible, key=lambda name: (ratios[name], name))
        return [Cue(CueKind.ELSEWHERE, ratios[camera], _overlap_known(graph, track.camera_id, camera))]
    way = transit_cue(track.camera_id, first_s, (*here, *there), graph)
    return [way] if way is not None else []


def apart_s(sights: Sequence[Sight], at_s: float) -> float:
    """Return how long before or after a moment somebody was seen; at it: not above 0."""
    return min([max(at_s - sight.last_s, sight.first_s - at_s) for sight in sights])


def transit_cue(camera_id: str, first_s: float, sights: Sequence[Sight], graph: CameraGraph) -> Cue | None:
    """Return what the way from where a candidate was seen last says, when journeys over it are known."""
    last = None
    for sight in sights:
        if sight.last_s <= first_s + CLOCKS_APART_S and (
            last is None or (sight.last_s, sight.local_track_id) > (last.last_s, last.local_track_id)
        ):
            last = sight
    way = known_way(last.camera_id, camera_id, graph) if last is not None else None
    if last is None or way is None:
        return None
    seconds = max(first_s - last.last_s, AT_ONCE_S)
    return Cue(
        CueKind.TRANSIT, way_ratio(way, seconds), {"from": last.camera_id, "seconds": round(seconds, 1)} | _known(way)
    )


class Way(NamedTuple):
    """What is known of the way from one camera to another."""

    time: Transit | None
    moves: float = 0.0  # of those who left the one, went to the other
    all_moves: float = 0.0  # went to any other; 0: nothing is known of which way is taken
    chance: float = 1.0  # of tracks of unrelated people in other cameras than the one, are in the other


def known_way(here: str, there: str, graph: CameraGraph) -> Way | None:
    """Return what is known of the way from one camera to another; None: nothing, or it is one and the same."""
    if here == there:
        return None
    time, all_moves = graph.transits.get((here, there)), graph.moves_from.get(here, 0.0)
    if time is None and not all_moves:
        return None
    elsewhere = sum(graph.tracks.values()) - graph.tracks.get(here, 0)
    chance = graph.tracks.get(there, 0) / elsewhere if elsewhere else 0.0
    if (time is not None and time.told) or not chance:
        return Way(time) if time is not None else None
    return Way(time, graph.moves.get((here, there), 0.0), all_moves, chance)


def _known(way: Way) -> dict[str, object]:
    known: dict[str, object] = {}
    if way.time is not None:
        known = {"usual_s": round(exp(way.time.mean_log_s), 1)}
        known |= {"told": True} if way.time.told else {"journeys": round(way.time.count, 1)}
    return known | ({"went": round(way.moves, 1), "of": round(way.all_moves, 1)} if way.all_moves else {})


def way_ratio(way: Way, seconds: float) -> float:
    """Return what is known of a way says of somebody's having taken it in that time: when and whither, both learned.

    As likely as one in so many the next one goes where nobody went yet. After longer than is learned from, it is where
    people come from anew that counts.
    """
    if not way.all_moves or seconds > LONGEST_S:
        return transit_ratio(way.time, seconds) if way.time is not None else 0.0
    time = exp(_time_ratio(way.time, seconds)) if way.time is not None else 1.0
    share = (way.moves / way.chance * time + MOVES_PRIOR) / (way.all_moves + MOVES_PRIOR)
    return clamp(log(share), *TRANSIT_LIMIT)


def elsewhere_ratio(graph: CameraGraph, here: str, there: str) -> float:
    """Return the log-odds that somebody in view `there` is whom `here` sees at the same moment.

    Smoothed share of past tracks for which it was so: views that never overlapped cost about 3, overlapping ones pay.
    """
    if graph.overlaps.get((here, there)):
        return ELSEWHERE_LIMIT[1]
    seen = graph.covisible.get((here, there))
    together = TOGETHER_PRIOR + (seen.together if seen else 0)
    apart = CHANCES_PRIOR - TOGETHER_PRIOR + (seen.chances - seen.together if seen else 0)
    return clamp(log(together / apart), *ELSEWHERE_LIMIT)


def _overlap_known(graph: CameraGraph, here: str, there: str) -> dict[str, object]:
    """Return what evidence tells about two views: an owner's word, or how often they showed one person at once."""
    if graph.overlaps.get((here, there)):
        return {"camera_id": there, "told": True}
    seen = graph.covisible.get((here, there))
    return {"camera_id": there, "together": seen.together if seen else 0, "chances": seen.chances if seen else 0}


def transit_ratio(learned: Transit, seconds: float) -> float:
    """Return log(f_journey(seconds) / f_unrelated(seconds)), both log-normal.

    Few journeys say little: the next one is spread as they are and one of unrelated sights with them, and as likely as
    one in so many it is of a kind that was not seen yet.
    """
    ratio = _time_ratio(learned, seconds)
    if learned.told:
        return ratio
    return log((learned.count * exp(ratio) + 1.0) / (learned.count + 1.0))


def _time_ratio(learned: Transit, seconds: float) -> float:
    unrelated = _log_normal(seconds, BACKGROUND_MEAN_LOG, BACKGROUND_DEVIATION)
    return clamp(_log_normal(seconds, learned.mean_log_s, deviation_of(learned)) - unrelated, *TRANSIT_LIMIT)


def deviation_of(learned: Transit) -> float:
    """Return how much the log of a journey's time differs from the mean: the more, the fewer were seen."""
    spread = 0.0 if learned.told else BACKGROUND_DEVIATION**2 / learned.count
    return float(max((learned.deviation_log_s**2 + spread) ** 0.5, DEVIATION_FLOOR))


def _log_normal(seconds: float, mean_log: float, deviation: float) -> float:
    return -log(seconds * deviation) - (log(seconds) - mean_log) ** 2 / (2 * deviation**2)


def _shared_iou(one: Sequence[PathPoint], other: Sequence[PathPoint]) -> float | None:
    """Return the median overlap of two paths while both were seen; None when they never were."""
    if not one or not other:
        return None
    start, end = max(one[0].at, other[0].at), min(one[-1].at, other[-1].at)
    moments = sorted({point.at for point in (*one, *other) if start <= point.at <= end})
    if not moments:
        return None
    values = sorted(_at(one, at).iou(_at(other, at)) for at in moments)
    return values[len(values) // 2]


def _at(path: Sequence[PathPoint], at: datetime) -> Box:
    """Return the box at a moment within the path, interpolated."""
    previous = path[0]
    for point in path:
        if point.at >= at:
            span = (point.at - previous.at).total_seconds()
            share = (at - previous.at).total_seconds() / span if span > 0 else 1.0
            return _between(previous.box, point.box, share)
        previous = point
    return path[-1].box


def _between(start: Box, end: Box, share: float) -> Box:
    keep = 1 - share
    return Box(
        start.x1 * keep + end.x1 * share,
        start.y1 * keep + end.y1 * share,
        start.x2 * keep + end.x2 * share,
        start.y2 * keep + end.y2 * share,
    )


def _continuation(track: LocalTrack, here: Sequence[Sight], span: Span) -> Cue | None:
    """Weigh a reappearance in the same camera near where the candidate was lost (or will be found again)."""
    if not track.path or not here:
        return None
    cues = []
    first_s, last_s = span
    for sight in here:
        if not sight.path or max(first_s - sight.last_s, sight.first_s - last_s) > CONTINUATION_S + PATH_SLACK_S:
            continue
        if sight.last_s <= last_s:
            earlier, later = sight.path, track.path
        else:
            earlier, later = track.path, sight.path
        gap_s = (later[0].at - earlier[-1].at).total_seconds()
        if gap_s > CONTINUATION_S:
            continue
        ratio, distance = _went_on(earlier, later, max(gap_s, 0.0))
        detail = {"seconds": round(gap_s, 1), "distance": round(distance, 3)}
        cues.append((abs(gap_s), Cue(CueKind.CONTINUATION, ratio, detail, sight.probability)))
    return min(cues, key=lambda pair: (pair[0], -pair[1].log_ratio))[1] if cues else None


def _went_on(earlier: Sequence[PathPoint], later: Sequence[PathPoint], gap_s: float) -> tuple[float, float]:
    """Return (log ratio, distance): found where a walker would be, against anywhere in the picture."""
    lost, found = earlier[-1].box, later[0].box
    height = max((lost.height + found.height) / 2, 0.01)
    speed_x, speed_y = _speed(earlier)
    distance = hypot(found.foot[0] - lost.foot[0] - speed_x * gap_s, found.foot[1] - lost.foot[1] - speed_y * gap_s)
    variance = (PLACE_SPREAD * height) ** 2 + (SPEED_SPREAD * height * gap_s) ** 2
    density = exp(-(distance**2) / (2 * variance)) / min(1.0, 2 * pi * variance)
    place = log((1 - LEAPED_SHARE) * density + LEAPED_SHARE)
    growth = log(max(found.height, 0.01) / max(lost.height, 0.01))
    same = -(growth**2) / (2 * SIZE_SPREAD**2) - log(SIZE_SPREAD)
    other = -(growth**2) / (2 * SIZE_SPREAD_OTHERS**2) - log(SIZE_SPREAD_OTHERS)
    return clamp(place + min(same - other, 0.0), *CONTINUATION_LIMIT), distance


def _speed(path: Sequence[PathPoint]) -> tuple[float, float]:
    """Return the foot's speed (picture widths and heights per second) at the end of a path."""
    last = path[-1]
    start = next((p for p in reversed(path) if (last.at - p.at).total_seconds() >= SPEED_SPAN_S), path[0])
    seconds = (last.at - start.at).total_seconds()
    if seconds <= 0:
        return (0.0, 0.0)
    return (
        (last.box.foot[0] - start.box.foot[0]) / seconds,
        (last.box.foot[1] - start.box.foot[1]) / seconds,
    )
