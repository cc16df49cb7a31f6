"""What a turn costs the server depends neither on how long the past is nor on whether it is the first one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from tests.support.resolver_hub import ALICE, BLUE, RED, Scene, like, open_scene, seen
from tests.support.resolver_scenes import NOON, ident

from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome
from marengocam.core.model import EventType
from marengocam.db import turn, vicinity
from marengocam.db.hub import Hub
from marengocam.db.queries import load
from marengocam.resolver import turn as resolver_turn
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.rehearsal import rehearse
from marengocam.resolver.turn import take_turn

QUERIES = load("resolution")
PAST_TRACKS = 2_000
FEW_PAGES = 500  # of 8 KiB; to look up each track of the past took 8,000
PAST = (
    """
    INSERT INTO local_track (local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score, observations,
        revision, resolved_revision)
    SELECT md5('past' || n)::uuid, 'front', 'person', false, $1::timestamptz - make_interval(mins => n),
        $1::timestamptz - make_interval(mins => n), 0.9, 5, 1, 1
    FROM generate_series(1, $2::int) n""",
    """
    INSERT INTO assignment (local_track_id, identity_id, probability, margin, evidence, decided_by, decided_at)
    SELECT md5('past' || n)::uuid, $1, 0.9, 3, '{}', 'resolver', now() FROM generate_series(1, $2::int) n""",
)
STATEMENTS = "SELECT statement, custom_plans FROM pg_prepared_statements"
# What each statement of a turn has and no other; the last two are sent only where there is something to trim or tell.
OF_A_TURN = ("WITH followed", "WITH probe", "WITH seen", "'denial'", "WITH chosen", "kept_identities")
WHERE_THERE_IS_SOMETHING = ("AS passing", "zones_json")


WORDS = """UPDATE local_track SET name_evidence = '{"engine": "engine", "name": "Bobby", "score": 0.6}'"""
CALLED = "UPDATE identity SET person_id = $1 WHERE identity_id = $2"


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


async def prepared(scene: Scene, parts: Sequence[str]) -> dict[str, list[int]]:
    """Return how many plans were made for one use only, of each statement with one of these parts."""
    async with scene.hub.database.connection() as connection:
        rows = await connection.fetch(STATEMENTS)
    return {part: [row["custom_plans"] for row in rows if part in row["statement"]] for part in parts}


async def with_a_past(scene: Scene) -> UUID:
    """Let somebody unknown have been here two thousand times before; return his identity."""
    await scene.save(seen("back", camera="yard", end_s=8, clothes=RED, open_=False))
    await scene.resolve()
    identity = (await scene.hub.tracks.get(ident("back"))).identity_id
    assert identity is not None
    async with scene.hub.database.transaction() as connection:
        await connection.execute(PAST[0], NOON, PAST_TRACKS)
        await connection.execute(PAST[1], identity, PAST_TRACKS)
    async with scene.hub.database.connection() as connection:
        await connection.execute("ANALYZE")
    return identity


async def pages(scene: Scene, query: Any, *told: Any) -> int:
    """Return how many pages a statement of a turn takes up."""
    async with scene.hub.database.transaction() as connection:
        await QUERIES.take_turn(connection, key=1)
        (plan,) = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql}", *told))
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


async def test_a_name_does_not_look_up_all_that_its_identity_ever_was(scene: Scene) -> None:
    identity = await with_a_past(scene)
    told = [[identity], [ident("front")], [NOON - timedelta(seconds=60)], turn.WAKE_FEW]
    assert await pages(scene, QUERIES.wake_identities, *told) < FEW_PAGES
    async with scene.hub.database.connection() as connection:
        changed = "SELECT count(*) FROM local_track WHERE revision > 1"
        assert await connection.fetchval(changed) == 2, "the two of the last minute are looked at again"


async def test_what_engines_called_the_unknown_in_years_is_not_read_in_each_turn(scene: Scene) -> None:
    """It counts for those who have a name: at 100,000 tracks each turn took 70 ms to read it."""
    identity = await with_a_past(scene)
    async with scene.hub.database.connection() as connection:
        await connection.execute(WORDS)
    assert await pages(scene, QUERIES.facts, vicinity.WORDS_FEW, [identity]) < FEW_PAGES


@pytest.mark.parametrize("few", [1, 10_000])
async def test_words_about_who_has_a_name_are_read_be_they_few_or_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(vicinity, "WORDS_FEW", few)
    identity = await with_a_past(scene)
    bobby = await scene.hub.persons.add("Bobby", NOON)
    async with scene.hub.database.connection() as connection:
        await connection.execute(WORDS)
        await connection.execute(CALLED, bobby.person_id, identity)
    await scene.save(seen("again", start_s=20, end_s=25, clothes=RED))
    async with scene.hub.resolution.claim(1) as one:
        found = await one.vicinity(one.claimed, timedelta(hours=2))
    assert len(found.words) == PAST_TRACKS + 1
    assert {word.identity_id for word in found.words.values()} == {identity}


async def test_a_name_for_somebody_of_long_ago_ends_the_turn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What engines called him is read with the next turn: it did not count while he was unknown."""
    await scene.save(seen("old", start_s=-90_000, end_s=-89_990, clothes=RED, open_=False))
    await scene.resolve()
    old = (await scene.hub.tracks.get(ident("old"))).identity_id
    alice = await scene.enrol("Alice", ALICE)
    await scene.save(seen("first", end_s=3, clothes=BLUE, open_=False))
    await scene.save(seen("second", start_s=5, end_s=8, clothes=BLUE, open_=False))
    real = resolver_turn.resolve

    def told(claimed: ClaimedTrack, *around: Any, **rules: Any) -> Outcome:
        """Decide as ever, but find that the first one is the one of long ago, and that he is Alice."""
        outcome = real(claimed, *around, **rules)
        if claimed.track.local_track_id != ident("first"):
            return outcome
        return replace(outcome, identity_id=old, person_id=alice.person_id, wake_identity=True, exemplars=())

    monkeypatch.setattr(resolver_turn, "resolve", told)
    metrics = ResolverMetrics(CollectorRegistry())
    turns = [await take_turn(scene.hub.resolution, CameraGraph(), 0.95, scene.clock, metrics) for _ in range(3)]
    assert turns == [1, 1, 0]
    assert (await scene.hub.tracks.get(ident("old"))).person_name == "Alice"


