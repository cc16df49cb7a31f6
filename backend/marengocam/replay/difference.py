"""What a replay found that live did not, and the other way round."""

from collections.abc import Sequence
from dataclasses import dataclass

from marengocam.core.model import LocalTrack

MIN_TIME_SHARE = 0.3  # of the shorter track
MIN_MEAN_IOU = 0.2


@dataclass(frozen=True, slots=True)
class Difference:
    """How many tracks both have, and those that only one has (by first sight)."""

    in_both: int
    only_replay: tuple[str, ...]
    only_live: tuple[str, ...]


def compare(live: Sequence[LocalTrack], replayed: Sequence[LocalTrack]) -> Difference:
    """Return the difference of two sets of tracks of one camera."""
    unmatched = list(live)
    only_replay = []
    for track in replayed:
        partner = next((one for one in unmatched if _same(one, track)), None)
        if partner is None:
            only_replay.append(f"{track.label} {track.first_seen_at.isoformat()}")
        else:
            unmatched.remove(partner)
    only_live = tuple(f"{track.label} {track.first_seen_at.isoformat()}" for track in unmatched)
    return Difference(len(replayed) - len(only_replay), tuple(only_replay), only_live)


def _same(one: LocalTrack, other: LocalTrack) -> bool:
    if one.label != other.label:
        return False
    begin, end = max(one.first_seen_at, other.first_seen_at), min(one.last_seen_at, other.last_seen_at)
    shorter = min(one.last_seen_at - one.first_seen_at, other.last_seen_at - other.first_seen_at)
    if (end - begin).total_seconds() < MIN_TIME_SHARE * shorter.total_seconds():
        return False
    overlaps = [
        point.box.iou(min(other.path, key=lambda near: abs(near.at - point.at)).box)
        for point in one.path
        if other.path and begin <= point.at <= end
    ]
    return not overlaps or sum(overlaps) / len(overlaps) >= MIN_MEAN_IOU
