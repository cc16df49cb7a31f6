"""While looks fail nobody knows who is there, but nothing is lost of what was known before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from tests.support.squares import FPS, HEIGHT_PX, SIZE_PX, WALK_S, WIDTH_PX, SquareDetector, square_at

from marengocam.core.clock import SystemClock
from marengocam.core.errors import ModelError
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState, LocalTrack
from marengocam.ingest.analysing import Analysis
from marengocam.ingest.camera_state import CameraHealth, Condition
from marengocam.ingest.decode_queue import DecodeQueue
from marengocam.ingest.frame_analysis import GAP, FrameAnalyser, FrameResult
from marengocam.ingest.frames import Frame
from marengocam.ingest.pace import HOLD
from marengocam.ingest.recording_modes import Sights
from marengocam.media.store import Store
from marengocam.vision.appearance import ColourTexture

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WALKS_AT_S, QUIET_UNTIL_S = 2.0, 9.0


class FailingDetector(SquareDetector):
    """Fails while it is told to."""

    fails = False
    error: Exception = ModelError("It lost its weights.")

    def detect(self, pictures, min_score):
        if self.fails:
            raise self.error
        return super().detect(pictures, min_score)


class FailingEncoder(ColourTexture):
    def encode(self, crops):
        raise ModelError("No turn.")


class Watching:
    """Has one camera analysed frame by frame, without its thread."""

    def __init__(
        self,
        folder: Path,
        detector: FailingDetector,
        on_result: Callable[[FrameResult], None] = lambda _: None,
        encoder: ColourTexture = ColourTexture(),  # noqa: B008 - it keeps nothing
    ) -> None:
        clock, self.sights = SystemClock(), Sights()
        camera = Camera("front", "Front", "rtsp://192.0.2.1/front")
        self._analysis = Analysis(
            camera,
            DecodeQueue(),
            store=Store(folder),
            clock=clock,
            fps=FPS,
            health=CameraHealth(Condition(CameraState.ONLINE, "", NOON)),
            sights=self.sights,
            on_result=on_result,
            feed_watchdog=lambda: None,
        )
        self._analyser = FrameAnalyser(
            camera, detector, encoder, min_score=0.4, new_id=new_id, seconds=clock.monotonic_s
        )

    def see(self, second: float, walk_at_s: float) -> None:
        """Look at the frame of a moment."""
        rgb = np.full((HEIGHT_PX, WIDTH_PX, 3), 60, np.uint8)
        corner = square_at(second, walk_at_s)
        if corner is not None:
            x, y = corner
            rgb[y : y + SIZE_PX[1], x : x + SIZE_PX[0]] = 230
        self._analysis._look(self._analyser, Frame(NOON + timedelta(seconds=second), rgb[..., 0].copy(), lambda: rgb))


@pytest.mark.parametrize("retry_s", [0.0, 3600.0])
def test_the_last_look_that_told_something_stays_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retry_s: float
) -> None:
    monkeypatch.setattr("marengocam.ingest.analysing.MODEL_RETRY_S", retry_s)
    detector = FailingDetector()
    watching = Watching(tmp_path, detector)
    for number in range(round(QUIET_UNTIL_S * FPS)):
        detector.fails = number / FPS >= WALKS_AT_S
        watching.see(number / FPS, WALKS_AT_S)
    assert watching.sights.looked_at is not None
    assert watching.sights.looked_at <= NOON + timedelta(seconds=WALKS_AT_S + 1 / FPS)


def test_a_look_that_failed_is_made_up_for_though_nothing_moves_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.ingest.analysing.MODEL_RETRY_S", 0.0)
    detector = FailingDetector()
    watching = Watching(tmp_path, detector)
    works_again_s = WALKS_AT_S + WALK_S + HOLD.total_seconds() + 1.5  # and the next glance is not due
    for number in range(round((works_again_s + 1) * FPS)):
        detector.fails = WALKS_AT_S <= number / FPS < works_again_s
        watching.see(number / FPS, WALKS_AT_S)
    assert watching.sights.looked_at == NOON + timedelta(seconds=number / FPS)


@pytest.mark.parametrize("error", [ModelError("It lost its weights."), RuntimeError("shape mismatch")])
def test_a_track_that_a_gap_has_ended_is_told_though_the_detector_fails_in_that_frame(
    tmp_path: Path, error: Exception
) -> None:
    told: dict[UUID, LocalTrack] = {}
    detector = FailingDetector()
    watching = Watching(
        tmp_path, detector, lambda result: told.update({one.local_track_id: one for one in result.tracks})
    )
    for number in range(2 * FPS):
        watching.see(number / FPS, 0.0)
    assert [track.open for track in told.values()] == [True]
    detector.fails, detector.error = True, error
    back_s = 2.0 + 2 * GAP.total_seconds()
    watching.see(back_s, back_s)
    assert [track.open for track in told.values()] == [False]


def test_an_appearance_model_that_fails_leaves_people_followed_and_the_camera_told_as_well(tmp_path: Path) -> None:
    told: dict[UUID, LocalTrack] = {}
    watching = Watching(
        tmp_path,
        FailingDetector(),
        lambda result: told.update({one.local_track_id: one for one in result.tracks}),
        FailingEncoder(),
    )
    for number in range(round(WALK_S * FPS)):
        watching.see(number / FPS, 0.0)
    (track,) = told.values()
    assert (track.open, track.appearance) == (True, None)
    assert watching.sights.person_at == watching.sights.looked_at == NOON + timedelta(seconds=number / FPS)
