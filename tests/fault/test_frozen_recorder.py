"""An ingest process that is frozen, as on a host that hangs, is taken over; let go again it disturbs nobody."""

import signal

import pytest
from tests.support.backends import CLOCK, holds
from tests.support.ingest_hosts import ingest_hosts

CAMERAS = ("a", "b")
RUN_LIMIT_S = 200
WAIT_S = 60.0
TAKE_OVER_LIMIT_S = 12.0
MERCY = 3.0  # for a machine that other tests keep busy


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_frozen_ingest_process_is_taken_over_and_only_it(hub, hub_settings, tmp_path, record_property):
    async with ingest_hosts(hub, hub_settings, tmp_path, CAMERAS, ("one", "two")) as hosts:
        await holds(hosts.shared, WAIT_S, 0.2)
        before, shared_at = await hosts.holders(), CLOCK.now()
        # Until then, whoever came second waits for a keyframe of the camera it was given.
        await holds(lambda: hosts.recorded("b", shared_at), WAIT_S, 0.2)
        victim = await hosts.server_of("a")
        frozen_at = CLOCK.now()
        victim.send_signal(signal.SIGSTOP)

        await holds(lambda: hosts.recorded("a", frozen_at), WAIT_S, 0.2)
        assert (await hosts.holders())["a"] == before["b"]
        lost_s = (await hosts.recorded("a", frozen_at) - frozen_at).total_seconds()
        gap_s = await hosts.longest_gap_s("b", shared_at)
        victim.send_signal(signal.SIGCONT)
        await holds(hosts.shared, WAIT_S, 0.2)
    said = "".join(log.read_text() for log in hosts.logs)
    record_property("measured", f"{lost_s:.1f} s of video lost")
    assert said.count("a is served by another process now") <= 1, "the frozen one learns of it, once"
    assert gap_s < 1.0, "the other one's cameras go on"
    assert lost_s < TAKE_OVER_LIMIT_S * MERCY
