"""What one side saw that the other did not: tracks, boxes, identities, events. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from marengocam.replay.sides import Side, SideEvent, SideTrack

MIN_TIME_SHARE = 0.3  # of the shorter track
MIN_MEAN_IOU = 0.2
MOVED_IOU = 0.5  # boxes of one track that agree less than this have moved
LATE_S = 10.0  # an event that comes so much earlier or later has changed
NEAR_S = 1.0  # between two points of paths that are compared


@dataclass(frozen=True, slots=True)
class Pair:
    """A track that both sides have."""

    before: SideTrack
    after: SideTrack
    mean_iou: float

    @property
    def moved(self) -> bool:
        return self.mean_iou < MOVED_IOU

    @property
    def identity_changed(self) -> bool:
        return self.before.who != self.after.who


@dataclass(frozen=True, slots=True)
class EventPair:
    """An event that both sides have, told otherwise."""

    before: SideEvent
    after: SideEvent

    @property
    def how(self) -> str:
        if self.before.who != self.after.who:
            return f"{self.before.who or 'nobody known'} became {self.after.who or 'nobody known'}"
        late_s = (self.after.occurred_at - self.before.occurred_at).total_seconds()
        return f"{abs(late_s):.1f} s {'later' if late_s > 0 else 'earlier'}"


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs; `after` is the run that is judged, `before` what it is compared with."""

    before: Side
    after: Side
    pairs: tuple[Pair, ...] = ()
    found: tuple[SideTrack, ...] = ()
    lost: tuple[SideTrack, ...] = ()
    added: tuple[SideEvent, ...] = ()
    missing: tuple[SideEvent, ...] = ()
    changed: tuple[EventPair, ...] = ()
    events_alike: int = 0
    matched: dict[str, str] = field(default_factory=dict)  # track of `after` to track of `before`

    @property
    def moved(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.moved)

    @property
    def renamed(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.identity_changed)

    @property
    def differs(self) -> bool:
        return any((self.found, self.lost, self.moved, self.renamed, self.added, self.missing, self.changed))


def compare(before: Side, after: Side) -> Difference:
    """Return how `after` differs from `before`."""
    pairs = _paired(before.tracks, after.tracks)
    matched = {pair.after.track_id: pair.before.track_id for pair in pairs}
    known = set(matched.values())
    alike, added, missing, changed = _events(before.events, after.events, matched)
    return Difference(
        before=before,
        after=after,
        pairs=tuple(pairs),
        found=tuple(track for track in after.tracks if track.track_id not in matched),
        lost=tuple(track for track in before.tracks if track.track_id not in known),
        added=tuple(added),
        missing=tuple(missing),
        changed=tuple(changed),
        events_alike=alike,
        matched=matched,
    )


def _paired(before: Sequence[SideTrack], after: Sequence[SideTrack]) -> list[Pair]:
    """Return each track with its partner, the likest pairs first; every track has one partner at most."""
    likely = sorted(
        (
            (-share * (iou + 0.01), one.track_id, other.track_id, Pair(one, other, round(iou, 3)))
            for one in before
            for other in after
            if one.label == other.label
            for share, iou in [_likeness(one, other)]
            if share >= MIN_TIME_SHARE and iou >= MIN_MEAN_IOU
        ),
        key=lambda found: found[:3],
    )
    taken: set[str] = set()
    pairs = []
    for _, one, other, pair in likely:
        if one not in taken and other not in taken:
            taken |= {one, other}
            pairs.append(pair)
    return sorted(pairs, key=lambda pair: (pair.after.first_seen_at, pair.after.track_id))


