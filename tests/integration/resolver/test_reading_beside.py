"""A turn reads on two connections what it would read on one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.support.resolver_hub import BLUE, RED, Scene, like, open_scene, seen, unit
from tests.support.resolver_scenes import ident

from marengocam.core.errors import HubUnavailableError
from marengocam.core.identity import KnownLooks, Vicinity
from marengocam.core.model import NameEvidence
from marengocam.db import vicinity
from marengocam.db.hub import Hub
from marengocam.db.vicinity import read_vicinity

DAY_S = 24 * 3600
WINDOW = timedelta(hours=2)
ALICE, BOB, CARL = unit(1), unit(2), unit(3)
BOBBY = NameEvidence("engine", "Bobby", 0.6)


@pytest.fixture
async def scene(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Return persons, a stranger of yesterday, one of today who is called Bobby, and tracks that nobody decided on."""
    monkeypatch.setattr(vicinity, "BESIDE_FACES", 3)
    scene = await open_scene(hub)
    await scene.enrol("Alice", ALICE)
    await scene.save(seen("bob", start_s=0, end_s=5, face=BOB, clothes=RED, open_=False))
    await scene.resolve()
    carl = seen("carl", start_s=DAY_S, end_s=DAY_S + 5, face=CARL, clothes=BLUE, open_=False)
    await scene.save(replace(carl, name_evidence=BOBBY))
    await scene.resolve()
    bobby = await scene.hub.persons.add("Bobby", scene.clock.now())
    identity = (await scene.hub.tracks.get(carl.local_track_id)).identity_id
    async with scene.hub.database.connection() as connection:
        await connection.execute("UPDATE identity SET person_id = $1 WHERE identity_id = $2", bobby.person_id, identity)
    for number, (name, face) in enumerate({"alice": ALICE, "bob": BOB, "carl": CARL}.items()):
        at_s = DAY_S + 60 * (number + 1)
        again = seen(f"{name} again", start_s=at_s, end_s=at_s + 5, face=like(face, 9), open_=False)
        await scene.save(replace(again, name_evidence=BOBBY if face is CARL else None))
    return scene


async def test_the_same_is_read_beside_as_by_one_connection(scene: Scene) -> None:
    async with scene.hub.resolution.claim(10) as turn, scene.hub.database.connection() as other:
        assert len(turn.claimed) == 3
        beside = await turn.vicinity(turn.claimed, WINDOW)
        alone = await read_vicinity(other, turn.claimed, WINDOW, None)
    assert {one.identity_id for one in alone.sights} < alone.person_of.keys(), "yesterday's is known by the face only"
    assert ident("carl") in alone.words
    assert len({(one.kind, one.model) for one in beside.looks}) == len(beside.looks)
    assert columns(beside) == columns(alone)
    assert replace(beside, looks=()) == replace(alone, looks=())


async def test_few_faces_are_searched_without_a_second_connection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    @asynccontextmanager
    async def noted() -> AsyncIterator[None]:
        asked.append("beside")
        raise HubUnavailableError("none")
        yield

    async with scene.hub.resolution.claim(10) as turn, scene.hub.database.connection() as other:
        await read_vicinity(other, turn.claimed, WINDOW, noted)
        assert asked == ["beside"]
        monkeypatch.setattr(vicinity, "BESIDE_FACES", 4)
        await read_vicinity(other, turn.claimed, WINDOW, noted)
        assert asked == ["beside"]


async def test_without_a_second_connection_one_reads_it_all(scene: Scene) -> None:
    @asynccontextmanager
    async def none_left() -> AsyncIterator[None]:
        raise HubUnavailableError("too many connections for role")
        yield

    async with scene.hub.resolution.claim(10) as turn, scene.hub.database.connection() as other:
        alone = await read_vicinity(other, turn.claimed, WINDOW, None)
        found = await read_vicinity(other, turn.claimed, WINDOW, none_left)
    assert alone.strangers
    assert columns(found) == columns(alone)
    assert replace(found, looks=()) == replace(alone, looks=())


async def test_a_search_that_fails_fails_the_turn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise HubUnavailableError("gone")

    monkeypatch.setattr(vicinity, "_strangers", broken)
    with pytest.raises(HubUnavailableError, match="gone"):
        await scene.resolve()
    assert await scene.hub.resolution.backlog() == 3
    monkeypatch.undo()
    await scene.resolve()
    assert await scene.hub.resolution.backlog() == 0


async def test_what_is_read_beside_ends_with_a_turn_that_fails(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise HubUnavailableError("gone")

    monkeypatch.setattr(vicinity, "_sights", broken)
    with pytest.raises(HubUnavailableError, match="gone"):
        await scene.resolve()
    async with scene.hub.database.connection() as connection:
        busy = (
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
        )
        assert await connection.fetchval(busy) == 0


def columns(found: Vicinity) -> dict[UUID, tuple[Any, ...]]:
    """Return all looks by exemplar."""
    names = [field.name for field in fields(KnownLooks) if field.name not in {"kind", "model", "vectors"}]
    return {
        row[0]: (one.kind, one.model, *row, vector.tobytes())
        for one in found.looks
        for *row, vector in zip(*(getattr(one, name) for name in names), one.vectors, strict=True)
    }
