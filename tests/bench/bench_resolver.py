"""The resolver against histories of 1k, 100k and 1M tracks: a backlog's tracks a second, p50 and p99 of one alone."""

import asyncio
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
from prometheus_client import CollectorRegistry
from tests.bench.measuring import arguments_of, at_least, at_most, cpu_of, cpu_s, family, tell
from tests.bench.peers import hub_settings
from tests.bench.shared_backlog import share

from marengocam.core.calibration import APPEARANCE_FITS, FACE_FITS, CosineFit
from marengocam.core.clock import SystemClock
from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, Embedding, LocalTrack, PathPoint, Vector
from marengocam.db.hub import Hub, open_hub
from marengocam.db.queries import vector_text
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn
from marengocam.runtime.memory import spare_what_stays
from marengocam.settings import Settings

SIZES = (1_000, 100_000, 1_000_000)
TRACKS = 600
CAMERAS = 8
PEOPLE = 1_000  # different individuals in the history, who come again and again
PERSONS = 12  # of them are enrolled, with 5 faces each
STRANGERS = PEOPLE - PERSONS
FACES_EACH = 5
FACE_SHARE = 0.3  # of tracks show a face that can be read
TRACKS_AN_HOUR = 120
STRANGERS_KEPT = timedelta(days=90)
VISIT_TRACKS = 3
# Looks of each stranger: one for each visit that is remembered. Copies of one face are islands in the index of faces:
# of strangers with 87 of them it misses half, of those with as many faces of their own nobody.
LOOKS_EACH = math.ceil(STRANGERS_KEPT / timedelta(hours=1) * TRACKS_AN_HOUR / VISIT_TRACKS / STRANGERS)
FACE, CLOTHES = "mobilefacenet-128", "omz-reid-0287-256"
FACE_SIZE, CLOTHES_SIZE = 128, 256
SEED = 7
SHARING = (1, 2)
LEASE_S = 600
LOAD_LIMIT_S = 1_800.0
PAST_IDENTITIES = """
    INSERT INTO identity (identity_id, first_seen_at, last_seen_at, created_at)
    SELECT md5('identity' || g)::uuid, at, at, at
    FROM (SELECT g, now() - make_interval(secs => $3::float8 + g * 3 * $4::float8) AS at
          FROM generate_series($1::int / 3, ($2::int - 1) / 3) g) AS one
    ON CONFLICT DO NOTHING"""
PAST_TRACKS = """
    INSERT INTO local_track (local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score, observations,
        face, face_model, face_quality, appearance, appearance_model, appearance_quality, revision, resolved_revision)
    SELECT md5('track' || g)::uuid, 'camera' || g % $6::int, 'person', false, at - interval '10 seconds', at, 0.9, 30,
        CASE WHEN g % 3 = 0 THEN face END, CASE WHEN g % 3 = 0 THEN $7::text END, 0.7, clothes, $8::text, 0.8, 1, 1
    FROM (SELECT g, now() - make_interval(secs => $3::float8 + g * $4::float8) AS at
          FROM generate_series($1::int, $2::int - 1) g) AS one
    JOIN bench_look ON n = (g / 3)::bigint * 7919 % $5::int AND look = g / 3 / $5::int % $9::int"""
PAST_ASSIGNMENTS = """
    INSERT INTO assignment (local_track_id, identity_id, probability, margin, evidence, decided_by, decided_at)
    SELECT md5('track' || g)::uuid, md5('identity' || g / 3)::uuid, 0.95, 3,
        '{"cues": [], "recognition": 5, "trust": 0.95}', 'resolver', now()
    FROM generate_series($1::int, $2::int - 1) g"""
