"""While looks fail nobody knows who is there: quiet frames in between tell nothing to the recording mode."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.support.squares import FPS, HEIGHT_PX, SIZE_PX, WIDTH_PX, SquareDetector, square_at

from marengocam.core.clock import SystemClock
from marengocam.core.errors import ModelError
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState
from marengocam.ingest.analysing import Analysis
from marengocam.ingest.camera_state import CameraHealth, Condition
from marengocam.ingest.decode_queue import DecodeQueue
from marengocam.ingest.frame_analysis import FrameAnalyser
from marengocam.ingest.frames import Frame
from marengocam.ingest.recording_modes import Sights
from marengocam.media.store import Store
from marengocam.vision.appearance import ColourTexture

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WALKS_AT_S, QUIET_UNTIL_S = 2.0, 9.0


class FailingDetector(SquareDetector):
    """Fails while it is told to."""

    fails = False

    def detect(self, pictures, min_score):
        if self.fails:
            raise ModelError("It lost its weights.")
        return super().detect(pictures, min_score)


@pytest.mark.parametrize("retry_s", [0.0, 3600.0])
def test_the_last_look_that_told_something_stays_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retry_s: float
) -> None:
    monkeypatch.setattr("marengocam.ingest.analysing.MODEL_RETRY_S", retry_s)
    clock, sights, detector = SystemClock(), Sights(), FailingDetector()
    camera = Camera("front", "Front", "rtsp://192.0.2.1/front")
    analysis = Analysis(
        camera,
        DecodeQueue(),
        store=Store(tmp_path),
        clock=clock,
        fps=FPS,
        health=CameraHealth(Condition(CameraState.ONLINE, "", NOON)),
        sights=sights,
        on_result=lambda _: None,
        feed_watchdog=lambda: None,
    )
    eyes = (detector, ColourTexture())
    analyser = FrameAnalyser(camera, *eyes, min_score=0.4, new_id=new_id, seconds=clock.monotonic_s)
    for number in range(round(QUIET_UNTIL_S * FPS)):
        second = number / FPS
        detector.fails = second >= WALKS_AT_S
        rgb = np.full((HEIGHT_PX, WIDTH_PX, 3), 60, np.uint8)
        corner = square_at(second, WALKS_AT_S)
        if corner is not None:
            x, y = corner
            rgb[y : y + SIZE_PX[1], x : x + SIZE_PX[0]] = 230
        analysis._look(analyser, Frame(NOON + timedelta(seconds=second), rgb[..., 0].copy(), lambda rgb=rgb: rgb))
    assert sights.looked_at is not None
    assert sights.looked_at <= NOON + timedelta(seconds=WALKS_AT_S + 1 / FPS)
