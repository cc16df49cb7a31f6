"""`replay why`: a moment analysed once more, every stage's decision kept, the frame drawn."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import NotFoundError
from marengocam.core.geometry import Box
from marengocam.core.rules.place import Place
from marengocam.db.hub import Hub
from marengocam.ingest.frame_analysis import FrameResult
from marengocam.ingest.frames import Frame
from marengocam.media.store import Store
from marengocam.replay.analysis import analyse_unit
from marengocam.replay.explanation import (
    Explanation,
    FrameDecisions,
    Judged,
    TrackThen,
    answer,
    judged,
    stages,
)
from marengocam.replay.eyes import Eyes, EyesLoader, load_eyes
from marengocam.replay.findings import FoundTrack, UnitFindings
from marengocam.replay.identity import Asked, Who, identify
from marengocam.replay.lead_in import LEAD_IN
from marengocam.replay.run import Plan, ReplayRequest, planned_run, wished_probability
from marengocam.replay.sides import of_live
from marengocam.replay.stitching import stitch
from marengocam.replay.units import Unit
from marengocam.runtime.rule_facts import place_of
from marengocam.settings import Settings
from marengocam.vision.crops import to_jpeg

BEFORE = LEAD_IN  # somebody may have been followed for a while; analysis begins another lead-in earlier
AFTER = timedelta(seconds=4)  # a track begins with its third sight
AROUND = timedelta(seconds=2)
LOWEST_SCORE = 0.05
ANY_TRACK = timedelta(seconds=1)  # a track that ends or begins so near was there
WIDTH_PX = 1280
_WHITE, _GREEN, _ORANGE, _BLUE = (255, 255, 255), (60, 200, 60), (255, 150, 30), (70, 140, 255)


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen while a moment was analysed once more."""

    frames: tuple[FrameDecisions, ...]
    picture: npt.NDArray[np.uint8]
    findings: UnitFindings


async def why(
    hub: Hub,
    settings: Settings,
    camera_id: str,
    at: datetime,
    *,
    overrides: dict[str, str] | None = None,
    source: str = "",
    eyes_of: EyesLoader = load_eyes,
    clock: Clock | None = None,
) -> Explanation:
    """Explain a moment of a camera's recording; raises NotFoundError when it was not recorded, ModelError."""
    clock, place = clock or SystemClock(), place_of(settings)
    request = ReplayRequest(
        source=source, camera_id=camera_id, from_at=at - BEFORE, to_at=at + AFTER, overrides=overrides or {}
    )
    try:
        planned = await planned_run(hub, settings, request)
    except NotFoundError:
        raise NotFoundError(
            f"{camera_id} was not recorded around {place.local(at):%Y-%m-%d %H:%M:%S %Z}, so nothing can be seen "
            "again: it was offline, not to be recorded then, or retention has deleted it. `marengocam gaps` tells when."
        ) from None
    eyes = await asyncio.to_thread(eyes_of, planned.settings, request.overrides)
    moment = await asyncio.to_thread(_looked_at, planned, request, eyes, at)
    wished = await wished_probability(hub, planned.settings, request.overrides)
    tracks, _, _ = stitch([moment.findings])
    asked = Asked(camera_id, at - BEFORE, at + AFTER, clock.now(), wished, watch_at=at)
    who = await identify(hub, asked, tracks, clock)
    live = await of_live(hub, Store(settings.media_dir), camera_id, at - ANY_TRACK, at + ANY_TRACK)
    then = [_then(track, who, at, place) for track in tracks if _was_there(track, at)]
    return _explained(planned, moment, then, who, at, [f"{one.label} {one.who or 'unknown'}" for one in live.tracks])


def _looked_at(planned: Plan, request: ReplayRequest, eyes: Eyes, at: datetime) -> Moment:
    """Analyse the stretch as one unit; around the moment the detector tells even what it doubts."""
    frames: list[FrameDecisions] = []
    nearest: list[tuple[timedelta, npt.NDArray[np.uint8]]] = []
    options, min_score = planned.camera.analysis, planned.settings.detector_min_score

    def watch(frame: Frame, result: FrameResult) -> None:
        if abs(frame.at - at) > AROUND:
            return
        found = eyes.detector.detect([frame.rgb], LOWEST_SCORE)[0]
        told = judged(found, result.detections, options, min_score, looked=result.looked)
        frames.append(
            FrameDecisions(frame.at, result.motion, result.looked, result.pace, told, result.objects, result.region)
        )
        if not nearest or abs(frame.at - at) < nearest[0][0]:
            nearest[:] = [(abs(frame.at - at), frame.rgb.copy())]

    unit = Unit(0, planned.units[0].from_at, planned.units[-1].to_at)
    job = planned.job(unit, planned.pieces, request.overrides)
    findings = analyse_unit(job, eyes, watch=watch)
    if not nearest:
        raise NotFoundError("That moment lies in a gap of the recording: no picture of it is there.")
    return Moment(tuple(frames), nearest[0][1], findings)


