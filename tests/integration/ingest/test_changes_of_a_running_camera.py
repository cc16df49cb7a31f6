"""What an owner changes of a camera while it is recorded and followed: taken over without missing a picture."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import av
import pytest
from tests.support.clips import read_number, write_counter_clip
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import WALK_S, render_walks, square_eyes

from marengocam.core.camera_options import Analysis, LabelRule, Recording, RecordingMode
from marengocam.core.model import Camera, Zone
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.mount import Mount, Viewer
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.known_cameras import KnownCameras
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.store import Store
from marengocam.settings import Settings

FRAMES = 600  # of the clip, which is played again and again
EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
Change = Callable[[Camera], Camera]
CHANGES: list[Change] = [
    lambda camera: replace(camera, name="Front door"),
    lambda camera: replace(camera, zones=(Zone(uuid4(), "step", RIGHT_HALF),)),
    lambda camera: replace(camera, analysis=Analysis(masks=(RIGHT_HALF,))),
    lambda camera: replace(camera, analysis=Analysis(labels=(LabelRule("person", 0.7),), faces=False)),
    lambda camera: replace(camera, recording=Recording(RecordingMode.ALWAYS, sound=False)),
    lambda camera: replace(camera, recording=Recording(RecordingMode.MOTION, pre_roll_s=2.0, sound=False)),
    lambda camera: replace(camera, recording=Recording(RecordingMode.ALWAYS, sound=False)),
    lambda camera: replace(camera, detect=False),
    lambda camera: replace(camera, detect=True),
]


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


@pytest.fixture
def viewers(monkeypatch: pytest.MonkeyPatch) -> list[Viewer]:
    """Whoever has connected to a camera so far."""
    came: list[Viewer] = []
    join = Mount.join

    def counted(mount: Mount) -> Viewer:
        came.append(join(mount))
        return came[-1]

    monkeypatch.setattr(Mount, "join", counted)
    return came


async def change(hub: Hub, settings: Settings, camera: Camera) -> None:
    """Have a camera changed; return once ingest has heard of it."""
    await hub.cameras.update(camera)

    async def heard() -> bool:
        return [camera] == KnownCameras(settings.data_dir, hub.keyring).read()

    await until(heard)


def recorded_numbers(store: Store) -> list[int]:
    """Return the numbers of all recorded pictures."""
    numbers = []
    for file in sorted(store.recordings("front")):
        with av.open(str(file)) as container:
            numbers += [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    return numbers


async def metric(hub: Hub, name: str) -> float:
    status = (await hub.cameras.statuses()).get("front")
    return status.metrics.get(name, 0) if status else 0


async def test_no_picture_is_missed_and_the_camera_notices_nothing(
    hub: Hub, settings: Settings, tmp_path: Path, viewers: list[Viewer]
) -> None:
    clip = write_counter_clip(tmp_path / "counter.mp4", FRAMES)
    store = Store(settings.media_dir)
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):

            async def follows() -> bool:
                return await metric(hub, "frames_analysed") > 0

            await until(follows)
            for apply in CHANGES:
                camera = apply(camera)
                await change(hub, settings, camera)
                files = len(store.recordings("front"))

                async def goes_on(files: int = files) -> bool:
                    return len(store.recordings("front")) > files

                await until(goes_on)
    numbers = recorded_numbers(store)
    assert numbers == [(numbers[0] + step) % FRAMES for step in range(len(numbers))]
    assert len(viewers) == 1


async def test_what_reaches_it_differently_is_connected_anew(
    hub: Hub, settings: Settings, tmp_path: Path, viewers: list[Viewer]
) -> None:
    clip = write_counter_clip(tmp_path / "counter.mp4", FRAMES)
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):

            async def connected() -> bool:
                return bool(viewers)

            await until(connected)
            await change(hub, settings, replace(camera, username="owner"))

            async def connected_anew() -> bool:
                return len(viewers) == 2

            await until(connected_anew)


async def test_another_second_stream_takes_nothing_from_the_recording_of_the_first(
    hub: Hub, settings: Settings, tmp_path: Path, viewers: list[Viewer]
) -> None:
    """One is added, exchanged, exchanged for one that is not there, and left out: analysis follows each time."""
    clip, street = write_counter_clip(tmp_path / "counter.mp4", FRAMES), render_walks(tmp_path / "walk.mp4", 8.0, [1.0])
    store = Store(settings.media_dir)
    async with RtspServer({"front": clip, "sub": street, "sub2": street}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):
            for sub, analysed, problem in (
                (None, True, False),
                ("sub", True, False),
                ("sub2", True, False),
                ("nowhere", False, True),
                (None, True, False),
            ):
                camera = replace(camera, sub_url=server.url(sub) if sub is not None else None)
                await change(hub, settings, camera)
                before = await metric(hub, "frames_decoded")
                files = len(store.recordings("front"))

                async def goes_on(
                    files: int = files, before: float = before, problem: bool = problem, analysed: bool = analysed
                ) -> bool:
                    status = (await hub.cameras.statuses()).get("front")
                    told = status is not None and "second stream" in status.reason
                    decodes = not analysed or await metric(hub, "frames_decoded") > before + 10
                    return told == problem and decodes and len(store.recordings("front")) > files

                await until(goes_on)
    numbers = recorded_numbers(store)
    assert numbers == [(numbers[0] + step) % FRAMES for step in range(len(numbers))]
    assert len(viewers) == 3


async def test_recording_ends_at_once_when_it_is_switched_off_and_begins_with_the_next_keyframe(
    hub: Hub, settings: Settings, tmp_path: Path, viewers: list[Viewer]
) -> None:
    clip = write_counter_clip(tmp_path / "counter.mp4", FRAMES)
    store = Store(settings.media_dir)
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):

            async def grows() -> bool:
                return any(file.name.endswith(GROWING_SUFFIX) for file in store.recordings("front"))

            async def is_closed() -> bool:
                return not await grows()

            await until(grows)
            await change(hub, settings, replace(camera, recording=Recording(RecordingMode.OFF)))
            await until(is_closed)
            before = await metric(hub, "packets")

            async def reads_on() -> bool:
                return await metric(hub, "packets") > before

            await until(reads_on)
            assert await is_closed()
            await change(hub, settings, camera)
            await until(grows)
    assert len(viewers) == 1


async def test_whoever_is_followed_stays_one_track_and_enters_the_new_zone(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", 8.0, [2.0])
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):

            async def tracks() -> list:
                return [row.track for row in await hub.tracks.list(TrackFilter(camera_id="front"), 9)]

            async def followed() -> bool:
                return any(track.open for track in await tracks())

            await until(followed)
            (begun,) = [track for track in await tracks() if track.open]
            await change(hub, settings, replace(camera, zones=(Zone(uuid4(), "everywhere", EVERYWHERE),)))

            async def ended() -> bool:
                return not (await hub.tracks.get(begun.local_track_id)).track.open

            await until(ended)
            track = (await hub.tracks.get(begun.local_track_id)).track
    assert track.zones == ("everywhere",)
    assert (track.last_seen_at - track.first_seen_at).total_seconds() > WALK_S / 2


async def test_whoever_is_followed_is_followed_no_more_where_nothing_is_looked_for(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    """The chair stands there for good: only the change can end its track."""
    clip = render_walks(tmp_path / "chair.mp4", 8.0, [], chair=True)
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):

            async def open_tracks() -> int:
                rows = await hub.tracks.list(TrackFilter(camera_id="front"), 9)
                return sum(row.track.open for row in rows)

            async def followed() -> bool:
                return await open_tracks() == 1

            async def nobody() -> bool:
                return await open_tracks() == 0

            await until(followed)
            await change(hub, settings, replace(camera, detect=False))
            await until(nobody)
            await change(hub, settings, camera)
            await until(followed)
            await change(hub, settings, replace(camera, analysis=Analysis(masks=(EVERYWHERE,))))
            await until(nobody)
