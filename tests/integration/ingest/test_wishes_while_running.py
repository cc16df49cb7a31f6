"""Privacy, a camera begun anew, and changes that are told at once, on a real stream."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.known_cameras import KnownCameras
from marengocam.settings import Settings

CLIP_S, WALK_AT_S = 8.0, 2.0


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return render_walks(tmp_path / "walk.mp4", CLIP_S, [WALK_AT_S])


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


async def metric(hub: Hub, name: str) -> float:
    status = (await hub.cameras.statuses()).get("front")
    return status.metrics.get(name, 0) if status else 0


async def test_under_privacy_nothing_is_read_and_without_it_recording_goes_on(
    hub: Hub, settings: Settings, clip: Path
) -> None:
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings) as (service, _):

            async def recorded() -> bool:
                return await hub.chunks.recorded_s("front") > 0

            await until(recorded)
            await hub.preferences.change(privacy=True)

            async def rests() -> bool:
                return service.health().detail["cameras"] == {}

            await until(rests)
            kept = KnownCameras(settings.data_dir, hub.keyring).read()
            assert [camera.enabled for camera in kept] == [False], "a start without a database keeps to it"
            before_s = await hub.chunks.recorded_s("front")
            await hub.preferences.change(privacy=False)

            async def recorded_more() -> bool:
                return await hub.chunks.recorded_s("front") > before_s

            await until(recorded_more)


async def test_a_camera_is_begun_anew_when_its_owner_asks(hub: Hub, settings: Settings, clip: Path) -> None:
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def has_read_much() -> bool:
                return await metric(hub, "packets") > 60  # several statuses' worth: the first new one tells of fewer

            await until(has_read_much)
            before = await metric(hub, "packets")
            await hub.cameras.restart("front")

            async def counts_anew() -> bool:
                return 0 < await metric(hub, "packets") < before

            await until(counts_anew)


async def test_movement_and_recording_are_told_when_they_begin(
    hub: Hub, settings: Settings, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.ingest.service.STATUS_EVERY_S", 3600.0)  # only changes are told in this test
    rung: list[str] = []
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with (
            hub.listen(["camera_status"], lambda _channel, camera_id: rung.append(camera_id)),
            ingest_here(hub, settings),
        ):

            async def moves_and_records() -> bool:
                return bool(await metric(hub, "moving") and await metric(hub, "recording"))

            await until(moves_and_records)
    assert "front" in rung
