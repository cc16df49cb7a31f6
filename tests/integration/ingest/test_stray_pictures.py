"""Pictures written in the moment before a kill: removed at the next start, all others kept."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from uuid import UUID, uuid4

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.geometry import Box
from marengocam.core.model import Camera, LocalTrack, PathPoint
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.stray_pictures import remove_strays
from marengocam.media.names import picture_path
from marengocam.media.store import Store
from marengocam.settings import Settings

BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)
REACH = timedelta(days=2)


def write_picture(store: Store, track: UUID, at: datetime, *, view: int = 0) -> PurePosixPath:
    path = picture_path("front", at, track, view=view)
    store.write_picture(path, b"picture")
    os.utime(store.root / path, (at.timestamp(), at.timestamp()))
    return path


async def save_track(hub: Hub, track: UUID, picture: PurePosixPath) -> None:
    before = BEGAN - timedelta(minutes=1)
    seen = PathPoint(before, Box(0.1, 0.1, 0.2, 0.4), 0.9)
    row = LocalTrack(track, "front", "person", before, before, True, 0.9, 3, (seen,), crop_path=picture)
    lease = await hub.leases.acquire("camera:front", "test", 10)
    assert lease is not None
    await hub.tracks.save([row], {"front": lease.fence})


async def test_only_what_nothing_names_and_no_row_waits_for_is_removed(hub: Hub, tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = BEGAN - timedelta(minutes=1)
    named, unnamed, waiting, younger = (uuid4() for _ in range(4))
    kept = write_picture(store, named, before)
    stray_view = write_picture(store, named, before, view=1)
    stray = write_picture(store, unnamed, before)
    later = write_picture(store, waiting, before)
    ours = write_picture(store, younger, BEGAN + timedelta(seconds=1))
    half = store.root / stray.parent / f".{unnamed}.jpg.4711"
    half.write_bytes(b"pict")
    os.utime(half, (before.timestamp(), before.timestamp()))
    await save_track(hub, named, kept)

    removed = await remove_strays(hub, store, "front", BEGAN, {waiting}, REACH)

    assert removed == 3
    assert [path for path in (kept, later, ours) if not (store.root / path).exists()] == []
    assert [path for path in (stray, stray_view) if (store.root / path).exists()] == []
    assert not half.exists()


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off")


async def test_ingest_tidies_a_camera_up_when_it_takes_it_over(hub: Hub, settings: Settings, tmp_path: Path) -> None:
    store = Store(settings.media_dir)
    stray = store.root / write_picture(store, uuid4(), datetime.now(UTC) - timedelta(minutes=5))  # noqa: TID251 - beside files of now
    async with RtspServer({"front": render_walks(tmp_path / "walk.mp4", 6.0, [1.0])}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def gone() -> bool:
                return not stray.exists()

            await until(gone)
