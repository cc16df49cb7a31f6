"""Why a moment was seen as it was: each stage's decision in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marengocam.core.camera_options import Analysis
from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.ingest.track_book import FACE_LOOKS, MIN_FACE_HEIGHT_SHARE
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import CONFIRM_OBSERVATIONS, NEW_ABOVE, TrackedObject

PERSON = "person"
SAME_IOU = 0.9


@dataclass(frozen=True, slots=True)
class Judged:
    """A detection, and why it does not count; empty: it does."""

    detection: Detection
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class FrameDecisions:
    """What was decided about one frame."""

    at: datetime
    motion: Motion
    looked: bool
    pace: str
    judged: tuple[Judged, ...] = ()  # all that the detector sees down to the lowest score, when it is asked
    objects: tuple[TrackedObject, ...] = ()
    region: Box | None = None


@dataclass(frozen=True, slots=True)
class TrackThen:
    """A track around the moment."""

    track_id: str
    label: str
    first_seen_at: datetime  # by the owner's clock
    last_seen_at: datetime
    face_looks: int
    face_quality: float | None
    who: str | None
    probability: float | None
    height: float  # of its box at the moment, as a share of the picture


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer, stage by stage, with the frame drawn."""

    answer: str
    stages: tuple[tuple[str, str], ...]
    told: dict[str, Any]
    picture: bytes | None = None


def judged(
    found: Sequence[Detection], counted: Sequence[Detection], options: Analysis, min_score: float, *, looked: bool
) -> tuple[Judged, ...]:
    """Return for each detection why it does not count, from the rules that analysis goes by."""
    return tuple(
        Judged(
            one, _doubt(one, options, min_score) if _same(one, counted) else _why_not(one, options, min_score, looked)
        )
        for one in found
    )


def _same(one: Detection, others: Sequence[Detection]) -> bool:
    return any(one.label == other.label and one.box.iou(other.box) >= SAME_IOU for other in others)


def _doubt(one: Detection, options: Analysis, min_score: float) -> str:
    """Return why a detection that was taken in begins no track; empty: it does."""
    rule = options.rule(one.label)
    least = min_score if rule is None or rule.min_score is None else rule.min_score
    if one.score < least:
        return f"its score {one.score:.2f} is under {least:.2f}: it may keep a track alive but begins none"
    if one.score < least + NEW_ABOVE:
        return f"its score {one.score:.2f} is under {least + NEW_ABOVE:.2f}, from where a track begins"
    return ""


def _why_not(one: Detection, options: Analysis, min_score: float, looked: bool) -> str:
    rule = options.rule(one.label)
    if rule is None:
        return f"{one.label} is not looked for on this camera"
    least = min_score if rule.min_score is None else rule.min_score
    reasons = (
        (one.score < least, f"its score {one.score:.2f} is under {least:.2f}"),
        (one.box.height < rule.min_height, f"its height {one.box.height:.2f} is under {rule.min_height:.2f}"),
        (one.box.area < rule.min_area, f"its area {one.box.area:.3f} is under {rule.min_area:.3f}"),
        (options.masked(one.box), "it stands in a masked area"),
        (not looked, "the detector did not look at this frame"),
    )
    return next((why for holds, why in reasons if holds), "it is learned furniture, or was seen more surely beside")


def stages(
    frame: FrameDecisions, around: Sequence[FrameDecisions], tracks: Sequence[TrackThen]
) -> list[tuple[str, str]]:
    """Return what each stage decided at the moment."""
    seen = [one.detection for one in frame.judged if not one.why_not]
    dropped = [(one.detection, one.why_not) for one in frame.judged if one.why_not]
    people = [one for one in tracks if one.label == PERSON]
    moved = f"something moved in {len(frame.motion.boxes)} places" if frame.motion.moving else "nothing moved"
    moving = sum(one.motion.moving for one in around)
    return [
        ("motion", f"{moved}; so it did in {moving} of the {len(around)} frames around"),
        ("detector", ("it looked: " if frame.looked else "it did not look: ") + frame.pace),
        ("region", "a part was looked at closely" if frame.region else "no closer look was worth it"),
        ("counted", _listed([_thing(one) for one in seen])),
        ("not counted", _listed([f"{_thing(one)}: {why_not}" for one, why_not in dropped])),
        ("followed", _listed([_object(one) for one in frame.objects])),
        ("tracks", _listed([_track(one) for one in tracks])),
        ("face", _listed([_face(one) for one in people]) if people else "nobody to look for a face on"),
        ("identity", _listed([_who(one) for one in people]) if people else "nobody to decide on"),
    ]


def answer(frame: FrameDecisions, around: Sequence[FrameDecisions], tracks: Sequence[TrackThen]) -> str:
    """Return the one sentence an owner asks for: what became of whoever was there."""
    people = [one for one in tracks if one.label == PERSON]
    named = next((one for one in people if one.who), None)
    if named is not None:
        return f"{named.who} was recognised (probability {named.probability or 0:.2f})."
    if people:
        return f"A person was followed but not recognised: {_face(people[0])}."
    if tracks:
        return f"Something was followed as {tracks[0].label}, no person."
    return _unfollowed(frame, around)


def _unfollowed(frame: FrameDecisions, around: Sequence[FrameDecisions]) -> str:
    everybody = [one for each in around for one in each.judged if one.detection.label == PERSON]
    counted = sum(not one.why_not for one in everybody)
    if counted:
        return (
            f"A person was seen in {counted} looks, too seldom or too far apart to be followed: a track begins with "
            f"{CONFIRM_OBSERVATIONS} sights."
        )
    if everybody:
        best = max(everybody, key=lambda one: one.detection.score)
        return f"Something like a person was there ({best.detection.score:.2f}) but did not count: {best.why_not}."
    if any(one.motion.moving for one in around):
        return "Something moved, but the detector sees nobody there, not even doubtfully: too far, too dark or hidden."
    if any(one.looked for one in around):
        return "Nothing moved, and the detector sees nobody."
    return f"The detector did not look ({frame.pace}), and sees nobody when it is made to."


def _thing(one: Detection) -> str:
    return f"{one.label} {one.score:.2f}"


def _track(one: TrackThen) -> str:
    return f"{one.label}, from {one.first_seen_at:%H:%M:%S} to {one.last_seen_at:%H:%M:%S}"


def _object(one: TrackedObject) -> str:
    state = "lost from sight" if one.lost else "seen"
    if not one.confirmed:
        state += f", {one.observations} of {CONFIRM_OBSERVATIONS} sights so far"
    return f"{one.label} #{one.track_id} ({state})"


def _face(one: TrackThen) -> str:
    if one.face_quality is not None:
        return f"a face was found (quality {one.face_quality:.2f}) in {one.face_looks} looks"
    if one.face_looks:
        return f"no face was found in {one.face_looks} looks (at most {FACE_LOOKS} unless the sight gets better)"
    if one.height < MIN_FACE_HEIGHT_SHARE:
        return f"too far for a face: {one.height:.2f} of the picture's height, {MIN_FACE_HEIGHT_SHARE:.2f} is needed"
    return "no face was looked for: faces are off, or no face model is here"


def _who(one: TrackThen) -> str:
    if one.who:
        return f"{one.who}, probability {one.probability or 0:.3f}"
    return "unknown: no candidate was sure enough" if one.probability is not None else "not decided on"


def _listed(parts: Sequence[str]) -> str:
    return "; ".join(parts) if parts else "none"
