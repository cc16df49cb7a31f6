"""Ingest ends while the hub is slow: the last states of tracks, which nothing else knows, are written all the same."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from tests.support.ingest_service import ingest_here, until
from tests.support.ports import free_port
from tests.support.squares import square_eyes

from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Camera, LocalTrack

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SLOW_S = 2.5  # a call of the database gives up after 3 s


async def test_a_call_that_fails_slowly_is_made_again_before_the_process_ends(hub, hub_settings, monkeypatch):
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    await hub.cameras.add(Camera("front", "Front", f"rtsp://127.0.0.1:{free_port()}/away", detect=False))
    track = LocalTrack(uuid4(), "front", "person", NOON, NOON, False, 0.9, 3)
    save, calls = hub.tracks.save, []

    async def slow(tracks, fences):
        calls.append(tracks)
        if len(calls) == 1:
            await asyncio.sleep(SLOW_S)
            raise HubUnavailableError("The database did not answer in time.")
        await save(tracks, fences)

    monkeypatch.setattr(hub.tracks, "save", slow)
    async with ingest_here(hub, replace(hub_settings, face_url="off")) as (service, _):

        async def holds_it() -> bool:
            return service._rounds is not None and "front" in service._rounds._fences()

        await until(holds_it)
        service._rounds.writer.put_tracks([track])
    assert (await hub.tracks.get(track.local_track_id)).track.local_track_id == track.local_track_id
