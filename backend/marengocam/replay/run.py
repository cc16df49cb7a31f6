"""A replay: recorded video through today's analysis code, apart from everything live (I5)."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid5

from marengocam.core.clock import SystemClock
from marengocam.core.errors import HubUnavailableError, NotFoundError
from marengocam.core.ids import camera_id_from_name, new_id
from marengocam.core.model import Camera, EventType, LocalTrack, NewEvent
from marengocam.db.hub import Hub, open_hub
from marengocam.db.tracks import TrackFilter
from marengocam.ingest.decode_queue import QueuedPacket
from marengocam.ingest.decoding import SessionDecoder
from marengocam.ingest.frame_analysis import FrameAnalyser, FrameResult
from marengocam.ingest.frames import Frame, luma_of, rgb_of
from marengocam.media.stream import StreamOptions, StreamReader
from marengocam.replay.difference import Difference, compare
from marengocam.replay.pieces import Piece, Stretch, find_pieces
from marengocam.settings import Settings
from marengocam.vision.appearance import load_appearance_encoder
from marengocam.vision.detectors import load_detector
from marengocam.vision.models import Models

NAMESPACE = UUID("6d617265-6e67-4f63-a16d-7265706c6179")
LIVE_TRACKS_LIMIT = 1000
SAVE_BATCH = 50
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to replay: a file:// address of a file or folder, optionally only a stretch of time."""

    source: str
    camera_id: str = ""
    run_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    debug: bool = False

    @property
    def place(self) -> Path:
        return Path(unquote(urlsplit(self.source).path))

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.from_at, self.to_at)


@dataclass(slots=True)
class ReplayReport:
    """What a replay saw."""

    camera_id: str
    files: int = 0
    video_s: float = 0.0
    frames: int = 0
    frames_looked_at: int = 0
    detections: int = 0
    tracks: list[dict[str, Any]] = field(default_factory=list)
    difference: Difference | None = None
    detector: str = ""

    def to_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


async def replay_source(settings: Settings, request: ReplayRequest) -> ReplayReport:
    """Replay, save the run's tracks and report when it has a run, and return the report.

    Raises BadInputError, NotFoundError, StreamError. The hub may be away when there is no run.
    """
    async with open_hub(settings, "replay", pool_size=1) as hub:
        camera = await _camera(hub, request)
        pieces = await asyncio.to_thread(find_pieces, request.place, settings.media_dir, request.stretch)
        report, tracks = await asyncio.to_thread(_analyse, settings, camera, pieces, request)
        if request.run_id is not None:
            await _save(hub, tracks)
            report.difference = await _difference(hub, camera.camera_id, pieces, request.stretch, tracks)
            await _conclude(hub, request.run_id, report)
        return report


def _analyse(
    settings: Settings, camera: Camera, pieces: list[Piece], request: ReplayRequest
) -> tuple[ReplayReport, list[LocalTrack]]:
    models = Models(settings)
    detector = load_detector(settings, models)
    counter = iter(range(1, 1 << 30))
    analyser = FrameAnalyser(
        camera,
        detector,
        load_appearance_encoder(settings, models),
        min_score=settings.detector_min_score,
        # The same run gives the same ids: a report can be compared byte by byte.
        new_id=lambda at: uuid5(request.run_id or NAMESPACE, f"{camera.camera_id} {at.isoformat()} {next(counter)}"),
        seconds=SystemClock().monotonic_s,
        run_id=request.run_id,
    )
    report = ReplayReport(camera.camera_id, files=len(pieces), detector=detector.name)
    tracks: dict[UUID, LocalTrack] = {}
    step = timedelta(seconds=1 / settings.analysis_fps)
    next_at: datetime | None = None
    for frame, at in _frames(pieces, request):
        report.frames += 1
        if next_at is not None and at < next_at:
            continue
        next_at = at + step * 0.9
        result = analyser.look(Frame(at, luma_of(frame), partial(rgb_of, frame)))
        report.frames_looked_at += result.looked
        report.detections += len(result.detections)
        tracks |= {track.local_track_id: track for track in result.tracks}
        _debug(at, result)
    tracks |= {track.local_track_id: track for track in analyser.rest()}
    # Pictures are not kept for a replay.
    found = [replace(track, crop_path=None, face_crop_path=None) for track in tracks.values()]
    report.tracks = [_summary(track) for track in found]
    report.video_s = round(sum(piece.covered_s(request.stretch) for piece in pieces), 3)
    return report, found


