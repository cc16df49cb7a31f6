"""From the first picture whose evidence suffices, as it leaves the camera, to the event that says the name."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from tests.bench.bench_latency import (
    EVENTS_AT_ONCE,
    POLL_S,
    STRIP_PX,
    Sighting,
    Wire,
    burn_in,
    delay,
    numbers_in,
    rounded,
)
from tests.bench.footage_house import portraits
from tests.bench.measuring import arguments_of, at_most, percentile, shared_folder, tell
from tests.bench.peers import end, free_port, hub_settings, start_service
from tests.bench.sufficing import Saved, first_sufficing, pictured_at

from marengocam.core.camera_options import Analysis
from marengocam.core.model import Camera, Embedding, Event, EventType
from marengocam.db.hub import Hub, open_hub
from marengocam.demo.rtsp import RtspServer
from marengocam.demo.video import VideoFile, read_frames
from marengocam.replay.eyes import load_eyes
from marengocam.settings import Settings

SERVICES = ("face", "ingest", "resolver")
WARM_UP_S = 12.0
STRIP = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.08), (0.0, 0.08))  # where frames' numbers stand: nothing to be looked at
ROWS = "SELECT local_track_id, revision FROM local_track WHERE label = 'person'"
ROUND_S = 32.0
HEAD_F, HEAD_M = "intel_head_pose_face_detection_female.mp4", "intel_head_pose_face_detection_male.mp4"
CORRIDOR = "intel_face_demographics_walking_and_pause.mp4"
FPS = 12  # the clips' own
BETWEEN = 110  # grey level of what a camera shows in a pause: nobody, whom no track could go on with


class Showing(NamedTuple):
    """A pause, and a clip played to and fro so often, so that nobody jumps."""

    pause_s: float
    clip: str
    times: int


# One woman at the door, then a man; the woman again in the corridor, in company.
CAMERAS: Mapping[str, tuple[Showing, ...]] = {
    "door": (Showing(5, HEAD_F, 4), Showing(7, HEAD_M, 1)),
    "corridor": (Showing(16, CORRIDOR, 2),),
}


@dataclass(slots=True)
class Watched:
    """What was there to be read in the hub, in order, and when."""

    saved: list[Saved] = field(default_factory=list)
    names: list[tuple[Event, datetime]] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """Seconds from the picture that suffices, and from the first sight, to each event; and what could not be told."""

    sufficing: list[float] = field(default_factory=list)
    by_face: list[float] = field(default_factory=list)
    first_sight: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


def main() -> int:
    arguments = arguments_of(__doc__, seconds=180.0).parse_args()
    folders = {name: shared_folder(name) for name in ("footage", "models", "faces")}
    missing = sorted(name for name, folder in folders.items() if folder is None)
    found = Found()
    if not missing:
        found = asyncio.run(measure({name: one for name, one in folders.items() if one}, arguments.seconds))
    figures: dict[str, Any] = {
        "names_said": len(found.said),
        "sufficing_to_event_p50_s": rounded(percentile(found.sufficing, 0.5)),
        "sufficing_to_event_p95_s": rounded(percentile(found.sufficing, 0.95)),
        "sufficing_to_event_worst_s": rounded(max(found.sufficing, default=None)),
        "measured": len(found.sufficing),
        "by_a_new_face": len(found.by_face),
        "by_a_new_face_p50_s": rounded(percentile(found.by_face, 0.5)),
        "first_sight_to_event_p50_s": rounded(percentile(found.first_sight, 0.5)),
        "said": found.said,
        "corrected": found.corrected,
        "not_measured": found.untold,
    }
    targets = [
        at_most("issue", "first picture that suffices to event, median, s", figures["sufficing_to_event_p50_s"], 1.0)
    ]
    notes = ["Suffices: the resolver, deciding on each saved state at once, says the name at that one first."]
    if missing:
        notes.append(f"Not here: {', '.join(missing)}; nothing was measured.")
    tell("announce", arguments.json, figures, targets, notes)
    return 0


async def measure(folders: Mapping[str, Path], seconds: float) -> Found:
    """Show the cameras' rounds for so long to services of their own, with everybody enrolled whose portrait is here."""
    told = {"chunk_s": 5.0, "models_dir": folders["models"], "face_url": "", "face_port": free_port()}
    with tempfile.TemporaryDirectory(prefix="mc-announce-") as name:
        folder = Path(name)
        clips = {camera: film(folders["footage"], shown, folder / f"{camera}.mp4") for camera, shown in CAMERAS.items()}
        async with hub_settings(**told) as settings, open_hub(settings, "bench", 2) as hub:
            gallery = portraits(folders["faces"], load_eyes(settings, {}))
            await enrol(hub, gallery)
            async with RtspServer(clips) as server:
                began_at = datetime.now(UTC)  # noqa: TID251 - the cameras' clock
                wires = {
                    camera: Wire(began_at, [unit.send_s for unit in mount.clip.units], mount.clip.duration_s)
                    for camera, mount in server.mounts.items()
                }
                for camera in clips:
                    one = Camera(camera, camera.capitalize(), server.url(camera))
                    await hub.cameras.add(replace(one, analysis=Analysis(masks=(STRIP,))))
                processes = [start_service(service, settings, folder / f"{service}.log") for service in SERVICES]
                try:
                    watched = await watch(hub, settings, WARM_UP_S + seconds)
                finally:
                    for process in processes:
                        await asyncio.to_thread(end, process)
            return await compared(hub, settings, watched, wires, gallery)