def _explained(
    planned: Plan, moment: Moment, then: list[TrackThen], who: Who, at: datetime, live: list[str]
) -> Explanation:
    frame = min(moment.frames, key=lambda one: abs(one.at - at))
    told_stages = stages(frame, moment.frames, then)
    told_stages.append(("live", "; ".join(live) if live else "nothing was followed live then"))
    if who.problem:
        told_stages.append(("identity", who.problem))
    there = {one.track_id for one in then}
    newest = {str(one.track_id): one for one in who.considered if str(one.track_id) in there and one.at <= at + AFTER}
    sentence = answer(frame, moment.frames, then)
    told = {
        "camera_id": planned.camera.camera_id,
        "at": at.isoformat(),
        "frame_at": frame.at.isoformat(),
        "answer": sentence,
        "stages": [{"stage": stage, "decision": text} for stage, text in told_stages],
        "detections": [_detection(one) for one in frame.judged],
        "tracks": [
            {"track_id": one.track_id, "label": one.label, "who": one.who, "probability": one.probability}
            for one in then
        ],
        "candidates": [
            {"track_id": key, "at": one.at.isoformat(), "candidates": list(one.candidates)}
            for key, one in newest.items()
        ],
        "live": live,
    }
    return Explanation(sentence, tuple(told_stages), told, to_jpeg(drawn(moment.picture, frame)))


def _was_there(track: FoundTrack, at: datetime) -> bool:
    return track.first_seen_at - ANY_TRACK <= at <= track.last.last_seen_at + ANY_TRACK


def _then(track: FoundTrack, who: Who, at: datetime, place: Place) -> TrackThen:
    decided = who.decided.get(track.track_id)
    near = min(track.path, key=lambda point: abs(point.at - at))
    face = track.last.face
    return TrackThen(
        track_id=str(track.track_id),
        label=track.label,
        first_seen_at=place.local(track.first_seen_at),
        last_seen_at=place.local(track.last.last_seen_at),
        face_looks=track.face_looks,
        face_quality=None if face is None else track.looks[face].quality,
        who=decided.person_name if decided else None,
        probability=round(decided.probability, 4) if decided else None,
        height=round(near.box[3] - near.box[1], 3),
    )


def _detection(one: Judged) -> dict[str, Any]:
    box = one.detection.box
    return {
        "label": one.detection.label,
        "score": round(one.detection.score, 3),
        "box": [round(side, 4) for side in (box.x1, box.y1, box.x2, box.y2)],
        "why_not": one.why_not,
    }


def drawn(picture: npt.NDArray[np.uint8], frame: FrameDecisions) -> npt.NDArray[np.uint8]:
    """Return the frame (RGB) with what each stage made of it."""
    scale = WIDTH_PX / picture.shape[1]
    size = (WIDTH_PX, round(picture.shape[0] * scale))
    canvas = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    for box in frame.motion.boxes:
        _rectangle(canvas, box, _WHITE, 1, "")
    if frame.region is not None:
        _rectangle(canvas, frame.region, _WHITE, 3, "closer look")
    for item in frame.objects:
        _rectangle(canvas, item.box, _BLUE, 4, "")
    for one in frame.judged:
        text = f"{one.detection.label} {one.detection.score:.2f}" + (f": {one.why_not}" if one.why_not else "")
        _rectangle(canvas, one.detection.box, _ORANGE if one.why_not else _GREEN, 2, text)
    return canvas


def _rectangle(canvas: npt.NDArray[np.uint8], box: Box, colour: tuple[int, int, int], width: int, text: str) -> None:
    x1, y1, x2, y2 = box.pixels(canvas.shape[1], canvas.shape[0])
    cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, width)
    if text:
        place = (max(2, x1), max(16, y1 - 6))
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
