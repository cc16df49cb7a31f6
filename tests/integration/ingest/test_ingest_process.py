"""Ingest as a process: killed, drained, without its database."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.ingest_service import end_of, start_ingest, until
from tests.support.squares import render_walks

from marengocam.core.clock import SystemClock
from marengocam.core.errors import HubUnavailableError
from marengocam.core.geometry import Box
from marengocam.core.model import Camera, CameraState, LocalTrack, PathPoint
from marengocam.core.secret import Secret
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.hub import Hub, open_hub
from marengocam.db.migrate import migrate_database
from marengocam.demo.rtsp.server import RtspServer
from marengocam.media.adoption import chunk_of
from marengocam.media.store import Store
from marengocam.settings import Settings

CLOCK = SystemClock()
PASSWORD = "hunter2-hunter2"
TAKE_OVER_LIMIT_S = 60.0  # a dead holder's lease lasts 8 s


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return render_walks(tmp_path / "walk.mp4", 8.0, [2.0])


def growing(store: Store) -> list[Path]:
    return [file for file in store.recordings("front") if file.name.endswith(".part")]


def followed(camera_id: str) -> LocalTrack:
    at, box = CLOCK.now(), Box(0.1, 0.1, 0.2, 0.5)
    return LocalTrack(uuid4(), camera_id, "person", at, at, True, 0.9, 3, path=(PathPoint(at, box, 0.9),))


async def test_killed_in_mid_recording_nothing_is_orphaned_and_nobody_stays_followed(
    hub: Hub, hub_settings: Settings, clip: Path, tmp_path: Path
) -> None:
    settings = replace(hub_settings, detector="hog", chunk_s=3.0)
    store, log = Store(settings.media_dir), tmp_path / "ingest.log"
    async with RtspServer({"front": clip}, credentials=("me", PASSWORD)) as server:
        camera = Camera("front", "Front", server.url("front"), username="me", password=Secret(PASSWORD))
        await hub.cameras.add(camera)
        first = await start_ingest(settings, log)

        async def recording() -> bool:
            return await hub.chunks.recorded_s("front") > 0 and any(
                file.stat().st_size > 4096 for file in growing(store)
            )

        try:
            await until(recording)
            (lease,) = await hub.leases.list()
            track = followed("front")
            await hub.tracks.save([track], {"front": lease.fence})
        finally:
            first.kill()
            await first.wait()
        (orphan,) = growing(store)
        second = await start_ingest(settings, log)
        try:

            async def tidied() -> bool:
                row = await hub.tracks.get(track.local_track_id)
                return not row.track.open and not orphan.exists()

            await until(tidied, TAKE_OVER_LIMIT_S)
        finally:
            status = await end_of(second)
        assert status == 0
    assert growing(store) == []
    files = {str(store.relative(file)): file for file in store.recordings("front")}
    assert str(store.relative(orphan)).removesuffix(".part") in files, "what was recorded before the kill is kept"
    await every_file_is_indexed_and_readable(hub, store, files)
    said = log.read_text()
    assert "camera front is served" in said
    assert PASSWORD not in said


async def every_file_is_indexed_and_readable(hub: Hub, store: Store, files: dict[str, Path]) -> None:
    now = CLOCK.now()
    indexed = await hub.chunks.span("front", now - timedelta(hours=1), now + timedelta(hours=1))
    assert {str(chunk.path) for chunk in indexed} == set(files)
    for chunk in indexed:
        assert chunk_of(store, files[str(chunk.path)]).size_bytes == chunk.size_bytes


async def test_a_wrong_password_is_told_to_the_owner_and_written_nowhere(
    hub: Hub, hub_settings: Settings, clip: Path, tmp_path: Path
) -> None:
    settings, log = replace(hub_settings, detector="hog"), tmp_path / "ingest.log"
    async with RtspServer({"front": clip}, credentials=("me", "another")) as server:
        camera = Camera("front", "Front", server.url("front"), username="me", password=Secret(PASSWORD))
        await hub.cameras.add(camera)
        process = await start_ingest(settings, log)
        try:

            async def told() -> bool:
                status = (await hub.cameras.statuses()).get("front")
                return status is not None and status.state is CameraState.OFFLINE

            await until(told)
            reason = (await hub.cameras.statuses())["front"].reason
            assert "user name and password" in reason
        finally:
            await end_of(process)
    (event,) = await hub.events.after(0, 10)
    assert event.data["reason"] == reason
    assert PASSWORD not in log.read_text()
    assert PASSWORD not in (settings.data_dir / "ingest_cameras.json").read_text()


async def test_recording_goes_on_while_the_database_server_is_away(clip: Path, tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="mc-away-"))
    folder.chmod(0o755)
    media = tmp_path / "media"
    media.mkdir()
    server = EmbeddedServer(folder, durable=False)
    try:
        address = server.start()
        await migrate_database(address)
        settings = Settings(
            data_dir=folder, media_dir=media, database_url=address, detector="hog", chunk_s=2.0, loopback_cameras=True
        )
        await _recorded_through_an_outage(server, settings, clip, tmp_path / "ingest.log")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _recorded_through_an_outage(server: EmbeddedServer, settings: Settings, clip: Path, log: Path) -> None:
    store = Store(settings.media_dir)
    async with RtspServer({"front": clip}) as rtsp, open_hub(settings, "test", 2) as hub:
        await hub.cameras.add(Camera("front", "Front", rtsp.url("front")))
        process = await start_ingest(settings, log)
        try:

            async def recording() -> bool:
                return await hub.chunks.recorded_s("front") > 0

            await until(recording)
            await asyncio.to_thread(server.stop)
            before = len(store.recordings("front"))

            async def still_recording() -> bool:
                return len(store.recordings("front")) >= before + 3

            await until(still_recording)
            await asyncio.to_thread(server.start)

            async def caught_up() -> bool:
                now = CLOCK.now()
                with contextlib.suppress(HubUnavailableError):  # the connections of before are gone
                    known = await hub.chunks.known_paths("front", now - timedelta(hours=1))
                    finished = {str(store.relative(file)) for file in store.recordings("front")[:-2]}
                    return len(finished) > before and finished <= known
                return False

            await until(caught_up)
        finally:
            assert await end_of(process) == 0
        chunks = await hub.chunks.span("front", CLOCK.now() - timedelta(hours=1), CLOCK.now())
        gaps = [(later.started_at - earlier.ended_at).total_seconds() for earlier, later in pairwise(chunks)]
        assert max(gaps) < 0.5, "no second is missing from the time without a database"


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_")]:
        monkeypatch.delenv(name)
