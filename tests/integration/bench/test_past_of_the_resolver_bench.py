"""The history that the resolver is measured against: as the resolver itself leaves one."""

import pytest
from tests.bench.long_past import STRANGERS, VISIT_TRACKS, grow, the_world
from tests.bench.peers import hub_settings

from marengocam.db.hub import open_hub
from marengocam.db.turn import OBSERVED_LIMIT

ROUND = STRANGERS * VISIT_TRACKS  # everybody comes once
FACES = "SELECT count(*), count(DISTINCT embedding), count(DISTINCT identity_id) FROM exemplar WHERE remembered"
MOST_LOOKS = (
    "SELECT max(looks) FROM (SELECT count(*) AS looks FROM exemplar GROUP BY identity_id, person_id, kind) AS one"
)


@pytest.mark.timeout(60)
async def test_visits_of_a_stranger_are_one_identity_with_a_few_faces_never_the_same_twice() -> None:
    async with hub_settings() as settings, open_hub(settings, "test", 2) as hub:
        world = await the_world(settings, hub, first=True)
        have = 0
        for rounds, faces in ((1, 1), (3, 3), (OBSERVED_LIMIT + 2, OBSERVED_LIMIT)):
            await grow(settings, world, have, rounds * ROUND)
            have = rounds * ROUND
            async with hub.database.connection() as connection:
                found = tuple(await connection.fetchrow(FACES))
                identities = await connection.fetchval("SELECT count(*) FROM identity")
                most = await connection.fetchval(MOST_LOOKS)
            different = faces * STRANGERS  # copies of one face are islands in the index of faces, which searches miss
            assert found == (different, different, STRANGERS)
            assert identities == STRANGERS
            assert most == OBSERVED_LIMIT