def _frames(pieces: list[Piece], request: ReplayRequest) -> Iterator[tuple[Any, datetime]]:
    for session, piece in enumerate(pieces):
        for frame, at in _decoded(piece, session):
            if request.stretch.contains(at):
                yield frame, at


def _decoded(piece: Piece, session: int) -> Iterator[tuple[Any, datetime]]:
    decoder = SessionDecoder()
    with StreamReader(f"file://{piece.file}", StreamOptions(), SystemClock(), piece.started_at) as reader:
        for packet in reader:
            yield from decoder.frames(QueuedPacket(packet, session, reader.info, reader.video))
        yield from decoder.rest()


async def _camera(hub: Hub, request: ReplayRequest) -> Camera:
    """Return the camera whose zones count; a file without a known camera gets one of its own name."""
    name = request.camera_id or request.place.stem
    try:
        return await hub.cameras.get(name)
    except (NotFoundError, HubUnavailableError):
        return Camera(camera_id_from_name(name), name, request.source)


async def _save(hub: Hub, tracks: list[LocalTrack]) -> None:
    for start in range(0, len(tracks), SAVE_BATCH):
        await hub.tracks.save(tracks[start : start + SAVE_BATCH], {})


async def _difference(
    hub: Hub, camera_id: str, pieces: list[Piece], stretch: Stretch, tracks: list[LocalTrack]
) -> Difference | None:
    """Compare with what was found live; None for files that do not tell when they were filmed."""
    if not all(piece.dated for piece in pieces):
        return None
    begin = max(pieces[0].started_at, stretch.from_at or pieces[0].started_at)
    end = min(pieces[-1].ended_at, stretch.to_at or pieces[-1].ended_at)
    found = await hub.tracks.list(TrackFilter(camera_id=camera_id, from_at=begin, to_at=end), LIVE_TRACKS_LIMIT)
    live = [(await hub.tracks.get(row.track.local_track_id)).track for row in found]  # with their paths
    return compare(live, tracks)


async def _conclude(hub: Hub, run_id: UUID, report: ReplayReport) -> None:
    now = SystemClock().now()
    await hub.replays.finish(run_id, asdict(report), now)
    data = {"run_id": str(run_id), "state": "finished", "tracks": len(report.tracks)}
    event = NewEvent(new_id(now), EventType.REPLAY_FINISHED, now, camera_id=report.camera_id, data=data)
    await hub.events.append([event])


def _summary(track: LocalTrack) -> dict[str, Any]:
    return {
        "label": track.label,
        "first_seen_at": track.first_seen_at.isoformat(),
        "last_seen_at": track.last_seen_at.isoformat(),
        "score": round(track.score, 3),
        "observations": track.observations,
        "zones": list(track.zones),
    }


def _debug(at: datetime, result: FrameResult) -> None:
    if not _LOG.isEnabledFor(logging.DEBUG):
        return
    seen = [f"{one.label} {one.score:.2f}" for one in result.detections]
    followed = [f"{one.label}#{one.track_id}{' lost' if one.lost else ''}" for one in result.objects]
    _LOG.debug(
        "%s motion=%s looked=%s detections=%s followed=%s",
        at.isoformat(timespec="milliseconds"),
        result.motion.moving,
        result.looked,
        seen,
        followed,
    )
