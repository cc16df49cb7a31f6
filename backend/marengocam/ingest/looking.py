"""One look: what the detector finds in a frame, closer where it is far, less what owner and furniture rule out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from marengocam.core.camera_options import Analysis
from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.ingest.frames import Frame
from marengocam.ingest.furniture import Furniture
from marengocam.ingest.regions import RegionWatch, merged, placed
from marengocam.vision.crops import cut
from marengocam.vision.detectors import Detector
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import TrackedObject

LOW_SCORE_SHARE = 0.6  # of the wanted score: doubtful detections may keep a track alive


@dataclass(frozen=True, slots=True)
class Look:
    """What counts of what was found, and from which score each may begin a track."""

    detections: tuple[Detection, ...]
    least_scores: npt.NDArray[np.float64]
    found: tuple[Detection, ...] = ()  # before owner and furniture ruled anything out
    region: Box | None = None  # what was looked at once more at full detail


class Looker:
    """Looks at the frames of one camera."""

    def __init__(self, detector: Detector, options: Analysis, min_score: float, furniture: Furniture | None) -> None:
        self._detector = detector
        self._options = options
        self._min_score = min_score
        self._lowest = LOW_SCORE_SHARE * min(
            [min_score, *(rule.min_score for rule in options.labels if rule.min_score is not None)]
        )
        self._furniture = furniture
        self._regions = RegionWatch()

    def look(self, frame: Frame, motion: Motion, objects: Sequence[TrackedObject]) -> Look:
        """Return what is in a frame; raises ModelError."""
        found = _numbers(self._detector.detect([frame.rgb], self._lowest)[0])
        height_px, width_px = frame.luma.shape
        region = self._regions.choose((width_px, height_px), motion, found, objects, frame.at)
        if region is not None:
            closer = _numbers(self._detector.detect([cut(frame.rgb, region, margin=0)], self._lowest)[0])
            found = merged(found, placed(closer, region))
        kept = [
            one
            for one in found
            if self._options.counts(one.label, one.score / LOW_SCORE_SHARE, one.box, self._min_score)
        ]
        if self._furniture is not None:
            kept = self._furniture.sift(kept, frame.luma, frame.at)
        least = np.array([self._least(one.label) for one in kept], np.float64)
        return Look(tuple(kept), least, tuple(found), region)

    def _least(self, label: str) -> float:
        rule = self._options.rule(label)
        return self._min_score if rule is None or rule.min_score is None else rule.min_score


def _numbers(found: Sequence[Detection]) -> list[Detection]:
    """Return the detections whose score and box are numbers: half precision on a GPU may overflow to others."""
    return [one for one in found if all(map(isfinite, (one.score, one.box.x1, one.box.y1, one.box.x2, one.box.y2)))]
