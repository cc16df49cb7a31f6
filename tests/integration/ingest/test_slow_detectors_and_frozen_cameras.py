"""A detector that is too slow costs analysis, not recordings; a camera that shows one picture for ever is told so."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import HEIGHT_PX, WIDTH_PX, SquareDetector, render_walks, square_eyes

from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.demo.video import VideoFile
from marengocam.ingest.frozen import FROZEN_REASON
from marengocam.ingest.worker import Eyes
from marengocam.settings import Settings
from marengocam.vision.appearance import ColourTexture

NOW = datetime.now(UTC)  # noqa: TID251 - recordings are dated by the real clock
A_DAY = (NOW - timedelta(hours=12), NOW + timedelta(hours=12))
LONGEST_GAP = timedelta(seconds=0.3)  # between two recordings: pictures come every tenth of a second


class TiredDetector(SquareDetector):
    """Takes its time while it is tired."""

    tired = False

    def detect(self, pictures, min_score):
        if TiredDetector.tired:
            time.sleep(0.9)
        return super().detect(pictures, min_score)


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


async def figures(hub: Hub) -> dict[str, float]:
    return (await hub.cameras.statuses())["front"].metrics


async def test_a_detector_that_is_too_slow_is_asked_for_less_and_recording_has_no_gap(
    hub: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", lambda _: Eyes(TiredDetector(), ColourTexture()))
    for name, value in {"BEHIND_S": 0.6, "CAUGHT_UP_S": 0.4, "RAISE_AFTER_S": 1.0, "LOWER_AFTER_S": 2.0}.items():
        monkeypatch.setattr(f"marengocam.ingest.shedding.{name}", value)
    monkeypatch.setattr(TiredDetector, "tired", True)
    clip = render_walks(tmp_path / "walks.mp4", 9.0, [0.0, 3.0, 6.0])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def sheds() -> bool:
                found = await hub.cameras.statuses()
                return "front" in found and found["front"].metrics["shed_level"] >= 1

            await until(sheds)
            monkeypatch.setattr(TiredDetector, "tired", False)

            async def has_recovered() -> bool:
                return (await figures(hub))["shed_level"] == 0

            await until(has_recovered)
            told = await figures(hub)
    assert told["frames_lost"] == 0, "what was not looked at was passed over by choice"
    assert told["frames_skipped"] > 0
    chunks = await hub.chunks.span("front", *A_DAY)
    assert len(chunks) >= 3
    assert max(b.started_at - a.ended_at for a, b in pairwise(chunks)) < LONGEST_GAP


@pytest.mark.parametrize("detect", [True, False], ids=["analysed", "recorded only"])
async def test_a_picture_that_never_changes_is_told_while_it_is_recorded(
    hub: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, detect: bool
) -> None:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    monkeypatch.setattr("marengocam.ingest.frozen.FROZEN_AFTER", timedelta(seconds=3))
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), 90, np.uint8)
    cv2.circle(picture, (160, 90), 40, (200, 180, 160), -1)
    with VideoFile(tmp_path / "still.mp4", WIDTH_PX, HEIGHT_PX, 10) as video:
        for _ in range(20):
            video.write(picture)
    async with RtspServer({"front": tmp_path / "still.mp4"}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), detect=detect))
        async with ingest_here(hub, settings):

            async def told() -> bool:
                found = await hub.cameras.statuses()
                return "front" in found and found["front"].reason == FROZEN_REASON

            await until(told)
            assert (await hub.cameras.statuses())["front"].state == "online"


async def test_every_picture_that_came_is_accounted_for(
    hub: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    clip = render_walks(tmp_path / "walks.mp4", 6.0, [0.0, 3.0])
    slow = replace(settings, analysis_fps=2.0)
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, slow) as (service, _):
            assert service is not None

            told: dict[str, float] = {}

            async def accounted_for() -> bool:
                """Whether each packet is decoded, passed over, or lost; a few are under way, more on a busy machine."""
                found = await hub.cameras.statuses()
                told.update(found["front"].metrics if "front" in found else {"packets": 0})
                if told["packets"] < 60:
                    return False
                waiting = told["packets"] - told["frames_lost"] - told["frames_decoded"] - told["packets_skipped"]
                assert waiting >= 0
                return waiting <= 15

            await until(accounted_for)
    assert told["frames_decoded"] >= told["frames_analysed"]
