"""A difference in words that fit a screen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from marengocam.core.rules.place import Place
from marengocam.replay.difference import Difference, Pair
from marengocam.replay.sides import SideEvent, SideTrack

SHOWN = 4  # of each kind; the report has them all
Clock = Callable[[datetime], datetime]  # what the owner's clock shows at a moment


def summary(difference: Difference, place: Place) -> str:
    """Return what differs as at most some 30 lines, times by the owner's clock."""
    one, other, clock = difference.before, difference.after, place.local
    tracks = {
        "in both": len(difference.pairs),
        "found": len(difference.found),
        "lost": len(difference.lost),
        "with moved boxes": len(difference.moved),
        "somebody else": len(difference.renamed),
    }
    events = {
        "alike": difference.events_alike,
        "added": len(difference.added),
        "missing": len(difference.missing),
        "changed": len(difference.changed),
    }
    stretch = f"{clock(other.from_at):%Y-%m-%d %H:%M:%S} to {clock(other.to_at):%H:%M:%S (%Z)}"
    lines = [
        f"{other.camera_id}, {stretch}: {other.name} against {one.name}",
        f"tracks   {_counts(tracks)}",
        f"events   {_counts(events)}",
    ]
    lines += _part("found", [_track(track, clock) for track in difference.found])
    lines += _part("lost", [_track(track, clock) for track in difference.lost])
    lines += _part("moved", [f"{_track(pair.after, clock)}: overlap {pair.mean_iou:.2f}" for pair in difference.moved])
    lines += _part("somebody else", [_renamed(pair, clock) for pair in difference.renamed])
    lines += _part("events added", [_event(event, clock) for event in difference.added])
    lines += _part("events missing", [_event(event, clock) for event in difference.missing])
    lines += _part("events changed", [f"{_event(pair.before, clock)}: {pair.how}" for pair in difference.changed])
    if not difference.differs:
        lines.append("Nothing differs.")
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _part(name: str, told: Sequence[str]) -> Iterable[str]:
    if not told:
        return []
    more = [f"    and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return [name, *(f"    {line}" for line in told[:SHOWN]), *more]


def _track(track: SideTrack, clock: Clock) -> str:
    length_s = (track.last_seen_at - track.first_seen_at).total_seconds()
    who = f", {track.who} ({track.probability:.2f})" if track.who and track.probability is not None else ""
    return f"{clock(track.first_seen_at):%H:%M:%S} {track.label} {track.score:.2f}, {length_s:.1f} s{who}"


def _renamed(pair: Pair, clock: Clock) -> str:
    was, now = pair.before.who or "unknown", pair.after.who or "unknown"
    return f"{clock(pair.after.first_seen_at):%H:%M:%S} {was} is now {now}"


def _event(event: SideEvent, clock: Clock) -> str:
    what = " ".join(part for part in (event.type, event.who, event.zone) if part)
    return f"{clock(event.occurred_at):%H:%M:%S} {what}"
