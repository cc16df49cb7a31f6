"""A past of any length for the bench of the resolver: strangers who come again and again, persons, and new tracks."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np

from marengocam.core.calibration import APPEARANCE_FITS, FACE_FITS, CosineFit
from marengocam.core.clock import SystemClock
from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, Embedding, LocalTrack, PathPoint, Vector
from marengocam.db.hub import Hub
from marengocam.db.queries import vector_text
from marengocam.db.turn import OBSERVED_LIMIT
from marengocam.settings import Settings

TRACKS = 600  # new ones
CAMERAS = 8
PEOPLE = 1_000  # different individuals in the history, who come again and again
PERSONS = 12  # of them are enrolled, with 5 faces each
STRANGERS = PEOPLE - PERSONS
FACES_EACH = 5
FACE_SHARE = 0.3  # of tracks show a face that can be read
TRACKS_AN_HOUR = 120
VISIT_TRACKS = 3
FACE, CLOTHES = "mobilefacenet-128", "omz-reid-0287-256"
FACE_SIZE, CLOTHES_SIZE = 128, 256
SEED = 7
LOAD_LIMIT_S = 1_800.0
# As the resolver leaves it: all visits of a stranger are one identity's, which keeps only so many of its looks. `g`
# numbers tracks from the newest back; in each round of visits everybody comes once.
PAST_TRACKS = """
    INSERT INTO local_track (local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score, observations,
        face, face_model, face_quality, appearance, appearance_model, appearance_quality, revision, resolved_revision)
    SELECT md5('track' || g)::uuid, 'camera' || g % $6::int, 'person', false, at - interval '10 seconds', at, 0.9, 30,
        CASE WHEN g % 3 = 0 THEN face END, CASE WHEN g % 3 = 0 THEN $7::text END, 0.7, clothes, $8::text, 0.8, 1, 1
    FROM (SELECT g, now() - make_interval(secs => $3::float8 + g * $4::float8) AS at
          FROM generate_series($1::int, $2::int - 1) g) AS one
    JOIN bench_look ON n = (g / 3)::bigint * 7919 % $5::int AND look = g / 3 / $5::int % $9::int"""
PAST_ASSIGNMENTS = """
    WITH past AS MATERIALIZED (
        SELECT t.local_track_id, md5('identity' || (g / 3)::bigint * 7919 % $3::int)::uuid AS identity_id,
            t.first_seen_at, t.last_seen_at
        FROM generate_series($1::int, $2::int - 1) g JOIN local_track t ON t.local_track_id = md5('track' || g)::uuid
    ), strangers AS (
        INSERT INTO identity (identity_id, first_seen_at, last_seen_at, created_at)
        SELECT identity_id, min(first_seen_at), max(last_seen_at), min(first_seen_at) FROM past GROUP BY identity_id
        ON CONFLICT (identity_id) DO UPDATE SET first_seen_at = excluded.first_seen_at
    )
    INSERT INTO assignment (local_track_id, identity_id, probability, margin, evidence, decided_by, decided_at)
    SELECT local_track_id, identity_id, 0.95, 3, '{"cues": [], "recognition": 5, "trust": 0.95}', 'resolver', now()
    FROM past"""
PAST_EXEMPLARS = """
    INSERT INTO exemplar (exemplar_id, identity_id, local_track_id, kind, model, embedding, quality, source, created_at,
        remembered)
    SELECT md5(kind || local_track_id)::uuid, identity_id, local_track_id, kind, model, vector, quality, 'observed',
        last_seen_at, kind = 'face'
    FROM (
        SELECT look.*, t.local_track_id, a.identity_id, t.last_seen_at,
            row_number() OVER (PARTITION BY a.identity_id, kind ORDER BY t.last_seen_at DESC) AS place
        FROM generate_series(0, $1::int * $2::int - 1) g
        JOIN local_track t ON t.local_track_id = md5('track' || g)::uuid
        JOIN assignment a USING (local_track_id)
        CROSS JOIN LATERAL (
            VALUES ('face', face_model, face, face_quality),
                ('appearance', appearance_model, appearance, appearance_quality)
        ) AS look (kind, model, vector, quality)
        WHERE vector IS NOT NULL
    ) AS passing
    WHERE place <= $1::int
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
    """Write a past backwards from where the new tracks begin: each stranger comes again and again, three in a row."""
    connection = await asyncpg.connect(settings.database_url.reveal(), command_timeout=LOAD_LIMIT_S)
    await connection.execute("SET statement_timeout = 0")
    step_s, gap_s = 3600 / TRACKS_AN_HOUR, TRACKS * 3600 / TRACKS_AN_HOUR
    await dress(connection, world, want)
    await connection.execute(PAST_TRACKS, have, want, gap_s, step_s, STRANGERS, CAMERAS, FACE, CLOTHES, OBSERVED_LIMIT)
    await connection.execute(PAST_ASSIGNMENTS, have, want, STRANGERS)
    # Filling a table is faster without this index, and making it at once gives the same.
    index = await connection.fetchval("SELECT pg_get_indexdef('exemplar_remembered'::regclass)")
    await connection.execute("DROP INDEX exemplar_remembered; SET maintenance_work_mem = '256MB'")
    await put_looks_back(connection)
    await connection.execute(index)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def put_looks_back(connection: asyncpg.Connection) -> None:
    """Have strangers show what they showed last before the new tracks, whose looks may have taken its place."""
    await connection.execute(PAST_EXEMPLARS, OBSERVED_LIMIT, VISIT_TRACKS * STRANGERS)


async def dress(connection: asyncpg.Connection, world: World, tracks: int) -> None:
    """Give each stranger a look for each visit whose face may be kept, as far as a past of so many tracks has them."""
    have = await connection.fetchval("SELECT count(DISTINCT look) FROM bench_look")
    for look in range(have, min(OBSERVED_LIMIT, math.ceil(tracks / VISIT_TRACKS / STRANGERS))):
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
    await put_looks_back(connection)
    await connection.close()


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
