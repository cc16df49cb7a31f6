"""A hub whose tracks are saved as ingest would, with a resolver to call on."""

from dataclasses import replace

import numpy as np
from prometheus_client import CollectorRegistry

from marengocam.core.clock import ManualClock
from marengocam.core.identity import CameraGraph
from marengocam.core.model import EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn
from tests.support.resolver_scenes import FACE_MODEL, NOON, REID_MODEL, embedding, track

CAMERAS = ("front", "yard", "hall")
CONFIRM = 0.95


def unit(seed: int, size: int = 128) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=size)
    return (values / np.linalg.norm(values)).astype(np.float32)


def like(vector: np.ndarray, seed: int, noise: float = 0.5) -> np.ndarray:
    """Return another picture of the same thing: cosine about 0.9."""
    mixed = vector + noise * unit(seed, len(vector))
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


class Scene:
    """A hub with cameras whose tracks are saved as ingest would, and a resolver to call on."""

    def __init__(self, hub: Hub, fences: dict[str, int]) -> None:
        self.hub = hub
        self.fences = fences
        self.clock = ManualClock(NOON)

    async def save(self, *tracks: LocalTrack) -> None:
        await self.hub.tracks.save(tracks, self.fences)

    async def resolve(self) -> None:
        metrics = ResolverMetrics(CollectorRegistry())
        while await take_turn(self.hub.resolution, CameraGraph(), CONFIRM, self.clock, metrics):
            pass

    async def said(self, *types: EventType) -> list:
        events = await self.hub.events.after(0, 10_000)
        return [event for event in events if not types or event.type in types]

    async def enrol(self, name: str, face: np.ndarray):
        person = await self.hub.persons.add(name, NOON)
        await self.hub.persons.add_exemplar(person.person_id, embedding(FACE_MODEL, vector=face), NOON)
        return person


async def open_scene(hub: Hub) -> Scene:
    """Return a scene whose cameras are leased to the test."""
    fences = {}
    for camera in CAMERAS:
        lease = await hub.leases.acquire(f"camera:{camera}", "test", 600)
        fences[camera] = lease.fence
    return Scene(hub, fences)


def seen(name: str, *, face=None, clothes=None, **told) -> LocalTrack:
    made = track(name, **told)
    return replace(
        made,
        face=embedding(FACE_MODEL, vector=face) if face is not None else None,
        appearance=embedding(REID_MODEL, vector=clothes) if clothes is not None else None,
    )


async def everything_in(hub: Hub) -> dict[str, str]:
    """Return each table's content as text."""
    async with hub.database.connection() as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            row["tablename"]: await connection.fetchval(
                f"SELECT coalesce(string_agg(one::text, ' '), '') FROM {row['tablename']} AS one"
            )
            for row in tables
        }


ALICE, BOB = unit(1), unit(2)
RED, BLUE = unit(3, 256), unit(4, 256)


def turned(share: float) -> np.ndarray:
    """Return clothes seen from so far towards another side; from side to side they are hardly alike (cosine 0.3)."""
    other = unit(40, 256) - (unit(40, 256) @ RED) * RED
    other = 0.3 * RED + 0.95 * other / np.linalg.norm(other)
    mixed = (1 - share) * RED + share * other
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)
