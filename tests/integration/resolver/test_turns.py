"""How a backlog falls into turns changes nothing: the same identities, names, merges and events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tests.bench.town import CAMERAS as TOWN_CAMERAS
from tests.bench.town import FACE, START, Town, build, look
from tests.support.resolver_hub import BLUE, CAMERAS, CONFIRM, RED, Scene, like, open_scene, seen, unit
from tests.support.resolver_scenes import ident

from marengocam.core.calibration import FACE_FITS
from marengocam.core.clock import ManualClock
from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome
from marengocam.core.model import Camera, LocalTrack
from marengocam.db.hub import Hub, open_hub
from marengocam.resolver import turn
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn
from marengocam.settings import Settings

AFTER = START + timedelta(days=1)
DECIDED = """
    SELECT a.local_track_id, a.identity_id, p.name, round(a.probability::numeric, 4) AS probability,
        a.announced_person_id, a.announced_unknown
    FROM assignment a JOIN identity i USING (identity_id) LEFT JOIN person p ON p.person_id = i.person_id
    ORDER BY a.local_track_id"""
IDENTITIES = (
    "SELECT identity_id, person_id, merged_into, first_seen_at, last_seen_at FROM identity ORDER BY identity_id"
)
LOOKS = "SELECT exemplar_id, identity_id, person_id, remembered FROM exemplar ORDER BY exemplar_id"
TOLD = "SELECT event_id, type, identity_id, person_name FROM event ORDER BY number"
FORGET = """
    DELETE FROM event; DELETE FROM exemplar WHERE source <> 'enrolled'; DELETE FROM assignment;
    DELETE FROM identity; DELETE FROM local_track"""


@dataclass(frozen=True)
class Backlog:
    """A town's tracks, all of them saved before any was decided on."""

    hub: Hub
    town: Town
    fences: dict[str, int]
    shares: list[int] = field(default_factory=list)  # how many tracks each resolver decided on

    async def resolved(
        self, monkeypatch: pytest.MonkeyPatch, tracks: int, span: timedelta, others: Sequence[Hub] = ()
    ) -> dict[str, list[Any]]:
        """Return all that is in the hub once the backlog was resolved in turns of at most so many tracks.

        `others` have resolvers of their own, which share it.
        """
        numbers = iter(range(1, 10_000))
        monkeypatch.setattr(turn, "new_id", lambda *_: UUID(int=next(numbers)))
        monkeypatch.setattr(turn, "TURN_TRACKS", tracks)
        monkeypatch.setattr(turn, "TURN_SPAN", span)
        async with self.hub.database.connection() as connection:
            await connection.execute(FORGET)
        await self.hub.tracks.save([one for one in self.town.revisions if not one.open], self.fences)
        self.shares[:] = await asyncio.gather(*(_resolver(one) for one in (self.hub, *others)))
        async with self.hub.database.connection() as connection:
            return {
                name: [tuple(row) for row in await connection.fetch(query)]
                for name, query in (("tracks", DECIDED), ("identities", IDENTITIES), ("looks", LOOKS), ("events", TOLD))
            }


async def _resolver(hub: Hub) -> int:
    clock, metrics, done = ManualClock(AFTER), ResolverMetrics(CollectorRegistry()), 0
    while count := await take_turn(hub.resolution, CameraGraph(), CONFIRM, clock, metrics):
        done += count
    return done


@pytest.fixture
async def backlog(hub: Hub) -> Backlog:
    town = build(people=10, residents=5, journeys=3, hours=1, seed=13)
    rng = np.random.default_rng(12)
    for one in town.people:
        if one.resident:
            person = await hub.persons.add(one.name, START)
            for _ in range(3):
                await hub.persons.add_exemplar(
                    person.person_id, look(rng, one.face, FACE, FACE_FITS[FACE], 0.95), START
                )
    fences = {}
    for camera in TOWN_CAMERAS:
        await hub.cameras.add(Camera(camera, camera, "file:///dev/null"))
        lease = await hub.leases.acquire(f"camera:{camera}", "test", 600)
        fences[camera] = lease.fence
    return Backlog(hub, town, fences)


