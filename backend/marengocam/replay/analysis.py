"""One unit analysed: the same code as for live cameras, driven by the times of the recording and by nothing else."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid5

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.ingest.frame_analysis import FrameAnalyser, FrameResult
from marengocam.ingest.frames import Frame, luma_of, rgb_of
from marengocam.ingest.furniture import Furniture
from marengocam.media.names import track_of_picture
from marengocam.replay.eyes import Eyes, inputs_digest
from marengocam.replay.findings import Counts, Gathering, UnitFindings
from marengocam.replay.memory import Remembered, memory_digest
from marengocam.replay.pieces import Piece, pictures
from marengocam.replay.units import Unit
from marengocam.settings import Settings

NAMESPACE = UUID("6d617265-6e67-4f63-a16d-7265706c6179")
FRAME_SHARE = 0.9  # of the time between frames after which the next is due, as live
_LOG = logging.getLogger(__name__)
Before = Callable[[datetime], None]
Watch = Callable[[Frame, FrameResult], None]


@dataclass(frozen=True, slots=True)
class UnitJob:
    """All that the analysis of a unit needs, besides the models; can be sent to another machine."""

    camera: Camera
    pieces: Sequence[Piece]
    unit: Unit
    settings: Settings
    overrides: dict[str, str]
    furniture: Remembered = ()  # what the live camera had learned when the unit began


def analyse_unit(
    job: UnitJob, eyes: Eyes, before: Before = lambda _at: None, watch: Watch = lambda _frame, _result: None
) -> UnitFindings:
    """Return what a unit shows; `before` is called ahead of each frame and may wait or raise, `watch` sees each result.

    Raises ModelError. What is followed when the unit ends stays open: the next unit goes on with it.
    """
    asked = job.camera.analysis
    allowed = replace(asked, appearance=asked.appearance and job.settings.appearance)
    analyser = FrameAnalyser(
        replace(job.camera, analysis=allowed),
        eyes.detector,
        eyes.appearance,
        min_score=job.settings.detector_min_score,
        new_id=content_ids(job.camera.camera_id),
        seconds=SystemClock().monotonic_s,
        furniture=Furniture.from_json(job.furniture),
        thorough=job.settings.analysis_detail == "high",
    )
    gathering, counts = Gathering(), Counts()
    step = timedelta(seconds=1 / job.settings.analysis_fps)
    next_at: datetime | None = None
    at = job.unit.begin_at
    for picture, at in pictures(job.pieces, job.unit.begin_at, job.unit.to_at):
        mine = at >= job.unit.from_at
        counts.frames += mine
        if next_at is not None and at < next_at and next_at - at <= step:
            continue
        next_at = at + step * FRAME_SHARE
        before(at)
        frame = Frame(at, luma_of(picture), partial(rgb_of, picture))
        result = analyser.look(frame)
        if result.failure is not None:
            raise result.failure
        gathering.note(result.tracks, at)
        faces, found = _faces(analyser, eyes, result, gathering, at)
        if mine:
            counts += Counts(0, 1, int(result.looked), len(result.detections), faces, found)
        _keep_pictures(gathering, result)
        watch(frame, result)
        _debug(at, result)
    if next_at is not None:
        # Their last state; whether they go on the next unit tells.
        gathering.note((replace(track, open=True) for track in analyser.rest()), at)
    return _findings(job, eyes, gathering, counts)


def unit_inputs(job: UnitJob, eyes: Eyes) -> str:
    """Return a digest of all that decides a unit: its video, and code, models and settings."""
    video = [(piece.file.name, piece.file.stat().st_size, piece.started_at.isoformat()) for piece in job.pieces]
    base = inputs_digest(job.camera, job.settings, job.overrides, eyes)
    known = memory_digest(job.furniture)
    return hashlib.sha256(f"{base} {job.unit.from_at} {job.unit.to_at} {video} {known}".encode()).hexdigest()[:16]


def content_ids(camera_id: str) -> Callable[[datetime], UUID]:
    """Return what gives tracks their ids: from what they are, so that a run made again names them alike."""
    given: Counter[datetime] = Counter()

    def new_id(at: datetime) -> UUID:
        given[at] += 1
        return uuid5(NAMESPACE, f"{camera_id} {at.isoformat()} {given[at]}")

    return new_id


def _faces(
    analyser: FrameAnalyser, eyes: Eyes, result: FrameResult, gathering: Gathering, at: datetime
) -> tuple[int, int]:
    """Look for the faces that ingest would ask the engine for; return how many looks, and how many found one."""
    found = 0
    for wish in result.faces if eyes.faces is not None else ():
        face = eyes.face_in(wish.jpeg)
        gathering.note_face_look(wish.local_track_id)
        found += face is not None
        path = wish.path if face is not None else None
        with analyser.lock:
            track = analyser.book.note_face(wish.local_track_id, face=face, name=None, engine_ok=True, picture=path)
        if track is not None:
            gathering.note((track,), at)
            gathering.pictures[wish.path.name] = wish.jpeg
    return (len(result.faces) if eyes.faces is not None else 0), found


def _keep_pictures(gathering: Gathering, result: FrameResult) -> None:
    for saved in result.pictures:
        if saved.path.name == f"{track_of_picture(saved.path.name)}.jpg":  # the best one, no further views
            gathering.pictures[saved.path.name] = saved.jpeg


def _findings(job: UnitJob, eyes: Eyes, gathering: Gathering, counts: Counts) -> UnitFindings:
    """Leave out what ended before the unit began: it is another unit's."""
    tracks = [one for one in gathering.tracks if one.last.last_seen_at >= job.unit.from_at]
    kept = {one.track_id for one in tracks}
    return UnitFindings(
        number=job.unit.number,
        from_at=job.unit.from_at,
        to_at=job.unit.to_at,
        inputs=unit_inputs(job, eyes),
        counts=counts,
        tracks=tracks,
        pictures={name: jpeg for name, jpeg in sorted(gathering.pictures.items()) if track_of_picture(name) in kept},
    )


def _debug(at: datetime, result: FrameResult) -> None:
    if not _LOG.isEnabledFor(logging.DEBUG):
        return
    seen = [f"{one.label} {one.score:.2f}" for one in result.found]
    kept = [f"{one.label} {one.score:.2f}" for one in result.detections]
    followed = [f"{one.label}#{one.track_id}{' lost' if one.lost else ''}" for one in result.objects]
    _LOG.debug(
        "%s motion=%s looked=%s (%s) found=%s counted=%s followed=%s",
        at.isoformat(timespec="milliseconds"),
        result.motion.moving,
        result.looked,
        result.pace,
        seen,
        kept,
        followed,
    )
