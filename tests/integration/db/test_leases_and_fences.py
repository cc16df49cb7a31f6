"""Leases by the database's clock, and fences that keep a stale holder from writing."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from marengocam.core.errors import LeaseLostError
from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Embedding, LocalTrack, NameEvidence, PathPoint
from marengocam.db.database import CALL_TIMEOUT_S
from marengocam.db.hub import DEFAULT_POOL_SIZE
from marengocam.db.queries import load, rows
from marengocam.db.tracks import TrackFilter

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOT_WAITED_S = CALL_TIMEOUT_S - 0.5  # whoever waits for a lock or a connection is refused after that limit


def track(camera_id="door", **changes):
    values = {
        "local_track_id": new_id(AT),
        "camera_id": camera_id,
        "label": "person",
        "first_seen_at": AT,
        "last_seen_at": AT + timedelta(seconds=2),
        "open": True,
        "score": 0.75,
        "observations": 4,
    }
    return LocalTrack(**(values | changes))


async def test_one_holder_at_a_time_and_the_fence_rises_with_each_new_one(hub):
    first = await hub.leases.acquire("camera:door", "one", 30)
    assert first is not None
    assert await hub.leases.acquire("camera:door", "two", 30) is None
    renewed = await hub.leases.acquire("camera:door", "one", 60)
    assert renewed is not None
    assert (renewed.fence, renewed.expires_at > first.expires_at) == (first.fence, True)
    await hub.leases.release(renewed)
    assert await hub.leases.list() == []
    second = await hub.leases.acquire("camera:door", "two", 30)
    assert second is not None
    assert second.fence > first.fence
    await hub.leases.release(first)
    assert [lease.holder for lease in await hub.leases.list()] == ["two"]


async def test_an_expired_lease_can_be_taken_by_another(hub):
    first = await hub.leases.acquire("camera:door", "one", 0.05)
    await asyncio.sleep(0.1)
    second = await hub.leases.acquire("camera:door", "two", 30)
    assert second is not None
    assert second.fence > first.fence
    assert await hub.leases.acquire("camera:door", "one", 30) is None


async def test_a_fence_is_never_given_out_twice_even_where_a_failover_lost_the_lease_s_row(hub):
    first = await hub.leases.acquire("camera:door", "one", 30)
    async with hub.database.connection() as connection:
        await connection.execute("DELETE FROM lease")  # as a standby that had not heard of it yet
    second = await hub.leases.acquire("camera:door", "two", 30)
    assert second.fence > first.fence
    with pytest.raises(LeaseLostError):
        await hub.tracks.save([track()], {"door": first.fence})


async def test_all_that_is_held_is_renewed_at_once_and_what_is_lost_is_left_out(hub):
    held = [await hub.leases.acquire(name, "one", 30) for name in ("camera:yard", "camera:door")]
    await hub.leases.acquire("camera:gate", "two", 30)
    names = ["camera:gate", "camera:door", "camera:nowhere", "camera:yard"]
    renewed = await hub.leases.renew(names, "one", 60)
    assert {key: one.fence for key, one in renewed.items()} == {one.name: one.fence for one in held}
    assert all(one.expires_at > max(before.expires_at for before in held) for one in renewed.values())
    assert await hub.leases.renew([], "one", 60) == {}


async def test_leases_are_renewed_while_their_holder_writes_for_long_under_each_of_them(hub):
    held = [await hub.leases.acquire(f"camera:{name}", "one", 30) for name in ("door", "yard")]
    async with hub.database.transaction() as writing:
        await rows(load("tracks").fences(writing, names=[one.name for one in held]))
        async with asyncio.timeout(NOT_WAITED_S):
            assert len(await hub.leases.renew([one.name for one in held], "one", 30)) == len(held)


async def test_leases_are_renewed_while_every_other_connection_is_busy(hub):
    lease = await hub.leases.acquire("camera:door", "one", 30)
    async with contextlib.AsyncExitStack() as busy:
        for _ in range(DEFAULT_POOL_SIZE):
            await busy.enter_async_context(hub.database.connection())
        async with asyncio.timeout(NOT_WAITED_S):
            assert set(await hub.leases.renew([lease.name], "one", 30)) == {lease.name}


async def test_nobody_waits_for_a_lease_whose_holder_froze_while_it_wrote(hub):
    lease = await hub.leases.acquire("camera:door", "one", 0.05)
    await asyncio.sleep(0.1)
    async with hub.database.transaction() as frozen:
        await rows(load("tracks").fences(frozen, names=[lease.name]))
        async with asyncio.timeout(NOT_WAITED_S):
            assert await hub.leases.acquire("camera:door", "two", 30) is None
            assert await hub.leases.acquire("camera:yard", "two", 30) is not None
    assert await hub.leases.acquire("camera:door", "two", 30) is not None


async def test_of_many_that_claim_at_once_exactly_one_gets_the_lease(hub):
    claims = await asyncio.gather(*(hub.leases.acquire("camera:door", f"holder {n}", 30) for n in range(12)))
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_a_stale_holder_writes_nothing(hub):
    first = await hub.leases.acquire("camera:door", "one", 0.05)
    mine = await hub.leases.acquire("camera:yard", "one", 30)
    fences = {"door": first.fence, "yard": mine.fence}
    await hub.tracks.save([track()], fences)
    await asyncio.sleep(0.1)
    await hub.leases.acquire("camera:door", "two", 30)
    with pytest.raises(LeaseLostError, match="door"):
        await hub.tracks.save([track("yard"), track()], fences)
    with pytest.raises(LeaseLostError):
        await hub.tracks.close_abandoned("door", first.fence)
    assert len(await hub.tracks.list(TrackFilter(), 10)) == 1


async def test_without_a_lease_nothing_is_written(hub):
    for fences in ({}, {"door": 1}):
        with pytest.raises(LeaseLostError):
            await hub.tracks.save([track()], fences)


async def test_a_new_holder_closes_what_the_old_one_left_open(hub):
    lease = await hub.leases.acquire("camera:door", "one", 30)
    left = track()
    await hub.tracks.save([left], {"door": lease.fence})
    assert await hub.tracks.close_abandoned("door", lease.fence) == 1
    assert (await hub.tracks.get(left.local_track_id)).track == replace(left, open=False)
    assert await hub.tracks.close_abandoned("door", lease.fence) == 0


async def test_a_track_comes_back_as_it_was_written_and_each_write_raises_its_revision(hub):
    lease = await hub.leases.acquire("camera:door", "one", 30)
    vector = np.zeros(8, dtype=np.float32)
    vector[3] = 1.0
    written = track(
        path=(PathPoint(AT, Box(0.1, 0.2, 0.3, 0.4), 0.5),),
        zones=("path", "door"),
        face=Embedding("sface", vector, 0.5),
        appearance=Embedding("osnet", vector, 0.25),
        name_evidence=NameEvidence("codeproject", "Alice", 0.5),
        face_engine_ok=False,
    )
    await hub.tracks.save([written], {"door": lease.fence})
    ended = replace(written, open=False, observations=9, last_seen_at=AT + timedelta(seconds=9))
    await hub.tracks.save([ended], {"door": lease.fence})
    stored = (await hub.tracks.get(written.local_track_id)).track
    np.testing.assert_array_equal(stored.face.vector, vector)
    np.testing.assert_array_equal(stored.appearance.vector, vector)
    assert replace(stored, face=None, appearance=None) == replace(ended, face=None, appearance=None)
    async with hub.database.connection() as connection:
        assert await connection.fetchval("SELECT revision FROM local_track") == 2


async def test_tracks_of_a_replay_need_no_lease_and_stay_apart_from_live(hub):
    run_id = await hub.replays.request("door", AT, from_at=AT, to_at=AT + timedelta(minutes=1))
    await hub.tracks.save([track(run_id=run_id)], {})
    assert await hub.tracks.list(TrackFilter(), 10) == []
    assert len(await hub.tracks.list(TrackFilter(run_id=run_id), 10)) == 1


async def test_lists_go_on_where_the_page_before_ended(hub):
    lease = await hub.leases.acquire("camera:door", "one", 30)
    tracks = [track(first_seen_at=AT - timedelta(seconds=number // 2)) for number in range(5)]
    await hub.tracks.save(tracks, {"door": lease.fence})
    found, before = [], None
    while page := await hub.tracks.list(TrackFilter(camera_id="door", before=before), 2):
        found += [row.track.local_track_id for row in page]
        before = (page[-1].track.first_seen_at, page[-1].track.local_track_id)
    assert len(found) == 5
    assert set(found) == {one.local_track_id for one in tracks}
