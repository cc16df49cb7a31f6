"""Two unknown identities of one visit that are found to be one: on a real hub, told once, and split by a human."""

from datetime import timedelta

import pytest
from tests.support.resolver_hub import Scene, open_scene, seen, turned
from tests.support.resolver_scenes import NOON

from marengocam.core.model import EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker

HUMAN = Speaker("Carol's phone", NOON + timedelta(seconds=60))
LOOKS_KEPT = 5


FRONT, BACK, SIDE = turned(0.0), turned(1.0), turned(0.5)


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


def walk() -> tuple[LocalTrack, LocalTrack, LocalTrack]:
    return (
        seen("front", camera="yard", end_s=6, clothes=FRONT, open_=False),
        seen("back", camera="hall", start_s=12, end_s=18, clothes=BACK, open_=False),
        seen("side", camera="front", start_s=24, end_s=30, clothes=SIDE, open_=False),
    )


async def decided(scene: Scene, *tracks: LocalTrack) -> None:
    for one in tracks:
        await scene.save(one)
        await scene.resolve()


async def identities(scene: Scene, *tracks: LocalTrack) -> list:
    return [(await scene.hub.tracks.get(one.local_track_id)).identity_id for one in tracks]


@pytest.mark.parametrize("at_once", [False, True], ids=["one after another", "in one turn"])
async def test_a_look_like_both_shows_that_two_unknown_of_a_visit_are_one(scene: Scene, *, at_once: bool) -> None:
    front, back, side = walk()
    if at_once:
        await scene.save(front, back, side)
        await scene.resolve()
    else:
        await decided(scene, front, back)
        apart = await identities(scene, front, back)
        assert apart[0] != apart[1], "from side to side they are hardly alike"
        await decided(scene, side)
        assert await identities(scene, side) == apart[:1], "the identity that was seen first stays"
        dora = await scene.hub.persons.add("Dora", NOON)
        await scene.hub.words.name(apart[1], dora.person_id, HUMAN)
        assert (await scene.hub.tracks.get(front.local_track_id)).person_name == "Dora", "the other's id leads there"
    assert len(set(await identities(scene, front, back, side))) == 1
    assert len(await scene.said(EventType.PERSON_DETECTED)) == 3
    assert len(await scene.said(EventType.PERSON_UNKNOWN)) == 3


async def test_the_evidence_tells_why_two_became_one(scene: Scene) -> None:
    front, back, side = walk()
    await decided(scene, front, back, side)
    evidence = (await scene.hub.tracks.get(side.local_track_id)).evidence["cues"]
    assert {"appearance", "past_appearance", "way"} <= {cue["cue"] for cue in evidence}


async def test_who_were_split_by_a_human_stay_two_whatever_comes_later(scene: Scene) -> None:
    front, back, side = walk()
    await decided(scene, front, back, side)
    (together,) = set(await identities(scene, front, back, side))
    _, apart = await scene.hub.words.split(together, [back.local_track_id], HUMAN)
    more = [
        seen(f"{camera}{start_s}", camera=camera, start_s=start_s, end_s=start_s + 6, clothes=clothes, open_=False)
        for number in range(LOOKS_KEPT + 1)
        for camera, start_s, clothes in (
            ("yard", 40 + 20 * number, turned(0.15)),
            ("hall", 50 + 20 * number, turned(0.85)),
        )
    ]
    await decided(scene, *more)
    await decided(scene, seen("again", camera="front", start_s=170, end_s=176, clothes=SIDE, open_=False))
    assert await identities(scene, front, back) == [together, apart]
    later = await identities(scene, *more)
    assert set(later) == {together, apart}, "the looks that a human spoke about have made room for later ones"
