"""Hours of real rooms, some seconds shown again and again: what stands there is learned, who sits there is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import av
import pytest
from tests.support.shared_assets import needed_folder

from marengocam.core.geometry import Box
from marengocam.ingest.frames import luma_of, rgb_of
from marengocam.ingest.furniture import Furniture
from marengocam.vision.detectors.openvino import OpenVinoDetector

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
# Nobody is as still for six hours as a clip that is repeated: only a statue is, for which that is the limit.
HOURS, LOOK_S, SHOWN_EVERY_S, LEAST_SCORE, MOST_LOOKS = 4.0, 5.0, 0.4, 0.15, 16
CUSHIONS, OFFICE_CHAIR = Box(0.06, 0.44, 0.16, 0.88), Box(0.76, 0.28, 0.85, 0.51)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("clip", "furniture"),
    [
        ("coffeeroom_personC.mp4", CUSHIONS),
        ("lab4_cam3.mp4", OFFICE_CHAIR),
        ("intel_classroom.mp4", None),  # four pupils on their chairs
        ("intel_head_pose_face_detection_male.mp4", None),  # a man before his screen
    ],
)
def test_only_what_stands_there_is_learned(tmp_path: Path, clip: str, furniture: Box | None) -> None:
    detector = OpenVinoDetector(needed_folder("models") / "yolo11n_reconstructed.onnx", "yolo11n", tmp_path)
    looks, next_s = [], 0.0
    with av.open(str(needed_folder("footage") / clip)) as container:
        for frame in container.decode(video=0):
            if frame.time >= next_s and len(looks) < MOST_LOOKS:
                next_s = frame.time + SHOWN_EVERY_S
                looks.append((detector.detect([rgb_of(frame)], LEAST_SCORE)[0], luma_of(frame)))
    learning, at, order = Furniture(), NOON, Random(1)
    while at < NOON + timedelta(hours=HOURS):
        learning.sift(*order.choice(looks), at)
        at += timedelta(seconds=LOOK_S)
    sure = [place for place in learning.to_json() if place["learned"] and place["score"] > 0.75]
    assert not sure, "somebody is taken for furniture"
    if furniture is not None:
        assert any(furniture.iou(box) > 0.6 for box in learning.learned)
