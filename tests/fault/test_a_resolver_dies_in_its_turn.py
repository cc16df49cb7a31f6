"""kill -9 of one of two resolver processes in the middle of its turn: the other decides on everything, and once."""

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4, uuid5

import asyncpg
import pytest
from tests.bench.peers import end, start_service
from tests.support.backends import holds, problems
from tests.support.resolver_hub import ALICE, BOB, CAMERAS, like, open_scene, seen, unit
from tests.support.resolver_scenes import REID_MODEL

from marengocam.core.model import EventType
from marengocam.core.secret import Secret
from marengocam.resolver.gallery import EXEMPLAR_NAMESPACE
from marengocam.resolver.turn import PART_TRACKS

TRACKS = 200
WAIT_S = 60.0
RUN_LIMIT_S = 150
HALTED_AT = 2 * PART_TRACKS + PART_TRACKS // 2  # the turn's first two parts are written by then, its third is not
CONNECTED = "SELECT count(DISTINCT usename) = 2 FROM pg_stat_activity WHERE usename = ANY($1)"
HALTED = "SELECT usename FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
WAITING = "SELECT count(*) FROM local_track WHERE resolved_revision < revision"
WRITTEN = """
    SELECT (SELECT count(*) FROM assignment) + (SELECT count(*) FROM identity) + (SELECT count(*) FROM event)
        + (SELECT count(*) FROM exemplar WHERE source <> 'enrolled')"""
HALT = """
    INSERT INTO exemplar (exemplar_id, person_id, kind, model, embedding, quality, source, created_at)
    SELECT $1, person_id, kind, model, embedding, quality, source, created_at FROM exemplar LIMIT 1"""


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_the_other_decides_on_everything_once(hub, hub_settings, tmp_path):
    scene = await open_scene(hub)
    await scene.enrol("Alice", ALICE)
    await scene.enrol("Bob", BOB)
    async with accounts(hub, "one", "two") as names:
        resolvers = {name: resolver(hub_settings, name, tmp_path) for name in names}
        try:
            await holds(lambda: told(hub, CONNECTED, names), WAIT_S)
            async with halted_turn(hub_settings, walks()[HALTED_AT]) as server_pid:
                await scene.save(*walks())
                await holds(lambda: told(hub, HALTED, server_pid), WAIT_S)
                victim = resolvers.pop(await told(hub, HALTED, server_pid))
                victim.kill()
                victim.wait()
                assert await told(hub, WRITTEN) == 0, "a turn is written as a whole or not at all"
                assert await told(hub, WAITING) == TRACKS
            await holds(lambda: told(hub, f"SELECT ({WAITING}) = 0"), WAIT_S)
            (survivor,) = resolvers.values()
            assert survivor.poll() is None
        finally:
            for one in resolvers.values():
                end(one)
    events = await scene.said()
    assert [one.number for one in events] == list(range(1, len(events) + 1))
    assert set(Counter((one.local_track_id, one.type) for one in events).values()) == {1}
    # As of two resolvers that nothing happens to.
    assert Counter(one.type for one in events) == {
        EventType.PERSON_DETECTED: TRACKS,
        EventType.PERSON_CONFIRMED: 134,
        EventType.PERSON_UNKNOWN: 66,
    }
    assert await told(hub, "SELECT count(*) FROM assignment") == TRACKS
    assert await problems(hub, hub_settings) == {}


def walks():
    """Return the tracks of people one after another, two thirds of whom show a face that is known."""
    faces = (like(ALICE, 5), like(BOB, 6), None)
    return [
        seen(
            f"walk{n}", camera=CAMERAS[n % 3], start_s=n * 5, end_s=n * 5 + 4,
            face=faces[n % 3], clothes=unit(100 + n, 256), open_=False,
        )
        for n in range(TRACKS)
    ]  # fmt: skip


@asynccontextmanager
async def accounts(hub, *names):
    """Lend accounts of the database: the server tells by them whose connection is whose."""
    made = [f"{name}_{uuid4().hex}" for name in names]
    async with hub.database.connection() as connection:
        for one in made:
            await connection.execute(f"CREATE ROLE {one} LOGIN SUPERUSER")
    try:
        yield made
    finally:
        async with hub.database.connection() as connection:
            for one in made:
                await connection.execute(f"DROP ROLE {one}")


def resolver(settings, account, folder):
    split = urlsplit(settings.database_url.reveal())
    netloc = f"{account}@{split.netloc.rpartition('@')[2]}"
    own = replace(settings, database_url=Secret(split._replace(netloc=netloc).geturl()))
    return start_service("resolver", own, folder / f"{account}.log")


@asynccontextmanager
async def halted_turn(settings, track):
    """Have a turn wait where it writes this track's looks: the same row is being written on the yielded connection."""
    row_id = uuid5(EXEMPLAR_NAMESPACE, f"{track.local_track_id}/appearance/{REID_MODEL}")
    connection = await asyncpg.connect(settings.database_url.reveal())
    try:
        writing = connection.transaction()
        await writing.start()
        await connection.execute(HALT, row_id)
        yield connection.get_server_pid()
        await writing.rollback()
    finally:
        await connection.close()


async def told(hub, query, *arguments):
    async with hub.database.connection() as connection:
        return await connection.fetchval(query, *arguments)
