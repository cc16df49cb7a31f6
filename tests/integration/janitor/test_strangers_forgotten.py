"""The janitor forgets what strangers looked like after `stranger_days`, with the pictures, and nobody else."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, like, open_scene, seen, unit
from tests.support.resolver_scenes import NOON

from marengocam.core.clock import SystemClock
from marengocam.core.model import LocalTrack
from marengocam.db.word_changes import Speaker
from marengocam.janitor import pruning
from marengocam.media.store import Store

LIMIT_S = 30.0
DAYS = 2.0


def moved(track: LocalTrack, to: datetime) -> LocalTrack:
    """Return the track as if it had begun at another time, with the picture of its face."""
    by = to - track.first_seen_at
    return replace(
        track,
        first_seen_at=track.first_seen_at + by,
        last_seen_at=track.last_seen_at + by,
        path=tuple(replace(point, at=point.at + by) for point in track.path),
        crop_path=PurePosixPath(f"pictures/{track.camera_id}/2026-06-01/{track.local_track_id}.jpg"),
        face_crop_path=PurePosixPath(f"pictures/{track.camera_id}/2026-06-01/{track.local_track_id}_face.jpg"),
    )


async def test_after_so_many_days_strangers_are_forgotten_by_the_running_janitor(
    hub, settings, store: Store, at_work, monkeypatch
) -> None:
    monkeypatch.setattr(pruning, "FORGOTTEN_TRACKS", 1)
    monkeypatch.setattr(pruning, "BATCH_PAUSE_S", 0.0)
    now = SystemClock().now()
    long_ago, of_late = now - timedelta(days=DAYS, hours=1), now - timedelta(days=DAYS, hours=-1)
    scene = await open_scene(hub)
    await scene.enrol("Alice", ALICE)
    looks = {
        "alice": (long_ago, "front", like(ALICE, 9), RED),
        "old": (long_ago, "hall", BOB, BLUE),
        "other": (long_ago, "yard", unit(8), None),
        "late": (of_late, "yard", unit(9), None),
        "poster": (long_ago + timedelta(minutes=20), "hall", unit(10), None),
    }
    tracks = {
        name: moved(seen(name, camera=camera, face=face, clothes=clothes, open_=False), at)
        for name, (at, camera, face, clothes) in looks.items()
    }
    for track in tracks.values():
        for path in (track.crop_path, track.face_crop_path):
            store.write_picture(path, b"picture")
        scene.clock.at = track.last_seen_at + timedelta(seconds=1)
        await scene.save(track)
        await scene.resolve()
    poster = (await hub.tracks.get(tracks["poster"].local_track_id)).identity_id
    await hub.words.ignore_identity(poster, Speaker("Carol", NOON), ignored=True)

    async def remembered() -> dict[str, tuple[bool, bool, bool]]:
        """Return of whom face, clothes, and the face's picture are there."""
        rows = {name: (await hub.tracks.get(track.local_track_id)).track for name, track in tracks.items()}
        return {
            name: (
                row.face is not None,
                row.appearance is not None,
                store.resolve(tracks[name].face_crop_path).exists(),
            )
            for name, row in rows.items()
        }

    before = await remembered()
    assert [face for face, _, _ in before.values()] == [True] * 5
    async with at_work(replace(settings, stranger_days=DAYS)), asyncio.timeout(LIMIT_S):
        # A row that was read before its picture was looked for may be older than that.
        while any((told := await remembered())["old"]) or any(told["other"]):
            await asyncio.sleep(0.05)
    assert told == before | {"old": (False, False, False), "other": (False, False, False)}
    assert all(store.resolve(track.crop_path).exists() for track in tracks.values()), "that somebody was there stays"
    async with hub.database.connection() as connection:
        left = await connection.fetch("SELECT DISTINCT local_track_id FROM exemplar WHERE local_track_id IS NOT NULL")
    assert {row["local_track_id"] for row in left}.isdisjoint(
        {tracks["old"].local_track_id, tracks["other"].local_track_id}
    )
