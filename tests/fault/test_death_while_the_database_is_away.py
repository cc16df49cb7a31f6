"""An ingest process dies while there is no database: the others record on, and take its cameras once it is back."""

import asyncio

import pytest
from tests.support.backends import CLOCK, holds, problems
from tests.support.ingest_hosts import ingest_hosts
from tests.support.outages import database_away

CAMERAS = ("a", "b", "c")
RUN_LIMIT_S = 200
WAIT_S = 60.0
AWAY_S = 12.0  # longer than a lease
TAKE_OVER_LIMIT_S = 15.0
MERCY = 3.0  # for a machine that other tests keep busy


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_its_cameras_are_taken_over_once_the_database_is_back(hub, hub_settings, tmp_path, record_property):
    async with ingest_hosts(hub, hub_settings, tmp_path, CAMERAS, ("one", "two", "three")) as hosts:
        await holds(hosts.shared, WAIT_S, 0.2)
        shared_at = CLOCK.now()
        for name in CAMERAS:
            await holds(lambda name=name: hosts.recorded(name, shared_at), WAIT_S, 0.2)
        before, victim = await hosts.holders(), await hosts.server_of("a")
        async with database_away(hub_settings.database_url):
            await asyncio.sleep(AWAY_S / 2)
            victim.kill()
            await victim.wait()
            await asyncio.sleep(AWAY_S / 2)
        back_at = CLOCK.now()
        await holds(lambda: hosts.recorded("a", back_at), WAIT_S, 0.2)
        taken_s = (await hosts.recorded("a", back_at) - back_at).total_seconds()
        after = await hosts.holders()
    assert after["a"] in {before["b"], before["c"]}
    assert (after["b"], after["c"]) == (before["b"], before["c"]), "nobody else's camera changes hands"
    gap_s = max([await hosts.longest_gap_s(name, shared_at) for name in ("b", "c")])
    record_property(
        "measured", f"taken over {taken_s:.1f} s after the database was back; the others' gap {gap_s:.2f} s"
    )
    assert gap_s < 0.5, "the others' cameras go on"
    assert taken_s < TAKE_OVER_LIMIT_S * MERCY
    assert await problems(hub, hub_settings, deep=True) == {}
