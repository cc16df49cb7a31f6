"""One backlog for several resolver processes as the service runs them: how fast it shrinks, and what they decided."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from tests.bench.long_past import put_looks_back
from tests.bench.measuring import cpu_of
from tests.bench.peers import end, start_service

from marengocam.core.model import LocalTrack
from marengocam.db.hub import Hub
from marengocam.db.resolution import TURN_KEY
from marengocam.settings import Settings

UP_S = 6.0  # until the processes are connected and wait for their turns
LIMIT_S = 180.0
POLL_S = 0.02
SAVED_AT_ONCE = 200
LEFT = "SELECT count(*) FROM local_track WHERE resolved_revision < revision AND run_id IS NULL"
# What another number of processes has left of the same tracks.
FORGET = (
    "DELETE FROM exemplar WHERE local_track_id = ANY($1)",
    "DELETE FROM local_track WHERE local_track_id = ANY($1)",
)
FOUNDED = "SELECT identity_id FROM assignment GROUP BY identity_id HAVING bool_and(local_track_id = ANY($1))"
FORGET_IDENTITIES = "DELETE FROM identity WHERE identity_id = ANY($1) OR merged_into = ANY($1)"
# Whatever is the same in every run: who goes with whom, by the first track of each identity, and how surely.
DECIDED = """
    SELECT a.local_track_id, concat_ws(' ',
        (SELECT min(local_track_id::text) FROM assignment WHERE identity_id = a.identity_id),
        round(a.probability::numeric, 4), i.person_id) AS decision
    FROM assignment a JOIN identity i USING (identity_id)
    WHERE a.local_track_id = ANY($1)"""


async def share(
    hub: Hub, settings: Settings, tracks: Sequence[LocalTrack], fences: dict[str, int], processes: int
) -> tuple[dict[str, Any], dict[UUID, str]]:
    """Have so many resolver processes decide on tracks that they find all at once; return figures and decisions."""
    ids = [one.local_track_id for one in tracks]
    connection = await asyncpg.connect(settings.database_url.reveal())
    founded = [row["identity_id"] for row in await connection.fetch(FOUNDED, ids)]
    for query in FORGET:
        await connection.execute(query, ids)
    await connection.execute(FORGET_IDENTITIES, founded)
    await put_looks_back(connection)
    with tempfile.TemporaryDirectory() as folder:
        resolvers = [
            start_service("resolver", settings, Path(folder) / f"resolver{number}.log") for number in range(processes)
        ]
        try:
            await asyncio.sleep(UP_S)
            # Nobody begins before all is there: a turn waits for this lock.
            await connection.execute("SELECT pg_advisory_lock($1)", TURN_KEY)
            for start in range(0, len(tracks), SAVED_AT_ONCE):
                await hub.tracks.save(tracks[start : start + SAVED_AT_ONCE], fences)
            cpu_before_s = cpu_of(*(one.pid for one in resolvers))
            before_s = time.perf_counter()
            await connection.execute("SELECT pg_advisory_unlock($1)", TURN_KEY)
            half_s = await _until_left(connection, resolvers, len(tracks) // 2)
            spent_s = await _until_left(connection, resolvers, 0) - before_s
            cpu_s = cpu_of(*(one.pid for one in resolvers)) - cpu_before_s
        finally:
            for one in resolvers:
                end(one)
    decided = {row["local_track_id"]: row["decision"] for row in await connection.fetch(DECIDED, ids)}
    await connection.close()
    figures = {
        "tracks_a_second": round(len(tracks) / spent_s, 1),
        # Each process's first turns take longer: plans are made, and Python's own.
        "second_half_a_second": round(len(tracks) / 2 / (spent_s - half_s + before_s), 1),
        "resolvers_cpu_ms_a_track": round(1000 * cpu_s / len(tracks), 2),
    }
    return figures, decided


async def _until_left(connection: Any, resolvers: Sequence[subprocess.Popen[bytes]], most: int) -> float:
    """Return when so many tracks at most were left to be decided on."""
    async with asyncio.timeout(LIMIT_S):
        while await connection.fetchval(LEFT) > most:
            if any(one.poll() is not None for one in resolvers):
                raise RuntimeError("a resolver has ended")
            await asyncio.sleep(POLL_S)
    return time.perf_counter()
