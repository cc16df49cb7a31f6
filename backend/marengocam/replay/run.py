"""A replay: recorded video through today's analysis and identity code, apart from everything live (I5)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid5

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import HubUnavailableError, NotFoundError
from marengocam.core.ids import camera_id_from_name
from marengocam.core.model import Camera, LocalTrack
from marengocam.db.hub import Hub, open_hub
from marengocam.db.replays import ReplayRun
from marengocam.ingest.furniture import learned_by
from marengocam.media.names import RECORDINGS
from marengocam.media.store import Store
from marengocam.replay.analysis import UnitJob, analyse_unit, unit_inputs
from marengocam.replay.control import Control
from marengocam.replay.difference import compare, counted
from marengocam.replay.eyes import Eyes, EyesLoader, code_digest, inputs_digest, load_eyes
from marengocam.replay.findings import UnitFindings
from marengocam.replay.folder import RunFolder, canonical
from marengocam.replay.identity import Asked, Who, identify
from marengocam.replay.lead_in import LEAD_IN
from marengocam.replay.memory import MEMORY, Remembered, memory_digest, remembered
from marengocam.replay.overrides import changed, changed_camera
from marengocam.replay.pieces import Piece, Stretch, find_pieces
from marengocam.replay.places import run_place
from marengocam.replay.report import Seen, report_of, without_paths
from marengocam.replay.sides import of_live, of_report
from marengocam.replay.steering import Progress, steered
from marengocam.replay.stitching import stitch
from marengocam.replay.units import UNIT_S, Unit, plan
from marengocam.settings import Settings

SAVE_BATCH = 50
_LOG = logging.getLogger(__name__)
Units = Callable[[Sequence[UnitJob], Eyes, Control, Callable[[UnitFindings], None]], None]


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to replay: a file:// address of a file or folder, or a camera's own recordings; all, or a stretch."""

    source: str = ""
    camera_id: str = ""
    run_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    gallery_at: datetime | None = None
    pace: str = "fast"
    unit_s: float = UNIT_S
    footage_root: Path | None = None  # under which dated recordings lie; None: the media folder
    memory: Path | None = None  # the file in which the furniture of a test is kept
    watch_at: datetime | None = None  # who it could have been is told of what was followed at this moment

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.from_at, self.to_at)

    def place(self, settings: Settings) -> Path:
        """Return the file or folder that is read."""
        if not self.source:
            return settings.media_dir / RECORDINGS / self.camera_id
        return Path(unquote(urlsplit(self.source).path))

    @classmethod
    def of(cls, run: ReplayRun) -> "ReplayRequest":
        """Return what a run in the hub asks for."""
        return cls(
            source=run.source,
            camera_id=run.camera_id,
            run_id=run.run_id,
            from_at=run.from_at,
            to_at=run.to_at,
            overrides=run.overrides,
            gallery_at=run.gallery_at or run.requested_at,
            pace=run.pace,
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay brought: the report, its pictures by name, and all that identity considered."""

    report: dict[str, Any]
    pictures: dict[str, bytes]
    who: Who
    units: Sequence[UnitFindings]

    def to_json(self) -> str:
        """Return the report as one line of JSON; equal for equal inputs."""
        return canonical(self.report).decode()


@dataclass(frozen=True, slots=True)
class Plan:
    """A run ready to be carried out."""

    camera: Camera
    settings: Settings
    pieces: Sequence[Piece]
    units: Sequence[Unit]
    video_s: float
    furniture: Remembered = ()

    def jobs(self, overrides: dict[str, str]) -> list[UnitJob]:
        return [self.job(unit, self._pieces_of(unit), overrides) for unit in self.units]

    def job(self, unit: Unit, pieces: Sequence[Piece], overrides: dict[str, str]) -> UnitJob:
        """Return the analysis of a stretch, with what was furniture when it began."""
        known = learned_by(self.furniture, unit.begin_at)
        return UnitJob(self.camera, pieces, unit, self.settings, overrides, known)

    def _pieces_of(self, unit: Unit) -> list[Piece]:
        return [one for one in self.pieces if one.covered_s(Stretch(unit.begin_at, unit.to_at)) > 0]


def one_after_another(
    jobs: Sequence[UnitJob], eyes: Eyes, control: Control, done: Callable[[UnitFindings], None]
) -> None:
    """Analyse units in this process, in order."""
    for job in jobs:
        done(analyse_unit(job, eyes, control.before))


async def replay_source(
    settings: Settings,
    request: ReplayRequest,
    *,
    eyes_of: EyesLoader = load_eyes,
    units_by: Units = one_after_another,
    clock: Clock | None = None,
    control: Control | None = None,
) -> Replayed:
    """Replay; when the request has a run, keep its tracks, pictures and report, and steer it as its owner wants.

    A `control` that is given is steered by who gave it. The hub may be away when there is no run.
    Raises BadInputError, NotFoundError, ModelError, CancelledRunError.
    """
    clock = clock or SystemClock()
    async with open_hub(settings, "replay", pool_size=2) as hub:
        planned = await planned_run(hub, settings, request)
        run = await hub.replays.get(request.run_id) if request.run_id is not None else None
        eyes = await asyncio.to_thread(eyes_of, planned.settings, request.overrides)
        own = control or Control(clock, request.pace)
        folder = RunFolder(settings.media_dir, request.run_id) if request.run_id is not None else None
        if folder is not None:
            folder.prepare()
        progress = Progress(planned.units, own, clock)
        async with steered(hub, run, own, progress, clock) if control is None else nullcontext():
            units = await asyncio.to_thread(_units, planned, request, eyes, own, folder, progress.unit_done, units_by)
            progress.identifying()
            replayed = await _concluded(hub, planned, request, eyes, units, clock)
        if run is not None and folder is not None:
            await _keep(hub, run.run_id, folder, planned, replayed)
        return replayed


async def planned_run(hub: Hub, settings: Settings, request: ReplayRequest) -> Plan:
    """Return what a run reads and how it is cut; raises BadInputError, NotFoundError."""
    changed_ones = changed(settings, request.overrides)
    camera = changed_camera(await _camera(hub, settings, request), request.overrides)
    stretch = request.stretch
    place = request.place(settings)
    pieces = await asyncio.to_thread(
        find_pieces, place, request.footage_root or settings.media_dir, stretch.earlier(LEAD_IN)
    )
    units = plan(pieces, stretch, request.unit_s)
    if not units:
        raise NotFoundError(f"There is no video of that time under {place}.")
    video_s = sum(piece.covered_s(stretch) for piece in pieces)
    return Plan(camera, changed_ones, pieces, units, video_s, await _furniture(hub, settings, request, camera, pieces))


async def _furniture(
    hub: Hub, settings: Settings, request: ReplayRequest, camera: Camera, pieces: Sequence[Piece]
) -> Remembered:
    """Return what stood in a camera's picture; files without a date are of no time that it could have learned in."""
    if not camera.analysis.learn_furniture or not all(piece.dated for piece in pieces):
        return ()
    of_run = run_place(settings.media_dir, request.run_id) / MEMORY if request.run_id is not None else None
    return await remembered(hub, camera.camera_id, request.memory or of_run)


def _units(
    planned: Plan,
    request: ReplayRequest,
    eyes: Eyes,
    control: Control,
    folder: RunFolder | None,
    unit_done: Callable[[UnitFindings], None],
    units_by: Units,
) -> list[UnitFindings]:
    """Analyse all units but those that an earlier attempt finished."""
    finished: dict[int, UnitFindings] = {}

    def done(findings: UnitFindings, *, keep: bool = True) -> None:
        finished[findings.number] = findings
        if keep and folder is not None:
            folder.keep_unit(findings)
        unit_done(findings)

    jobs = []
    for job in planned.jobs(request.overrides):
        before = folder.unit(job.unit.number, unit_inputs(job, eyes)) if folder is not None else None
        if before is not None:
            done(before, keep=False)
        else:
            jobs.append(job)
    units_by(jobs, eyes, control, done)
    return [finished[number] for number in sorted(finished)]


async def _concluded(
    hub: Hub, planned: Plan, request: ReplayRequest, eyes: Eyes, units: Sequence[UnitFindings], clock: Clock
) -> Replayed:
    tracks, counts, pictures = stitch(units)
    from_at, to_at = planned.units[0].from_at, planned.units[-1].to_at
    wished = await wished_probability(hub, planned.settings, request.overrides)
    gallery_at = request.gallery_at or clock.now()
    asked = Asked(planned.camera.camera_id, from_at, to_at, gallery_at, wished, request.watch_at)
    who = await identify(hub, asked, tracks, clock)
    inputs = {
        "code": code_digest(),
        "models": eyes.names,
        "overrides": request.overrides,
        "confirm_probability": wished,
        "furniture": memory_digest(learned_by(planned.furniture, to_at)),
        "digest": inputs_digest(planned.camera, planned.settings, request.overrides, eyes),
    }
    seen = Seen(
        camera_id=planned.camera.camera_id,
        from_at=from_at,
        to_at=to_at,
        files=len({piece.file for piece in planned.pieces if piece.covered_s(Stretch(from_at, to_at)) > 0}),
        video_s=planned.video_s,
        units=len(planned.units),
        inputs=inputs,
        counts=counts,
        tracks=tracks,
        pictures=frozenset(pictures),
        who=who,
    )
    return Replayed(report_of(seen), pictures, who, units)


async def wished_probability(hub: Hub, settings: Settings, overrides: dict[str, str]) -> float:
    """Return the probability from which a name is said in a run: its own, else the owner's wish, else the setting."""
    if "confirm_probability" in overrides:
        return settings.confirm_probability
    try:
        wished = (await hub.preferences.get()).confirm_probability
    except HubUnavailableError:
        return settings.confirm_probability
    return settings.confirm_probability if wished is None else wished


async def _camera(hub: Hub, settings: Settings, request: ReplayRequest) -> Camera:
    """Return the camera whose zones count; a file without a known camera gets one of its own name."""
    name = request.camera_id or request.place(settings).stem
    try:
        return await hub.cameras.get(name)
    except (NotFoundError, HubUnavailableError):
        return Camera(camera_id_from_name(name), name, request.source or "file:///")


async def _keep(hub: Hub, run_id: UUID, folder: RunFolder, planned: Plan, replayed: Replayed) -> None:
    """Keep what a run found, apart from everything live, and tell that it has ended."""
    await asyncio.to_thread(folder.conclude, replayed.report, replayed.pictures)
    tracks = [
        _of_run(found.local_track(planned.camera.camera_id, found.last), run_id) for found in stitch(replayed.units)[0]
    ]
    for start in range(0, len(tracks), SAVE_BATCH):
        await hub.tracks.save(tracks[start : start + SAVE_BATCH], {})
    now = SystemClock().now()
    kept = without_paths(replayed.report)
    if all(piece.dated for piece in planned.pieces):
        after = of_report("the replay", replayed.report, replayed.pictures.get)
        before = await of_live(hub, Store(planned.settings.media_dir), after.camera_id, after.from_at, after.to_at)
        kept["difference"] = await asyncio.to_thread(lambda: counted(compare(before, after)))
    await hub.replays.finish(run_id, kept, now, {"tracks": len(tracks)})


def _of_run(track: LocalTrack, run_id: UUID) -> LocalTrack:
    """Return the row of a run's track: its id is the run's own, its pictures stay in the run's folder."""
    row_id = uuid5(run_id, str(track.local_track_id))
    return replace(track, local_track_id=row_id, run_id=run_id, crop_path=None, face_crop_path=None)