def film(footage: Path, shown: Sequence[Showing], file: Path) -> Path:
    """Write a camera's round, each frame's number above the picture, where it covers nobody."""
    clips = {one.clip: [picture for _, picture in read_frames(footage / one.clip)] for one in shown}
    height, width = next(iter(clips.values()))[0].shape[:2]
    nobody = np.full((height, width, 3), BETWEEN, np.uint8)
    pictures: list[np.ndarray] = []
    for one in shown:
        pictures += [nobody] * round(one.pause_s * FPS)
        for time in range(one.times):
            pictures += clips[one.clip] if time % 2 == 0 else clips[one.clip][::-1]
    pictures += [nobody] * (round(ROUND_S * FPS) - len(pictures))
    with VideoFile(file, width, height + STRIP_PX, FPS) as video:
        for number, picture in enumerate(pictures):
            framed = np.pad(picture, ((STRIP_PX, 0), (0, 0), (0, 0)))
            burn_in(number, framed)
            video.write(framed)
    return file


async def enrol(hub: Hub, gallery: Mapping[str, list[Embedding]]) -> None:
    for name, faces in gallery.items():
        at = datetime.now(UTC)  # noqa: TID251 - the services' clock, too
        person = await hub.persons.add(name, at)
        for face in faces:
            await hub.persons.add_exemplar(person.person_id, face, at)


async def watch(hub: Hub, settings: Settings, seconds: float) -> Watched:
    """Look again and again; note each state of each track, and each name, when it is first seen."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + seconds
    watched, known, number = Watched(), set[tuple[UUID, int]](), 0
    faces: dict[UUID, Embedding] = {}
    while loop.time() < give_up_s:
        async with hub.database.connection() as connection:
            rows = {(row[0], row[1]) for row in await connection.fetch(ROWS)}
        read_at = datetime.now(UTC)  # noqa: TID251 - the cameras' clock, too
        for key in sorted(rows - known, key=lambda one: (one[1], one[0])):
            watched.saved.append(await state(hub, settings, key[0], read_at, faces))
        known |= rows
        for event in await hub.events.after(number, EVENTS_AT_ONCE):
            number = event.number
            if event.type is EventType.PERSON_CONFIRMED:
                watched.names.append((event, datetime.now(UTC)))  # noqa: TID251 - likewise
            elif event.type is EventType.PERSON_CORRECTED:
                watched.corrected.append(f"{event.camera_id}: {event.person_name}")
        await asyncio.sleep(POLL_S)
    return watched


async def state(
    hub: Hub, settings: Settings, local_track_id: UUID, read_at: datetime, faces: dict[UUID, Embedding]
) -> Saved:
    """Return a track as it stands; its face's crop at once, before a better one takes its place."""
    track = (await hub.tracks.get(local_track_id)).track
    face, before = track.face, faces.get(local_track_id)
    if face is None or track.face_crop_path is None or (before is not None and before.quality == face.quality):
        return Saved(track, read_at)
    faces[local_track_id] = face
    return Saved(track, read_at, (settings.media_dir / track.face_crop_path).read_bytes())


async def compared(
    hub: Hub, settings: Settings, watched: Watched, wires: Mapping[str, Wire], gallery: Mapping[str, list[Embedding]]
) -> Found:
    """Return how long each name took from the picture that sufficed, by the numbers burnt into the recordings."""
    now = datetime.now(UTC)  # noqa: TID251 - the cameras' clock
    recorded = {camera: await hub.chunks.span(camera, wire.began_at, now) for camera, wire in wires.items()}
    numbers = {
        camera: await asyncio.to_thread(numbers_in, settings.media_dir, chunks) for camera, chunks in recorded.items()
    }
    sufficing = await first_sufficing(hub, watched.saved, gallery, settings.confirm_probability)
    first_seen = {one.track.local_track_id: one.track.first_seen_at for one in watched.saved}
    found = Found(corrected=watched.corrected)
    for event, read_at in watched.names:
        assert event.local_track_id is not None
        what = f"{event.camera_id}: {event.person_name}"
        found.said.append(what)
        one = sufficing.get(event.local_track_id)
        if one is None:
            found.untold.append(f"{what}: deciding again does not name it")
            continue
        camera = one.track.camera_id
        at = await asyncio.to_thread(pictured_at, one, settings.media_dir, recorded[camera])
        took_s = delay(Sighting(at, read_at), numbers[camera], wires[camera]) if at is not None else None
        if took_s is None:
            found.untold.append(f"{what}: its picture is not in the recording")
            continue
        found.sufficing.append(took_s)
        found.by_face += [took_s] if one.face_jpeg is not None else []
        found.first_sight.append((read_at - first_seen[event.local_track_id]).total_seconds())
    return found


if __name__ == "__main__":
    sys.exit(main())
