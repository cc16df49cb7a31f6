"""A detector that fails is told of each camera that nobody looks at; numbers that are none cost nothing."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import SquareDetector, render_walks

from marengocam.core.errors import ModelError
from marengocam.core.geometry import Box
from marengocam.core.model import Camera, CameraState, Detection
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.worker import Eyes
from marengocam.settings import Settings
from marengocam.vision.appearance import ColourTexture

NAN = float("nan")
ODD = (
    Detection("person", 0.9, Box(NAN, NAN, NAN, NAN)),
    Detection("person", 0.9, Box(0.1, 0.1, NAN, 0.5)),
    Detection("person", NAN, Box(0.6, 0.1, 0.7, 0.3)),
    Detection("person", 0.9, Box(0.1, 0.1, float("inf"), 0.5)),
)


def raises(error: Exception) -> Callable[[], list[Detection]]:
    def failing() -> list[Detection]:
        raise error

    return failing


class MoodyDetector(SquareDetector):
    """Sees bright squares, and before that does what it is told."""

    first: Callable[[], list[Detection]]

    def detect(self, pictures: Any, min_score: float) -> list[list[Detection]]:
        return [[*self.first(), *objects] for objects in super().detect(pictures, min_score)]


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> MoodyDetector:
    made = MoodyDetector()
    made.first = list
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", lambda _: Eyes(made, ColourTexture()))
    return made


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


async def followed(hub: Hub) -> bool:
    return any(not row.track.open for row in await hub.tracks.list(TrackFilter(camera_id="front"), 50))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelError("The model lost its weights."), "The model lost its weights."),
        (RuntimeError("shape mismatch"), "MarengoCam itself fails"),
    ],
)
async def test_it_is_told_as_long_as_it_lasts_while_the_camera_is_recorded(
    hub: Hub,
    settings: Settings,
    detector: MoodyDetector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    told: str,
) -> None:
    monkeypatch.setattr("marengocam.ingest.analysing.BLIND_AFTER_S", 2.0, raising=False)
    monkeypatch.setattr("marengocam.ingest.analysing.MODEL_RETRY_S", 1.0)
    detector.first = raises(error)
    clip = render_walks(tmp_path / "walks.mp4", 6.0, [0.0, 3.0])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def reason() -> str:
                status = (await hub.cameras.statuses()).get("front")
                return status.reason if status is not None and status.state is CameraState.ONLINE else ""

            async def says_so() -> bool:
                return told in await reason()

            await until(says_so)

            async def recorded() -> bool:
                return await hub.chunks.recorded_s("front") > 8

            await until(recorded)
            assert await says_so()
            detector.first = list

            async def well() -> bool:
                return not await reason() and await followed(hub)

            await until(well)
    logged = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert 0 < len(logged) < 20, "not once a frame"


async def test_boxes_and_scores_that_are_no_numbers_are_passed_over(
    hub: Hub, settings: Settings, detector: MoodyDetector, tmp_path: Path
) -> None:
    detector.first = lambda: list(ODD)
    clip = render_walks(tmp_path / "walks.mp4", 6.0, [0.0, 3.0])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):
            await until(lambda: followed(hub))
            assert (await hub.cameras.statuses())["front"].reason == ""
    for row in await hub.tracks.list(TrackFilter(camera_id="front"), 50):
        track = (await hub.tracks.get(row.track.local_track_id)).track
        assert all(0 <= side <= 1 for point in track.path for side in (point.box.x1, point.box.y2))