PAST_EXEMPLARS = """
    INSERT INTO exemplar (exemplar_id, identity_id, local_track_id, kind, model, embedding, quality, source, created_at,
        remembered)
    SELECT md5(kind || t.local_track_id)::uuid, a.identity_id, t.local_track_id, kind, model, vector, 0.7, 'observed',
        t.last_seen_at, kind = 'face'
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    CROSS JOIN LATERAL (VALUES ('face', t.face_model, t.face), ('appearance', t.appearance_model, t.appearance))
        AS look (kind, model, vector)
    WHERE vector IS NOT NULL AND t.last_seen_at > now() - $1::interval
    ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class World:
    """Who lives in the bench: a face and clothes for each individual."""

    faces: np.ndarray
    clothes: np.ndarray
    rng: np.random.Generator

    def seen(self, of: np.ndarray, fit: CosineFit) -> Vector:
        """Return one look of somebody or of each: two of the same individual are as alike as the fit says."""
        noise = unit(self.rng.normal(size=of.shape))
        noise = unit(noise - (noise * of).sum(-1, keepdims=True) * of)
        share = fit.same_mean**0.5
        return np.asarray(unit(share * of + (1 - fit.same_mean) ** 0.5 * noise), np.float32)


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def main() -> int:
    parser = arguments_of(__doc__, tracks=TRACKS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="tracks of history")
    parser.add_argument(
        "--resolvers", type=int, nargs="*", default=SHARING, help="processes that share a backlog, one figure for each"
    )
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.sizes, arguments.tracks, arguments.resolvers))
    largest = figures[str(max(arguments.sizes))]
    targets = [
        at_most("issue", f"p99 of a decision at {max(arguments.sizes)} tracks, ms", largest["decision_p99_ms"], 20.0),
        at_least("issue", "tracks resolved a second, least of all sizes", least(figures), 500.0),
        at_least("issue", "the same by processes that share the backlog, the best number", shared(figures), 500.0),
        at_most("issue", "p50 at the largest history against the smallest", flatness(figures), 2.0),
    ]
    tell(
        "resolver", arguments.json, figures, targets, ["Embeddings are synthetic, spread as core/calibration.py says."]
    )
    return 0


def least(figures: dict[str, Any]) -> float:
    return min(one["tracks_a_second"] for one in figures.values())


def shared(figures: dict[str, Any]) -> float | None:
    """Return the most tracks a second that some number of processes resolved, least of all sizes."""
    best = [max((each["tracks_a_second"] for each in one["shared"].values()), default=None) for one in figures.values()]
    return min((one for one in best if one is not None), default=None)


def flatness(figures: dict[str, Any]) -> float:
    by_size = [one["decision_p50_ms"] for _, one in sorted(figures.items(), key=lambda pair: int(pair[0]))]
    return round(by_size[-1] / by_size[0], 2)


async def measure(sizes: Sequence[int], tracks: int, resolvers: Sequence[int] = ()) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    async with hub_settings() as settings:
        history = 0
        for size in sorted(sizes):
            async with open_hub(settings, "bench", 4) as hub:
                world = await the_world(settings, hub, first=history == 0)
                await grow(settings, world, history, size)
                history = size
                fences = await leases(hub)
                figures[str(size)] = await decide(hub, world, tracks, fences)
                await forget_the_new(settings)
                figures[str(size)]["shared"] = await shares(hub, settings, new_tracks(world, tracks), fences, resolvers)
            await forget_the_new(settings)
    return figures


async def the_world(settings: Settings, hub: Hub, *, first: bool) -> World:
    rng = np.random.default_rng(SEED)
    world = World(unit(rng.normal(size=(PEOPLE, FACE_SIZE))), unit(rng.normal(size=(PEOPLE, CLOTHES_SIZE))), rng)
    if first:
        for number in range(CAMERAS):
            await hub.cameras.add(Camera(f"camera{number}", f"Camera {number}", "file:///dev/null"))
        now = SystemClock().now()
        for number in range(PERSONS):
            person = await hub.persons.add(f"Person {number}", now)
            for _ in range(FACES_EACH):
                look = world.seen(world.faces[number], FACE_FITS[FACE])
                await hub.persons.add_exemplar(person.person_id, Embedding(FACE, look, 0.9), now)
        connection = await asyncpg.connect(settings.database_url.reveal())
        await connection.execute(
            "CREATE TABLE bench_look (look int, n int, face halfvec, clothes halfvec, PRIMARY KEY (look, n))"
        )
        await connection.close()
    return world


async def grow(settings: Settings, world: World, have: int, want: int) -> None:
    """Write a past backwards from where the new tracks begin: each individual has three in a row."""
    connection = await asyncpg.connect(settings.database_url.reveal(), command_timeout=LOAD_LIMIT_S)
    await connection.execute("SET statement_timeout = 0")
    step_s, gap_s = 3600 / TRACKS_AN_HOUR, TRACKS * 3600 / TRACKS_AN_HOUR
    await dress(connection, world, want)
    await connection.execute(PAST_IDENTITIES, have, want, gap_s, step_s)
    await connection.execute(PAST_TRACKS, have, want, gap_s, step_s, STRANGERS, CAMERAS, FACE, CLOTHES, LOOKS_EACH)
    await connection.execute(PAST_ASSIGNMENTS, have, want)
    # Filling a table is faster without this index, and making it at once gives the same.
    index = await connection.fetchval("SELECT pg_get_indexdef('exemplar_remembered'::regclass)")
    await connection.execute("DROP INDEX exemplar_remembered; SET maintenance_work_mem = '256MB'")
    await connection.execute(PAST_EXEMPLARS, STRANGERS_KEPT)
    await connection.execute(index)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def dress(connection: asyncpg.Connection, world: World, tracks: int) -> None:
    """Give each stranger as many looks as he has visits in a past of so many tracks."""
    have = await connection.fetchval("SELECT count(DISTINCT look) FROM bench_look")
    for look in range(have, min(LOOKS_EACH, math.ceil(tracks / VISIT_TRACKS / STRANGERS))):
        now = replace(world, rng=np.random.default_rng((SEED, look)))
        faces = now.seen(world.faces[PERSONS:], FACE_FITS[FACE])
        clothes = now.seen(world.clothes[PERSONS:], APPEARANCE_FITS[CLOTHES])
        await connection.executemany(
            "INSERT INTO bench_look VALUES ($1, $2, $3::text::halfvec, $4::text::halfvec)",
            [(look, n, vector_text(faces[n]), vector_text(clothes[n])) for n in range(STRANGERS)],
        )


async def forget_the_new(settings: Settings) -> None:
    """Take back what a round has added: the next one meets as many people in its hours."""
    connection = await asyncpg.connect(settings.database_url.reveal(), command_timeout=LOAD_LIMIT_S)
    since = timedelta(hours=TRACKS / TRACKS_AN_HOUR)
    await connection.execute("DELETE FROM local_track WHERE last_seen_at > now() - $1::interval", since)
    await connection.execute(
        "DELETE FROM exemplar WHERE source <> 'enrolled' AND created_at > now() - $1::interval", since
    )
    await connection.close()


async def shares(
    hub: Hub, settings: Settings, backlog: Sequence[LocalTrack], fences: dict[str, int], resolvers: Sequence[int]
) -> dict[str, Any]:
    """Have each number of processes decide on the same tracks; the first run is not counted: it may name the past."""
    figures: dict[str, Any] = {}
    if resolvers:
        await share(hub, settings, backlog, fences, resolvers[0])
    first: dict[UUID, str] = {}
    for processes in resolvers:
        speed, decided = await share(hub, settings, backlog, fences, processes)
        first = first or decided
        otherwise = sum(decided[track_id] != first[track_id] for track_id in first)
        figures[str(processes)] = speed | {"decided_otherwise": otherwise}  # than by the first number
    return figures


async def leases(hub: Hub) -> dict[str, int]:
    """Take all cameras; return the fences that their tracks are written with."""
    fences = {}
    for number in range(CAMERAS):
        lease = await hub.leases.acquire(f"camera:camera{number}", "bench", LEASE_S)
        assert lease is not None
        fences[f"camera{number}"] = lease.fence
    return fences


async def decide(hub: Hub, world: World, tracks: int, fences: dict[str, int]) -> dict[str, Any]:
    """Resolve new tracks, some one by one as they come and the rest as a backlog; return the figures.

    A decision's time is that of the whole turn: waiting for its turn, claiming, reading, deciding, writing, committing.
    """
    wanted = new_tracks(world, tracks)
    metrics = ResolverMetrics(CollectorRegistry())
    spare_what_stays()  # as the service does
    graph = await hub.resolution.camera_graph(SystemClock().now())
    alone = wanted[: tracks // 3]  # one by one
    times_s = []
    for one in alone:
        await hub.tracks.save([one], fences)
        before_s = time.perf_counter()
        await take_turn(hub.resolution, graph, 0.95, SystemClock(), metrics)
        times_s.append(time.perf_counter() - before_s)
    while await take_turn(hub.resolution, graph, 0.95, SystemClock(), metrics):
        pass
    saving_s = time.perf_counter()
    rest = wanted[len(alone) :]
    for start in range(0, len(rest), 200):
        await hub.tracks.save(rest[start : start + 200], fences)
    saving_s = time.perf_counter() - saving_s
    before_cpu_s, before_server_s = cpu_s(), server_cpu_s()
    before_s, done, turns_s = time.perf_counter(), 0, []
    while busy := await take_turn(hub.resolution, graph, 0.95, SystemClock(), metrics):
        done += busy
        turns_s.append(time.perf_counter() - before_s - sum(turns_s))
    spent_s, own_s, server_s = time.perf_counter() - before_s, cpu_s(), server_cpu_s()
    assert done >= len(rest)  # more where one that found a name had its identity looked at again
    quantiles = statistics.quantiles(times_s, n=100)
    return {
        "tracks_a_second": round(done / spent_s, 1),
        "longest_turn_ms": round(1000 * max(turns_s), 1),
        "decision_p50_ms": round(1000 * quantiles[49], 2),
        "decision_p99_ms": round(1000 * quantiles[98], 2),
        "resolver_cpu_ms_a_track": round(1000 * (own_s - before_cpu_s) / done, 2),
        "server_cpu_ms_a_track": round(1000 * (server_s - before_server_s) / done, 2),
        "rows_saved_a_second": round(len(rest) / saving_s),
        "named": await named(hub, wanted),
    }


def server_cpu_s() -> float:
    """Return user+sys CPU seconds so far of the database's processes, which this one has started."""
    ours = [one for one in family(os.getpid())[1:] if one.name() == "postgres"]
    return cpu_of(*({one.pid for one in ours} - {child.pid for one in ours for child in one.children()}))