@pytest.mark.parametrize("few", [1, turn.WAKE_FEW])
@pytest.mark.parametrize("followed", [False, True])
async def test_news_are_found_among_few_that_came_since_and_among_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, few: int, followed: bool
) -> None:
    monkeypatch.setattr(turn, "WAKE_FEW", few)
    await scene.enrol("Alice", ALICE)
    await scene.save(seen("yard", camera="yard", start_s=-100, end_s=-95, clothes=RED, open_=followed))
    await scene.resolve()
    await scene.save(seen("hall", camera="hall", start_s=-20, end_s=-12, clothes=like(RED, 7), open_=False))
    await scene.resolve()
    await scene.save(seen("face", start_s=15, end_s=16, clothes=like(RED, 8), face=like(ALICE, 9)))
    await scene.resolve()
    rows = [await scene.hub.tracks.get(ident(name)) for name in ("yard", "hall", "face")]
    assert {row.person_name for row in rows} == {"Alice"}, "the premise: all are of one identity"
    told = {event.local_track_id for event in await scene.said(EventType.PERSON_CONFIRMED)}
    assert told == {ident("hall"), ident("face")} | ({ident("yard")} if followed else set())


async def test_a_rehearsal_prepares_a_turn_and_leaves_everything_as_it_was(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.save(seen("known", clothes=RED, face=like(ALICE, 9)))
    await scene.resolve()
    await scene.save(seen("waits", start_s=5, end_s=6, clothes=RED, face=like(ALICE, 8)))
    tables = ("local_track", "assignment", "identity", "exemplar", "event")

    async def written() -> dict[str, list[Any]]:
        async with scene.hub.database.connection() as connection:
            return {table: await connection.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables}

    before = await written()
    await rehearse(scene.hub.resolution, CameraGraph(), 0.95, scene.clock)
    assert await written() == before
    assert caplog.records == []
    assert await scene.hub.resolution.backlog() == 1


async def test_after_a_rehearsal_a_turn_finds_its_statements_prepared(scene: Scene) -> None:
    await rehearse(scene.hub.resolution, CameraGraph(), 0.95, scene.clock)
    assert all((await prepared(scene, OF_A_TURN)).values())


async def test_turns_use_plans_that_are_made_once(scene: Scene) -> None:
    for number in range(3):
        at_s = 10.0 * number
        await scene.save(seen(f"walk{number}", start_s=at_s, end_s=at_s + 3, clothes=RED, face=ALICE, open_=False))
        await scene.resolve()
    once = await prepared(scene, (*OF_A_TURN, *WHERE_THERE_IS_SOMETHING))
    assert once == {part: [0] for part in once}


async def test_statements_stay_prepared_however_seldom_somebody_comes(scene: Scene) -> None:
    """The driver forgot them after five minutes; a turn that prepares them anew takes half as long again."""
    async with scene.hub.database.connection() as connection:
        assert connection._con._config.max_cached_statement_lifetime == 0