@pytest.mark.timeout(120)
async def test_how_a_backlog_falls_into_turns_changes_nothing(
    backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await backlog.resolved(monkeypatch, 1, timedelta(minutes=10))
    assert sum(name is not None for _, _, name, *_ in alone["tracks"]) > 20
    for tracks, span in ((12, timedelta(minutes=10)), (48, timedelta(minutes=10)), (48, timedelta(minutes=30))):
        together = await backlog.resolved(monkeypatch, tracks, span)
        for what, rows in alone.items():
            assert together[what] == rows, f"{what} in turns of {tracks} tracks within {span}"


@pytest.mark.timeout(120)
async def test_several_resolvers_at_once_decide_as_one_does(
    backlog: Backlog, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await backlog.resolved(monkeypatch, 12, timedelta(minutes=30))
    async with open_hub(hub_settings, "second", 2) as second, open_hub(hub_settings, "third", 2) as third:
        for one in (second, third):
            await one.events.last_number()  # all are connected when they begin
        shared = await backlog.resolved(monkeypatch, 12, timedelta(minutes=30), (second, third))
    assert min(backlog.shares) > 0
    for what, rows in alone.items():
        assert shared[what] == rows, what


@pytest.mark.parametrize("part", [1, 12])
async def test_who_is_found_to_be_somebody_who_is_found_to_be_somebody_else_ends_up_there(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(turn, "PART_TRACKS", part)
    scene = await open_scene(hub)
    kept = dict(zip("abc", (RED, BLUE, unit(5, 256)), strict=True))
    for number, (name, clothes) in enumerate(kept.items()):
        await scene.save(walk(name, CAMERAS[number], 200 * number, clothes))
        await scene.resolve()
    await scene.save(walk("a again", "hall", 20, like(RED, 7)))
    await scene.resolve()
    a, b, c = [await identity_of(scene, name) for name in kept]
    assert len({a, b, c}) == 3
    assert await identity_of(scene, "a again") == a

    found = {ident("a"): (a, b), ident("b"): (b, c)}
    real = turn.resolve

    def told(claimed: ClaimedTrack, *around: Any, **rules: Any) -> Outcome:
        """Decide as ever, but find that A is B and that B is C."""
        outcome = real(claimed, *around, **rules)
        if claimed.track.local_track_id not in found:
            return outcome
        joined, into = found[claimed.track.local_track_id]
        looks = tuple(replace(one, identity_id=into) for one in outcome.exemplars)
        return replace(outcome, identity_id=into, left_identity_id=joined, joined_identity_id=joined, exemplars=looks)

    monkeypatch.setattr(turn, "resolve", told)
    again = [walk(name, CAMERAS[number], 200 * number, kept[name]) for number, name in enumerate("ab")]
    await scene.save(*again, walk("a again", "hall", 20, like(RED, 7), last_s=300))
    await scene.resolve()
    assert {await identity_of(scene, name) for name in (*kept, "a again")} == {c}
    async with hub.database.connection() as connection:
        left = {row["identity_id"]: row["merged_into"] for row in await connection.fetch(IDENTITIES)}
        looks = await connection.fetch(LOOKS)
    assert left == {a: b, b: c, c: None}
    assert {row["identity_id"] for row in looks} == {c}


def walk(name: str, camera: str, start_s: float, clothes: np.ndarray, last_s: float | None = None) -> LocalTrack:
    end_s = start_s + 5 if last_s is None else last_s
    return seen(name, camera=camera, start_s=start_s, end_s=end_s, clothes=clothes, open_=False)


async def identity_of(scene: Scene, name: str) -> UUID | None:
    return (await scene.hub.tracks.get(ident(name))).identity_id
