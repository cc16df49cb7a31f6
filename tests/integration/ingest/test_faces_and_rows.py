"""Faces beside tracks, and rows that do not fit beside rows that do."""

import asyncio
import contextlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from aiohttp import web
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.camera_options import Analysis
from marengocam.core.clock import ManualClock
from marengocam.core.errors import FaceEngineError
from marengocam.core.geometry import Box
from marengocam.core.model import Camera, Chunk, LocalTrack, PathPoint
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.face_looks import LOOKS_AT_ONCE
from marengocam.ingest.hub_writer import HubWriter
from marengocam.runtime.breaker import FAILURES_TO_OPEN, RETRY_S
from marengocam.settings import Settings
from marengocam.vision.crops import to_jpeg

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Engine:
    """A face engine speaking CodeProject.AI's protocol with our extension; it can be told to fail."""

    def __init__(self) -> None:
        self.works = True
        self.asked = 0
        self.quality = 0.9
        self.hold = asyncio.Event()
        self.hold.set()

    async def recognise(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked += 1
        await self.hold.wait()
        if not self.works:
            return web.Response(status=500)
        assert form["embedding"] == "1"
        vector = np.eye(1, 8, 3).ravel().tolist()
        face = {"userid": "unknown", "confidence": 0.9, "x_min": 10, "y_min": 5, "x_max": 20, "y_max": 15}
        face |= {"embedding": vector, "embedding_model": "test-face", "quality": self.quality}
        return web.json_response({"success": True, "predictions": [face]})


@pytest.fixture
async def engine():
    served = Engine()
    app = web.Application()
    app.router.add_post("/v1/vision/face/recognize", served.recognise)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


@pytest.fixture
def settings(hub_settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url=engine.url, analysis_fps=10.0)


@pytest.mark.parametrize("works", [True, False])
async def test_a_track_gets_its_face_and_goes_on_without_one_when_the_engine_fails(
    hub: Hub, settings: Settings, engine: Engine, tmp_path: Path, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.works = works
    monkeypatch.setattr("marengocam.ingest.face_client.LIMIT_S", 10.0)  # it answers in the loop of the whole test
    clip = render_walks(tmp_path / "walk.mp4", 6.0, [1.0])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings) as (service, _):

            async def ended() -> LocalTrack | None:
                """Return who has gone again, and of whom the engine was asked as often as is looked at here."""
                rows = await hub.tracks.list(TrackFilter(camera_id="front"), 10)
                gone = [row.track.local_track_id for row in rows if not row.track.open]
                tracks = [(await hub.tracks.get(one)).track for one in gone]
                if works:
                    return next((one for one in tracks if one.face is not None), None)
                told = service.health().detail["face_engine"] == "open" and bool(await hub.health.recent(10))
                return next(iter(tracks), None) if told else None

            async def has_ended() -> bool:
                return await ended() is not None

            await until(has_ended)
            track, state = await ended(), service.health().detail["face_engine"]
    log = [entry.subject for entry in await hub.health.recent(10)]
    if works:
        assert track.face is not None
        assert (track.face.model, track.face.quality) == ("test-face", pytest.approx(0.9))
        assert (settings.media_dir / track.face_crop_path).is_file()
        assert (track.face_engine_ok, state, log) == (True, "closed", [])
    else:
        assert (track.face, track.face_engine_ok, state) == (None, False, "open")
        assert log == ["face_engine"], "the owner is told once"
        assert FAILURES_TO_OPEN <= engine.asked < FAILURES_TO_OPEN + LOOKS_AT_ONCE, "a failing engine is left alone"


async def test_each_turn_of_an_engine_that_is_away_is_in_health(
    hub: Hub, settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service under a clock of its own is not needed: what its clients tell is what it writes down."""
    monkeypatch.setattr("marengocam.ingest.face_client.LIMIT_S", 10.0)
    async with ingest_here(hub, settings) as (service, context):

        async def serves() -> bool:
            return bool(service._faces)

        await until(serves)
        (client,) = service._faces
        breaker = client.breaker
        clock = ManualClock(context.clock.now())
        breaker._clock = clock
        picture = to_jpeg(np.zeros((30, 30, 3), np.uint8))

        async def look(*, fails: bool) -> None:
            engine.works = not fails
            with pytest.raises(FaceEngineError) if fails else contextlib.nullcontext():
                await client.look(picture, (30, 30))

        for _ in range(FAILURES_TO_OPEN):
            await look(fails=True)
        assert service.health().detail["face_engines"] == {client.name: "open"}
        for tries in range(1, 6):
            clock.advance(RETRY_S)
            await look(fails=True)
            assert service.health().detail["face_engine_tries"] == {client.name: tries}
        clock.advance(RETRY_S)
        engine.hold.clear()
        careful = asyncio.create_task(look(fails=False))

        async def tried() -> bool:
            return service.health().detail["face_engine"] == "half_open"

        await until(tried)
        engine.hold.set()
        await careful
        detail = service.health().detail
        assert (detail["face_engine"], detail["face_engine_tries"]) == ("closed", {})

        async def written() -> bool:
            return len(await hub.health.recent(20)) == 5

        await until(written)
    told = {(entry.level, entry.message) for entry in await hub.health.recent(20)}
    failure = "it answered with status 500."
    assert told == {
        ("warning", f"The face engine is cut off; tracks go on without faces: {failure}"),
        *(("warning", f"The face engine is still cut off after {n} careful tries: {failure}") for n in (1, 2, 4)),
        ("info", "The face engine answers again, after 6 careful tries."),
    }


async def test_a_live_track_s_face_is_left_as_it_is_once_faces_are_switched_off(
    hub: Hub, settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.ingest.face_client.LIMIT_S", 10.0)
    monkeypatch.setattr("marengocam.ingest.track_book.FACE_LOOKS", 1000)
    monkeypatch.setattr("tests.support.squares.WALK_S", 14.0)
    engine.quality = 0.5  # so that a better one is looked for
    clip = render_walks(tmp_path / "walk.mp4", 16.0, [1.0])
    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings) as (service, _):

            async def followed() -> LocalTrack | None:
                rows = await hub.tracks.list(TrackFilter(camera_id="front"), 10)
                live = [row.track.local_track_id for row in rows if row.track.open]
                return (await hub.tracks.get(live[0])).track if live else None

            async def has_face() -> bool:
                one = await followed()
                return one is not None and one.face is not None

            await until(has_face)
            before = await followed()
            await hub.cameras.update(replace(camera, analysis=Analysis(faces=False)))

            async def heard() -> bool:
                workers = service._rounds.workers.values()
                return all(not worker.camera.analysis.faces for worker in workers)

            await until(heard)

            async def none_is_under_way() -> bool:
                return not service._looks._waiting

            await asyncio.sleep(0.5)  # the frame that is looked at
            await until(none_is_under_way)
            asked, engine.quality = engine.asked, 0.99
            seen_at = (await followed()).last_seen_at

            async def goes_on() -> bool:
                one = await followed()
                return one is not None and (one.last_seen_at - seen_at).total_seconds() > 2

            await until(goes_on)
            after = await followed()
            assert after.local_track_id == before.local_track_id
            assert engine.asked == asked, "nobody is asked any more"
            assert (after.face.quality, after.face_crop_path) == (before.face.quality, before.face_crop_path)


@pytest.mark.parametrize("everywhere", [True, False])
async def test_clothes_are_looked_at_only_where_neither_the_camera_nor_the_whole_has_them_switched_off(
    hub: Hub, settings: Settings, tmp_path: Path, everywhere: bool
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", 6.0, [1.0])
    names = {"front": True, "yard": False}
    async with RtspServer(dict.fromkeys(names, clip)) as server:
        for name, looks in names.items():
            await hub.cameras.add(Camera(name, name.title(), server.url(name), analysis=Analysis(appearance=looks)))
        async with ingest_here(hub, replace(settings, appearance=everywhere)):

            async def all_ended() -> bool:
                return len(await ended_tracks(hub)) == len(names)

            await until(all_ended)
    tracks = await ended_tracks(hub)
    assert {name: one.appearance is not None for name, one in tracks.items()} == {"front": everywhere, "yard": False}
    assert all(one.crop_path is not None for one in tracks.values()), "the pictures are kept"
    async with hub.database.connection() as connection:
        kept = await connection.fetch("SELECT DISTINCT camera_id FROM local_track WHERE appearance IS NOT NULL")
    assert [row["camera_id"] for row in kept] == (["front"] if everywhere else [])


async def ended_tracks(hub: Hub) -> dict[str, LocalTrack]:
    found = await hub.tracks.list(TrackFilter(), 100)
    ended = {row.track.camera_id: row.track.local_track_id for row in found if not row.track.open}
    return {name: (await hub.tracks.get(track_id)).track for name, track_id in ended.items()}


def track(camera_id: str, **changes: object) -> LocalTrack:
    point = PathPoint(NOON, Box(0.1, 0.1, 0.2, 0.5), 0.9)
    fresh = LocalTrack(uuid4(), camera_id, "person", NOON, NOON, True, 0.9, 3, path=(point,))
    return replace(fresh, **changes)


def chunk(**changes: object) -> Chunk:
    number = uuid4()
    path = f"recordings/front/{number}.mp4"
    return replace(Chunk(number, "front", NOON, 2.0, 100, Path(path), "h264", 320, 180), **changes)


async def test_a_row_that_the_hub_refuses_holds_no_other_up(hub: Hub) -> None:
    lease = await hub.leases.acquire("camera:front", "us", 60)
    writer = HubWriter(hub, lambda: {"front": lease.fence})
    good, unfit = track("front"), track("front", observations=0)
    writer.put_tracks([unfit, good])
    writer.put_chunk(chunk(duration_s=0.0))
    writer.put_chunk(chunk())
    assert await writer.flush()
    assert [row.track.local_track_id for row in await hub.tracks.list(TrackFilter(), 10)] == [good.local_track_id]
    assert await hub.chunks.recorded_s() == 2.0


async def test_rows_wait_for_their_lease_and_are_not_written_under_a_stale_one(hub: Hub) -> None:
    fences: dict[str, int] = {}
    writer = HubWriter(hub, lambda: fences)
    waits = track("front")
    writer.put_tracks([waits])
    assert not await writer.flush()
    lease = await hub.leases.acquire("camera:front", "us", 60)
    fences["front"] = lease.fence
    assert await writer.flush()
    fences["front"] = lease.fence - 1
    writer.put_tracks([replace(waits, open=False), track("front")])
    assert await writer.flush(), "they are another process's business"
    (row,) = await hub.tracks.list(TrackFilter(), 10)
    assert row.track.open


async def test_a_hub_that_stays_away_is_told_once_and_that_it_is_back(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer = HubWriter(hub, dict)
    writer.put_chunk(chunk())
    async with hub.database.connection() as connection:
        await connection.execute("ALTER TABLE chunk RENAME TO chunk_away")
    assert not await writer.flush()
    assert not writer.problem, "it may be back in a moment"
    monkeypatch.setattr("marengocam.ingest.hub_writer.AWAY_AFTER_S", 0.0)
    for _ in range(3):
        assert not await writer.flush()
    assert writer.problem.startswith("Recording goes on")
    async with hub.database.connection() as connection:
        await connection.execute("ALTER TABLE chunk_away RENAME TO chunk")
    with caplog.at_level("INFO"):
        assert await writer.flush()
    assert not writer.problem
    told = [record.message for record in caplog.records if record.name == "marengocam.ingest.hub_writer"]
    assert [message.partition(",")[0] for message in told] == ["Recording goes on", "the hub answers again"]


async def test_two_flushes_at_once_write_everything_once(hub: Hub) -> None:
    writer = HubWriter(hub, dict)
    for _ in range(250):
        writer.put_chunk(chunk())
    assert all(await asyncio.gather(writer.flush(), writer.flush()))
    assert await hub.chunks.recorded_s() == 500.0


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_")]:
        monkeypatch.delenv(name)
