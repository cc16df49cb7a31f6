"""Ingest on real streams and a real hub: recorded, followed, told."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import WALK_S, render_walks, square_eyes

from marengocam.core.model import Camera, CameraState, EventType, Zone
from marengocam.core.secret import Secret
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.clip import load_clip
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest import camera_state
from marengocam.media.names import live_path
from marengocam.media.store import Store
from marengocam.settings import Settings

CLIP_S, WALK_AT_S = 8.0, 2.0
RIGHT_HALF = Zone(uuid4(), "right half", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return render_walks(tmp_path / "walk.mp4", CLIP_S, [WALK_AT_S])


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


async def closed_tracks(hub: Hub, camera_id: str):
    rows = await hub.tracks.list(TrackFilter(camera_id=camera_id), 50)
    return [row.track for row in rows if not row.track.open]


async def test_a_walk_is_recorded_followed_and_stays_one_track(
    hub: Hub, settings: Settings, clip: Path, tmp_path: Path
) -> None:
    async with RtspServer({"front": render_walks(tmp_path / "nobody.mp4", 1.0, [])}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), zones=(RIGHT_HALF,)))
        async with ingest_here(hub, settings) as (service, _):

            async def looks() -> bool:
                status = (await hub.cameras.statuses()).get("front")
                return status is not None and status.metrics["frames_analysed"] > 0

            await until(looks)  # so that it sees the walk from its beginning
            server.mounts["front"].change(load_clip(clip))

            async def walked() -> bool:
                return bool(await closed_tracks(hub, "front")) and await hub.chunks.recorded_s("front") > 3

            await until(walked)
            status = (await hub.cameras.statuses())["front"]
            assert status.state is CameraState.ONLINE
            assert status.metrics["frames_analysed"] > 0
            assert status.metrics["stream_fps"] > 5
            assert service.health().detail["detector"] == "bright-squares"
            assert service.health().detail["detector_because"] == "", "there was no choice"
    track = (await hub.tracks.get((await closed_tracks(hub, "front"))[-1].local_track_id)).track
    assert track.label == "person"
    assert 1.5 < (track.last_seen_at - track.first_seen_at).total_seconds() < WALK_S + 0.5
    assert track.zones == ("right half",)
    assert track.path[0].box.x1 < 0.3
    assert track.path[-1].box.x2 > 0.7
    assert track.appearance is not None
    assert track.crop_path is not None
    store = Store(settings.media_dir)
    assert store.resolve(track.crop_path).read_bytes()[:2] == b"\xff\xd8"
    assert store.resolve(live_path("front")).is_file()
    assert not [file for file in store.recordings("front") if file.name.endswith(".part")], (
        "chunks are closed at the end"
    )
    indexed = await hub.chunks.span("front", track.first_seen_at, track.last_seen_at)
    assert indexed, "what was seen can be shown"
    assert await hub.leases.list() == [], "leases are given back"


async def test_a_camera_that_goes_away_is_told_once_and_its_return_too(
    hub: Hub, settings: Settings, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kinds() -> list[EventType]:
        return [event.type for event in await hub.events.after(0, 100)]

    async with RtspServer({"front": clip, "back": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        await hub.cameras.add(Camera("wrong", "Wrong", server.url("nothing_here")))
        async with ingest_here(hub, settings) as (service, _):

            async def states() -> dict[str, CameraState]:
                return {key: status.state for key, status in (await hub.cameras.statuses()).items()}

            async def online() -> bool:
                return (await states()).get("front") is CameraState.ONLINE

            async def only_the_right_one_is_online() -> bool:
                return await states() == {"front": CameraState.ONLINE, "wrong": CameraState.OFFLINE}

            await until(online)  # however long its first picture takes
            monkeypatch.setattr(camera_state, "OFFLINE_AFTER", camera_state.OFFLINE_AFTER / 5)
            await until(only_the_right_one_is_online)
            assert "path" in (await hub.cameras.statuses())["wrong"].reason
            mount = server.mounts.pop("front")
            mount.drop_viewers()

            async def told_offline() -> bool:
                return [event.camera_id for event in await hub.events.after(0, 100)].count("front") == 1

            await until(told_offline)
            server.mounts["front"] = mount

            async def told_online() -> bool:
                return EventType.CAMERA_ONLINE in await kinds()

            await until(told_online)
            assert service.health().status == "ok", "a camera's trouble is not the service's"
            assert service.health().detail["cameras_offline"] == ["wrong"]
    told = [event.type for event in await hub.events.after(0, 100) if event.camera_id == "front"]
    assert told == [EventType.CAMERA_OFFLINE, EventType.CAMERA_ONLINE]


async def test_the_owner_s_changes_are_followed_and_a_removed_camera_s_tracks_end(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = render_walks(tmp_path / "busy.mp4", 4 * WALK_S, [number * WALK_S for number in range(4)])
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings) as (service, _):

            async def followed() -> bool:
                return bool(await hub.tracks.list(TrackFilter(camera_id="front"), 5))

            await until(followed)
            await hub.cameras.update(replace(camera, enabled=False))

            async def rests() -> bool:
                states = {key: status.state for key, status in (await hub.cameras.statuses()).items()}
                return states == {"front": CameraState.DISABLED} and not service.health().detail["cameras"]

            await until(rests)
            assert all(not row.track.open for row in await hub.tracks.list(TrackFilter(camera_id="front"), 50))
            assert await hub.leases.list() == []
            await hub.cameras.update(replace(camera, detect=False))

            async def recorded() -> bool:
                return (await hub.cameras.statuses())["front"].state is CameraState.ONLINE

            await until(recorded)
            (settings.media_dir / live_path("front")).unlink()

            async def shown() -> bool:
                return (settings.media_dir / live_path("front")).is_file()

            await until(shown)  # a camera that is only recorded has its live picture, too


async def test_with_a_second_stream_the_first_is_recorded_and_the_second_analysed(
    hub: Hub, settings: Settings, clip: Path, tmp_path: Path
) -> None:
    empty = render_walks(tmp_path / "empty.mp4", CLIP_S, [])
    async with RtspServer({"main": empty, "sub": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("main"), sub_url=server.url("sub")))
        async with ingest_here(hub, settings):

            async def both() -> bool:
                return bool(await closed_tracks(hub, "front")) and await hub.chunks.recorded_s("front") > 1

            await until(both)
            server.mounts["sub"].drop_viewers()
            del server.mounts["sub"]

            async def told() -> bool:
                status = (await hub.cameras.statuses())["front"]
                return status.state is CameraState.ONLINE and "second stream" in status.reason

            await until(told)


async def test_a_camera_that_cannot_be_recorded_says_so_and_is_analysed_while_others_are_recorded(
    hub: Hub, settings: Settings, clip: Path
) -> None:
    folder = settings.media_dir / "recordings"
    folder.mkdir()
    (folder / "front").write_text("a file where the folder of recordings should be")
    async with RtspServer({"front": clip, "back": clip}) as server:
        for name in ("front", "back"):
            await hub.cameras.add(Camera(name, name, server.url(name)))
        async with ingest_here(hub, settings):

            async def told() -> bool:
                front = (await hub.cameras.statuses()).get("front")
                return front is not None and front.state is CameraState.ONLINE and "cannot be written" in front.reason

            async def went_on() -> bool:
                return bool(await closed_tracks(hub, "front")) and await hub.chunks.recorded_s("back") > 3

            await until(told)
            await until(went_on)
            assert await told(), "as long as it lasts"
            (folder / "front").unlink()

            async def mended() -> bool:
                return await hub.chunks.recorded_s("front") > 0 and not await told()

            await until(mended)


async def test_a_camera_is_recorded_without_a_hub_and_indexed_when_it_is_back(
    hub: Hub, settings: Settings, clip: Path
) -> None:
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), username="me", password=Secret("hunter2")))
        async with ingest_here(hub, settings):

            async def known() -> bool:
                return (settings.data_dir / "ingest_cameras.json").is_file()

            await until(known)
        kept = settings.data_dir / "ingest_cameras.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        assert "hunter2" not in kept.read_text()
        async with hub.database.connection() as connection:
            await connection.execute("ALTER TABLE camera RENAME TO camera_away")
            await connection.execute("ALTER TABLE chunk RENAME TO chunk_away")
            await connection.execute("ALTER TABLE local_track RENAME TO local_track_away")
        store = Store(settings.media_dir)
        before = len(store.recordings("front"))
        async with ingest_here(hub, settings) as (service, _):

            async def recorded() -> bool:
                return len(store.recordings("front")) >= before + 3 and service.health().detail["rows_waiting"] >= 3

            await until(recorded)
            async with hub.database.connection() as connection:
                await connection.execute("ALTER TABLE camera_away RENAME TO camera")
                await connection.execute("ALTER TABLE chunk_away RENAME TO chunk")
                await connection.execute("ALTER TABLE local_track_away RENAME TO local_track")

            async def caught_up() -> bool:
                waiting = service.health().detail["rows_waiting"]
                return waiting == 0 and bool(await closed_tracks(hub, "front"))

            await until(caught_up)
    async with hub.database.connection() as connection:
        indexed = {row["path"] for row in await connection.fetch("SELECT path FROM chunk")}
    assert indexed == {str(store.relative(file)) for file in store.recordings("front")}


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_") and name != "MARENGOCAM_MODELS"]:
        monkeypatch.delenv(name)
