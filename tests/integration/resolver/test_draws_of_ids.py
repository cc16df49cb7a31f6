"""Ids are random and say nothing: the same tracks under other ids are decided on alike, also those of one moment."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tests.bench.town import CAMERAS, FACE, START, Town, build, look

from marengocam.core.calibration import FACE_FITS
from marengocam.core.clock import ManualClock
from marengocam.core.geometry import Box
from marengocam.core.identity import CameraGraph
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, LocalTrack, PathPoint
from marengocam.db.hub import Hub
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn

DRAWS = 4
MOMENT_S = 10
CONFIRM = 0.95
DECIDED = """
    SELECT a.local_track_id, a.identity_id, p.name, a.probability, a.margin, a.evidence::text AS evidence,
        a.announced_unknown
    FROM assignment a JOIN identity i USING (identity_id) LEFT JOIN person p ON p.person_id = i.person_id"""
LOOKS = "SELECT local_track_id, identity_id, kind, remembered FROM exemplar WHERE local_track_id IS NOT NULL"
TOLD = "SELECT local_track_id, type, identity_id, person_name FROM event"
MERGED = "SELECT identity_id, merged_into FROM identity WHERE merged_into IS NOT NULL"
FORGET = """
    DELETE FROM event; DELETE FROM exemplar WHERE source <> 'enrolled'; DELETE FROM assignment;
    DELETE FROM identity; DELETE FROM local_track"""
AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Street:
    """A town whose cameras are read together: many tracks begin and are saved at one moment."""

    hub: Hub
    town: Town
    fences: Mapping[str, int]

    async def resolved(self, draw: int, *, at_once: bool) -> dict[str, list[str]]:
        """Return what became of all tracks under ids of a draw, told without any id."""
        revisions, names = under_other_ids(self.town.revisions, random.Random(draw))
        async with self.hub.database.connection() as connection:
            await connection.execute(FORGET)
        if at_once:
            await self._decide([one for one in revisions if not one.open], START + timedelta(days=1))
        else:
            for at, together in groupby(revisions, key=lambda one: one.last_seen_at):
                await self._decide(list(together), at)
        return await self._told(names)

    async def _decide(self, tracks: Sequence[LocalTrack], at: datetime) -> None:
        await self.hub.tracks.save(tracks, self.fences)
        clock, metrics = ManualClock(at), ResolverMetrics(CollectorRegistry())
        while await take_turn(self.hub.resolution, CameraGraph(), CONFIRM, clock, metrics):
            pass

    async def _told(self, names: dict[UUID, str]) -> dict[str, list[str]]:
        async with self.hub.database.connection() as connection:
            rows = {
                what: [dict(row) for row in await connection.fetch(query)]
                for what, query in (("tracks", DECIDED), ("looks", LOOKS), ("events", TOLD))
            }
            merged = {row["identity_id"]: row["merged_into"] for row in await connection.fetch(MERGED)}
        first: dict[UUID, str] = {}
        for row in sorted(rows["tracks"], key=lambda row: names[row["local_track_id"]]):
            first.setdefault(row["identity_id"], f"whoever is on {names[row['local_track_id']]}")
        for gone in merged:
            into = gone
            while into in merged:
                into = merged[into]
            first[gone] = first.get(into, "nobody")
        return {what: sorted(nameless(one, names | first) for one in found) for what, found in rows.items()}


def nameless(row: dict[str, Any], names: Mapping[UUID, str]) -> str:
    """Return a row as text: ids by what they are of, numbers without what summing in another order leaves."""
    if "evidence" in row:
        row = row | {"evidence": json.loads(row["evidence"])}
    text = json.dumps(rounded(row), default=str, sort_keys=True)
    return AN_ID.sub(lambda found: names.get(UUID(found[0]), found[0]), text)


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def under_other_ids(revisions: Sequence[LocalTrack], rng: random.Random) -> tuple[list[LocalTrack], dict[UUID, str]]:
    """Return tracks with ids as `new_id` makes them, of which only the time stays; and the names of those tracks."""
    drawn: dict[UUID, UUID] = {}
    for one in revisions:
        begun_ms = int(one.first_seen_at.timestamp() * 1000)
        own = UUID(int=begun_ms << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62))
        drawn.setdefault(one.local_track_id, own)
    names = {own: f"track {number:03}" for number, own in enumerate(drawn.values())}
    return [replace(one, local_track_id=drawn[one.local_track_id]) for one in revisions], names


def at_whole_moments(track: LocalTrack) -> LocalTrack:
    """Return a track that begins, and was saved, when many others do."""
    first, last = floor(track.first_seen_at), floor(track.last_seen_at) + timedelta(seconds=MOMENT_S)
    return replace(track, first_seen_at=first, last_seen_at=last)


def floor(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % MOMENT_S)


@pytest.fixture
async def street(hub: Hub) -> Street:
    town = build(people=16, residents=4, journeys=2, hours=0.15, seed=13)
    town.revisions = sorted(map(at_whole_moments, town.revisions), key=lambda one: one.last_seen_at)
    rng = np.random.default_rng(12)
    for one in town.people:
        if one.resident:
            person = await hub.persons.add(one.name, START)
            seen = look(rng, one.face, FACE, FACE_FITS[FACE], 0.95)
            await hub.persons.add_exemplar(person.person_id, seen, START)
    fences = {}
    for camera in CAMERAS:
        await hub.cameras.add(Camera(camera, camera, "file:///dev/null"))
        lease = await hub.leases.acquire(f"camera:{camera}", "test", 600)
        assert lease is not None
        fences[camera] = lease.fence
    return Street(hub, town, fences)


async def test_of_two_who_are_equally_likely_the_film_tells_whom_the_evidence_names(street: Street) -> None:
    alike = next(one for one in street.town.revisions if not one.open)
    places = Box(0.1, 0.3, 0.2, 0.8), Box(0.6, 0.3, 0.7, 0.8)
    twins = [walk(alike, CAMERAS[0], place, 0) for place in places]
    street.town.revisions = [*twins, walk(alike, CAMERAS[3], places[0], 60)]
    told = {str(await street.resolved(draw, at_once=True)) for draw in range(2 * DRAWS)}
    assert "whoever is on track 00" in min(told)
    assert len(told) == 1


def walk(like: LocalTrack, camera: str, box: Box, start_s: float) -> LocalTrack:
    """Return a track of somebody who looks just so, in one place of one camera."""
    first, last = (START + timedelta(seconds=start_s + second) for second in (0, 8))
    return replace(
        like,
        local_track_id=new_id(first),
        camera_id=camera,
        first_seen_at=first,
        last_seen_at=last,
        path=tuple(PathPoint(at, box, 0.9) for at in (first, last)),
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("at_once", [True, False], ids=["a backlog", "as they come"])
async def test_ids_decide_nothing(street: Street, *, at_once: bool) -> None:
    expected = await street.resolved(0, at_once=at_once)
    assert len({row.split('"whoever')[1] for row in expected["looks"]}) > 8
    for draw in range(1, DRAWS):
        for what, rows in (await street.resolved(draw, at_once=at_once)).items():
            assert rows == expected[what], f"{what} under ids of draw {draw}"