def _likeness(one: SideTrack, other: SideTrack) -> tuple[float, float]:
    """Return the share of time in common, of the shorter, and the mean overlap of boxes in it."""
    begin, end = max(one.first_seen_at, other.first_seen_at), min(one.last_seen_at, other.last_seen_at)
    common_s = (end - begin).total_seconds()
    if common_s < 0:
        return 0.0, 0.0
    shorter_s = min((track.last_seen_at - track.first_seen_at).total_seconds() for track in (one, other))
    overlaps = []
    for point in one.path:
        if begin <= point.at <= end and other.path:
            near = min(other.path, key=lambda candidate: abs(candidate.at - point.at))
            if abs((near.at - point.at).total_seconds()) <= NEAR_S:
                overlaps.append(point.box.iou(near.box))
    share = 1.0 if shorter_s == 0 else common_s / shorter_s
    return share, sum(overlaps) / len(overlaps) if overlaps else 0.0


def _events(
    before: Sequence[SideEvent], after: Sequence[SideEvent], matched: dict[str, str]
) -> tuple[int, list[SideEvent], list[SideEvent], list[EventPair]]:
    """Return how many events are alike, and those added, missing and changed."""
    left = list(before)
    alike, added, changed = 0, [], []
    for event in after:
        track = matched.get(event.track_id)
        same = [one for one in left if one.track_id == track and (one.type, one.zone) == (event.type, event.zone)]
        if not same:
            added.append(event)
            continue
        partner = min(
            same, key=lambda one: (one.who != event.who, abs((one.occurred_at - event.occurred_at).total_seconds()))
        )
        left.remove(partner)
        apart_s = abs((partner.occurred_at - event.occurred_at).total_seconds())
        if partner.who != event.who or apart_s > LATE_S:
            changed.append(EventPair(partner, event))
        else:
            alike += 1
    return alike, added, left, changed


def told(difference: Difference) -> dict[str, Any]:
    """Return a difference as JSON values."""
    return {
        "differs": difference.differs,
        "before": difference.before.name,
        "after": difference.after.name,
        "camera_id": difference.after.camera_id,
        "from_at": difference.after.from_at.isoformat(),
        "to_at": difference.after.to_at.isoformat(),
        "in_both": len(difference.pairs),
        "tracks_found": [_track(track) for track in difference.found],
        "tracks_lost": [_track(track) for track in difference.lost],
        "boxes_moved": [
            {"track_id": pair.after.track_id, "was_track_id": pair.before.track_id, "mean_iou": pair.mean_iou}
            for pair in difference.moved
        ],
        "identities_changed": [
            {
                "track_id": pair.after.track_id,
                "was_track_id": pair.before.track_id,
                "was": pair.before.who,
                "is": pair.after.who,
                "was_evidence": pair.before.evidence,
                "evidence": pair.after.evidence,
            }
            for pair in difference.renamed
        ],
        "events_alike": difference.events_alike,
        "events_added": [_event(event) for event in difference.added],
        "events_missing": [_event(event) for event in difference.missing],
        "events_changed": [
            {"was": _event(pair.before), "is": _event(pair.after), "how": pair.how} for pair in difference.changed
        ],
    }


def counted(difference: Difference) -> dict[str, Any]:
    """Return a difference in numbers."""
    return {
        "differs": difference.differs,
        "in_both": len(difference.pairs),
        "found": len(difference.found),
        "lost": len(difference.lost),
        "moved": len(difference.moved),
        "renamed": len(difference.renamed),
        "events_alike": difference.events_alike,
        "events_added": len(difference.added),
        "events_missing": len(difference.missing),
        "events_changed": len(difference.changed),
    }


def _track(track: SideTrack) -> dict[str, Any]:
    return {
        "track_id": track.track_id,
        "label": track.label,
        "first_seen_at": track.first_seen_at.isoformat(),
        "last_seen_at": track.last_seen_at.isoformat(),
        "score": track.score,
        "who": track.who,
        "probability": track.probability,
        "evidence": track.evidence,
    }


def _event(event: SideEvent) -> dict[str, Any]:
    return {
        "type": event.type,
        "track_id": event.track_id,
        "occurred_at": event.occurred_at.isoformat(),
        "who": event.who,
        "zone": event.zone,
        "evidence": event.evidence,
    }
