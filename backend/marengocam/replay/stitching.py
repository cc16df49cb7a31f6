"""Units put together: who was followed over the edge of two is one track again."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from marengocam.core.geometry import Box
from marengocam.replay.findings import Counts, FoundTrack, Look, Point, Revision, UnitFindings

SAME_IOU = 0.3
NEAR_S = 0.75  # between two points of the paths that are compared


def stitch(units: Sequence[UnitFindings]) -> tuple[list[FoundTrack], Counts, dict[str, bytes]]:
    """Return the tracks of a whole run by first sight, what work it was, and the pictures by name.

    Pure: the order in which the units were analysed, and by whom, does not matter.
    """
    done: list[FoundTrack] = []
    open_tracks: list[FoundTrack] = []
    counts = Counts()
    pictures: dict[str, bytes] = {}
    before: UnitFindings | None = None
    for unit in sorted(units, key=lambda one: one.number):
        counts += unit.counts
        follows = before is not None and unit.from_at == before.to_at
        carried = open_tracks if follows else []
        if not follows:
            done += [_ended(track, track.last.at) for track in open_tracks]
        tracks, partners = _joined(carried, unit)
        for name, jpeg in unit.pictures.items():
            pictures.setdefault(_renamed(name, partners), jpeg)
        done += [track for track in tracks if not track.last.open]
        open_tracks = [track for track in tracks if track.last.open]
        before = unit
    done += [_ended(track, track.last.at) for track in open_tracks]
    return sorted(done, key=lambda track: (track.first_seen_at, str(track.track_id))), counts, pictures


def _joined(carried: Sequence[FoundTrack], unit: UnitFindings) -> tuple[list[FoundTrack], dict[str, str]]:
    """Return the tracks after a unit, and by which id those that only go on are known."""
    early = [track for track in unit.tracks if track.first_seen_at < unit.from_at]
    likenesses = sorted(
        (
            (-_likeness(one, other, unit.from_at), str(one.track_id), str(other.track_id), one, other)
            for one in carried
            for other in early
            if one.label == other.label
        ),
        key=lambda found: found[:3],
    )
    partner_of: dict[str, FoundTrack] = {}
    taken: set[str] = set()
    for negative, one_id, other_id, one, _ in likenesses:
        if -negative >= SAME_IOU and one_id not in taken and other_id not in partner_of:
            partner_of[other_id] = one
            taken.add(one_id)
    tracks = [
        _continued(partner_of[str(track.track_id)], track, unit.from_at) if str(track.track_id) in partner_of else track
        for track in unit.tracks
    ]
    tracks += [_ended(track, unit.from_at) for track in carried if str(track.track_id) not in taken]
    return tracks, {other: str(one.track_id) for other, one in partner_of.items()}


def _likeness(one: FoundTrack, other: FoundTrack, edge_at: datetime) -> float:
    """Return how well two paths agree where both units saw them, 0 to 1."""
    shared = [(point, _nearest(other.path, point.at)) for point in one.path if point.at >= other.first_seen_at]
    overlaps = [
        Box(*point.box).iou(Box(*near.box))
        for point, near in shared
        if near is not None and abs((near.at - point.at).total_seconds()) <= NEAR_S and point.at < edge_at
    ]
    return sum(overlaps) / len(overlaps) if overlaps else 0.0


def _nearest(path: Sequence[Point], at: datetime) -> Point | None:
    return min(path, key=lambda point: abs(point.at - at), default=None)


def _continued(one: FoundTrack, other: FoundTrack, edge_at: datetime) -> FoundTrack:
    """Return the first unit's track with what the second saw from the edge on."""
    early = [revision for revision in other.revisions if revision.at < edge_at]
    counted = early[-1].observations if early else 0
    looks = len(one.looks)
    best_face, best_appearance = one.last.face, one.last.appearance
    every = [*one.looks, *other.looks]
    revisions = list(one.revisions)
    for revision in other.revisions:
        if revision.at < edge_at:
            continue
        face = _better(every, best_face, None if revision.face is None else revision.face + looks)
        look = None if revision.appearance is None else revision.appearance + looks
        appearance = _better(every, best_appearance, look)
        revisions.append(_over_the_edge(one.last, revision, counted, face, appearance))
    return FoundTrack(
        track_id=one.track_id,
        label=one.label,
        first_seen_at=one.first_seen_at,
        path=[*one.path, *(point for point in other.path if point.at >= edge_at)],
        looks=every,
        revisions=revisions,
        face_looks=one.face_looks + other.face_looks,
    )


def _over_the_edge(
    last: Revision, revision: Revision, counted: int, face: int | None, appearance: int | None
) -> Revision:
    return msgspec.structs.replace(
        revision,
        score=max(last.score, revision.score),
        observations=last.observations + max(0, revision.observations - counted),
        zones=tuple(dict.fromkeys((*last.zones, *revision.zones))),
        picture=last.picture or revision.picture,
        face=face,
        appearance=appearance,
    )


def _better(looks: Sequence[Look], one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return other if looks[other].quality > looks[one].quality else one


def _ended(track: FoundTrack, at: datetime) -> FoundTrack:
    """Return a track that nothing goes on with, closed."""
    if not track.last.open:
        return track
    closing = msgspec.structs.replace(track.last, open=False, at=max(at, track.last.at))
    revisions = track.revisions if closing.at > track.last.at else track.revisions[:-1]
    return msgspec.structs.replace(track, revisions=[*revisions, closing])


def _renamed(name: str, partners: dict[str, str]) -> str:
    stem, rest = name[:36], name[36:]
    return partners.get(stem, stem) + rest
