"""A detector that is slow for real puts ingest behind: survival mode is on, seen everywhere, and over afterwards."""

import time

import pytest
from tests.support.backends import holds
from tests.support.ingest_service import ingest_here
from tests.support.squares import SquareDetector, render_walks

from marengocam.core.model import Camera, EventType
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.worker import Eyes
from marengocam.janitor.survival import LAGGING_S
from marengocam.vision.appearance import ColourTexture

PATIENCE_S = 60.0


class TiredDetector(SquareDetector):
    """Takes longer over one picture than ingest may be behind, while it is tired."""

    tired = False

    def detect(self, pictures, min_score):
        if TiredDetector.tired:
            time.sleep(LAGGING_S + 2)
        return super().detect(pictures, min_score)


@pytest.mark.timeout(180)
async def test_survival_mode_follows_the_lag_of_a_slow_detector_in_and_out(
    hub, settings, store, at_work, broken, tmp_path, monkeypatch
):
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", lambda _: Eyes(TiredDetector(), ColourTexture()))
    monkeypatch.setattr("marengocam.ingest.shedding.LOWER_AFTER_S", 1.0)
    monkeypatch.setattr("marengocam.janitor.survival.LOWER_AFTER_S", 1.0)
    monkeypatch.setattr(TiredDetector, "tired", True)
    clip = render_walks(tmp_path / "walks.mp4", 9.0, [0.0, 3.0, 6.0])

    async def told():
        events = [one for one in await hub.events.after(0, 500) if one.type is EventType.SURVIVAL_MODE_CHANGED]
        return [one.data for one in events]

    async def shed_level():
        found = await hub.cameras.statuses()
        return found["front"].metrics["shed_level"] if "front" in found else 0

    async with RtspServer({"front": clip}) as server, at_work(settings) as janitor, ingest_here(hub, settings):
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        await holds(lambda: janitor.health().detail["survival_mode"], PATIENCE_S)
        health = janitor.health()
        assert (health.status, health.detail["survival_reasons"]) == ("degraded", ["lag"])
        assert health.detail["ingest_lag_s"] > LAGGING_S
        assert "analysis is behind" in health.reason
        await holds(shed_level, PATIENCE_S)
        monkeypatch.setattr(TiredDetector, "tired", False)
        await holds(lambda: not janitor.health().detail["survival_mode"], PATIENCE_S)
        await holds(lambda: over(shed_level), PATIENCE_S)
    first, *_, last = await told()
    assert (first["state"], first["level"], first["reasons"]) == ("on", 1, ["lag"])
    assert (last["state"], last["level"]) == ("off", 0)
    messages = [entry.message for entry in await hub.health.recent(50) if entry.subject == "survival_mode"]
    assert "Survival mode is over." in messages
    assert await broken() == {}, "every picture was recorded meanwhile"


async def over(level):
    return await level() == 0
