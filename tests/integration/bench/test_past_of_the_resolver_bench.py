"""The history that the resolver is measured against: people look a little different each time, as in life."""

import pytest
from tests.bench.bench_resolver import PEOPLE, grow, the_world
from tests.bench.peers import hub_settings

from marengocam.db.hub import open_hub

TRACKS_A_VISIT = 3


@pytest.mark.timeout(60)
async def test_nobody_shows_the_same_face_twice_in_the_past() -> None:
    everybody_once = PEOPLE * TRACKS_A_VISIT
    async with hub_settings() as settings, open_hub(settings, "test", 2) as hub:
        world = await the_world(settings, hub, first=True)
        await grow(settings, world, 0, everybody_once)
        await grow(settings, world, everybody_once, 3 * everybody_once)
        async with hub.database.connection() as connection:
            faces, different = await connection.fetchrow(
                "SELECT count(*), count(DISTINCT embedding) FROM exemplar WHERE remembered"
            )
    assert faces == 3 * PEOPLE
    assert different == faces, "copies of one face are islands in the index of faces, which searches miss"
