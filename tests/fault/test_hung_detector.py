"""A detector's call that never returns costs an ingest process no picture of its recordings."""

import signal
from pathlib import Path

import pytest
from tests.support.backends import CLOCK, holds
from tests.support.ingest_hosts import ingest_hosts

from marengocam.ingest.answering_eyes import BLIND, LOADED_ANEW

HANGING = Path(__file__).parents[1] / "support" / "hanging"
CAMERAS = ("a", "b")
RUN_LIMIT_S = 250
WAIT_S = 60.0
LONGEST_GAP_S = 0.3  # between two recordings: pictures come every tenth of a second


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_recording_goes_on_while_calls_of_the_detector_hang(
    hub, hub_settings, tmp_path, monkeypatch, record_property
):
    monkeypatch.setenv("PYTHONPATH", str(HANGING))
    async with ingest_hosts(hub, hub_settings, tmp_path, CAMERAS, ("one",)) as hosts:
        (process,) = hosts.processes

        async def analysed() -> float:
            return sum(one.metrics.get("frames_analysed", 0) for one in (await hub.cameras.statuses()).values())

        async def looks(more_than: float = 0) -> bool:
            return await analysed() > more_than

        async def told(reason: str) -> bool:
            assert process.returncode is None, "the process goes on"
            return any(one.reason == reason for one in await hub.health.list() if one.service == "ingest")

        async def hangs(reason: str) -> float:
            process.send_signal(signal.SIGURG)
            return await holds(lambda: told(reason), WAIT_S, 0.2)

        await holds(looks, WAIT_S, 0.2)
        began_at = CLOCK.now()
        replaced_s = await hangs(LOADED_ANEW)
        before = await analysed()
        await holds(lambda: looks(before), WAIT_S, 0.2)
        blind_s = await hangs(BLIND)
        blind_at = CLOCK.now()
        for name in CAMERAS:
            await holds(lambda name=name: hosts.recorded(name, blind_at), WAIT_S, 0.2)
        gap_s = max([await hosts.longest_gap_s(name, began_at) for name in CAMERAS])
    record_property(
        "measured",
        f"longest gap {gap_s:.2f} s; another detector looked {replaced_s:.1f} s after the first hang, "
        f"movement only was told {blind_s:.1f} s after the second",
    )
    assert gap_s < LONGEST_GAP_S
    assert process.returncode == 0, "it ended in order"
