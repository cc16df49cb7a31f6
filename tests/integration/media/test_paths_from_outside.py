"""Paths, names and links that lead out of the media folder are followed nowhere, to read or to write."""

import os
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from tests.support.web_app import serving_api

from marengocam.core.errors import BadInputError, MarengoCamError, StoreError
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, Chunk, LocalTrack
from marengocam.media.names import RecordingName, live_path
from marengocam.media.playlist import init_bytes, segment_bytes
from marengocam.media.store import Store
from marengocam.replay.folder import RunFolder

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SECRET = b"the secret beside the media folder"
OUTSIDE = [
    "../secret",
    "/etc/passwd",
    "pictures/../../secret",
    "recordings/front/../../../secret",
    "link",
    "link/../../secret",
]


@pytest.fixture
def store(hub_settings):
    (hub_settings.media_dir.parent / "secret").write_bytes(SECRET)
    (hub_settings.media_dir / "link").symlink_to(hub_settings.media_dir.parent / "secret")
    return Store(hub_settings.media_dir)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_resolves_to_what_lies_outside(store, path):
    with pytest.raises(BadInputError):
        store.resolve(path)
    with pytest.raises(BadInputError):
        store.delete(PurePosixPath(path))
    assert (store.root.parent / "secret").read_bytes() == SECRET


def test_the_media_folder_itself_may_be_a_link(store, tmp_path):
    (tmp_path / "mounted").symlink_to(store.root)
    linked = Store(tmp_path / "mounted")
    linked.write_picture(live_path("front"), b"picture")
    assert linked.resolve(live_path("front")).read_bytes() == b"picture"


def test_nothing_is_written_through_links_that_somebody_laid(store):
    outside = store.root.parent / "elsewhere"
    outside.mkdir()
    (store.root / "pictures").symlink_to(outside)
    (store.root / "recordings").symlink_to(outside)
    with pytest.raises(StoreError, match="remove it"):
        store.write_picture(PurePosixPath("pictures/front/2026-11-24/x.jpg"), b"picture")
    with pytest.raises(StoreError, match="remove it"):
        store.growing(RecordingName("front", NOW, new_id(NOW)))
    assert list(outside.iterdir()) == []
    (store.root / "live").mkdir()
    for name in (f".front.jpg.{os.getpid()}", "front.jpg"):
        (store.root / "live" / name).symlink_to(store.root.parent / "secret")
    store.write_picture(live_path("front"), b"picture")
    assert (store.root.parent / "secret").read_bytes() == SECRET
    assert (store.root / "live" / "front.jpg").read_bytes() == b"picture"


def test_a_link_among_the_recordings_is_none(store):
    name = RecordingName("front", NOW, new_id(NOW))
    growing = store.growing(name)
    growing.symlink_to(store.root.parent / "secret")
    assert store.recordings("front") == []
    for read in (init_bytes, segment_bytes):
        with pytest.raises(BadInputError):
            read(store, "front", f"{name.path.stem}_0_10.m4s")


@pytest.mark.parametrize(
    "name", ["../../secret", "..%2f..%2fsecret", "init_../../secret_0_9.m4s", "x_1_2.m4s", "\0", "a" * 5000]
)
def test_no_segments_name_reads_anything_else(store, name):
    for camera_id in ("front", "..", "../..", ""):
        with pytest.raises(MarengoCamError):
            segment_bytes(store, camera_id, name)


async def test_a_row_that_points_outside_gives_nothing_away(hub, hub_settings, store):
    """Whoever could write the database could not read the machine's files by it."""
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        await hub.cameras.add(Camera("front", "Front", "rtsp://camera.invalid/main"))
        lease = await hub.leases.acquire("camera:front", "test", 30)
        track = LocalTrack(
            new_id(now), "front", "person", now, now, False, 0.9, 9, path=(), crop_path=PurePosixPath("link")
        )
        await hub.tracks.save([track], {"front": lease.fence})
        alice = await hub.persons.add("Alice", now)
        await hub.persons.set_picture(alice.person_id, PurePosixPath("../secret"))
        chunk = Chunk(new_id(now), "front", now, 1.0, 9, PurePosixPath("link"), "h264", 64, 48)
        await hub.chunks.add([chunk])
        for path in (
            f"/tracks/{track.local_track_id}/crop.jpg",
            f"/tracks/{track.local_track_id}/crop.jpg?width=100&format=webp",
            f"/persons/{alice.person_id}/picture.jpg",
            f"/persons/{alice.person_id}/export",
            f"/chunks/{chunk.chunk_id}/file.mp4",
        ):
            status, content = await api.call("GET", path)
            assert status in {400, 404}, path
            assert SECRET not in (content if isinstance(content, bytes) else str(content).encode())


@pytest.mark.parametrize("name", ["../report.json", "..", ".", "", "\0", "a" * 5000, "/etc/passwd"])
def test_no_name_of_a_replays_picture_reads_anything_else(tmp_path, name):
    folder = RunFolder(tmp_path, new_id(NOW))
    (folder.place / "pictures").mkdir(parents=True)
    (folder.place / "report.json").write_bytes(SECRET)
    assert folder.picture(name) is None