async def named(hub: Hub, tracks: Sequence[LocalTrack]) -> int:
    rows = [await hub.tracks.get(track.local_track_id) for track in tracks]
    return sum(row.person_id is not None for row in rows)


def new_tracks(world: World, count: int) -> list[LocalTrack]:
    """Return tracks of the last hours: individuals walk through three cameras each, some show a face."""
    rng, now = world.rng, datetime.now(UTC)  # noqa: TID251 - beside rows of the database's now()
    found: list[LocalTrack] = []
    whom = np.repeat(rng.integers(PEOPLE, size=count // 3 + 1), 3)
    whom[::6] = rng.integers(PERSONS, size=len(whom[::6]))
    for number, who in enumerate(whom[:count].tolist()):
        at = now - timedelta(hours=(count - number) / TRACKS_AN_HOUR)
        clothes = world.seen(world.clothes[who], APPEARANCE_FITS[CLOTHES])
        face = world.seen(world.faces[who], FACE_FITS[FACE]) if rng.random() < FACE_SHARE else None
        x = float(rng.random()) * 0.8
        boxes = [Box(x, 0.3, x + 0.1, 0.8), Box(x + 0.05, 0.3, x + 0.15, 0.8)]
        track = LocalTrack(
            new_id(at), f"camera{number % CAMERAS}", "person", at - timedelta(seconds=5), at, False, 0.9, 25,
            tuple(PathPoint(at - timedelta(seconds=5 * (1 - n)), box, 0.9) for n, box in enumerate(boxes)),
        )  # fmt: skip
        track = replace(track, appearance=Embedding(CLOTHES, clothes, 0.8))
        found.append(replace(track, face=Embedding(FACE, face, 0.8)) if face is not None else track)
    return found


if __name__ == "__main__":
    sys.exit(main())
