"""A live camera's analysis in a process of usual priority: prints the median milliseconds of a frame, as waited for."""

import statistics
import sys
import time
from pathlib import Path

import cv2

from marengocam.core.clock import SystemClock
from marengocam.core.ids import new_id
from marengocam.core.model import Camera
from marengocam.ingest.frame_analysis import FrameAnalyser
from marengocam.ingest.frames import Frame, luma_of, rgb_of
from marengocam.ingest.loading import load_eyes
from marengocam.replay.pieces import Stretch, find_pieces, pictures
from marengocam.settings import Settings

FRAMES = 60
EVERY_S = 0.05  # a few cameras' worth


def main(media_dir: Path, models_dir: Path | None) -> None:
    cv2.setNumThreads(1)
    settings = Settings(
        data_dir=media_dir.parent / "data", media_dir=media_dir, models_dir=models_dir, download_models=False
    )
    eyes = load_eyes(settings)
    analyser = FrameAnalyser(
        Camera("busy", "busy", "file:///"),
        eyes.detector,
        eyes.appearance,
        min_score=settings.detector_min_score,
        new_id=new_id,
        seconds=SystemClock().monotonic_s,
        thorough=True,
    )
    pieces = find_pieces(media_dir / "recordings" / "busy", media_dir, Stretch())
    taken = []
    for picture, at in pictures(pieces, pieces[0].started_at, pieces[-1].ended_at):
        began = time.perf_counter()
        result = analyser.look(Frame(at, luma_of(picture), lambda picture=picture: rgb_of(picture)))
        assert result.failure is None
        taken.append(1000 * (time.perf_counter() - began))
        if len(taken) == FRAMES:
            break
        time.sleep(EVERY_S)
    print(statistics.median(taken[5:] or taken))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None)
