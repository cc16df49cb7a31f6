"""Where a look at full detail is worth its time: far things that the detector's small picture of the whole misses."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import TrackedObject

REGION_WIDTH_PX, REGION_HEIGHT_PX = 640, 352
MIN_GAIN = 1.35  # a frame less than this much wider than the region shows nothing more in it
LOOK_EVERY = timedelta(seconds=0.4)
FAR_HEIGHT = 0.2  # of the picture: what is taller is seen in the whole
SURE_SCORE = 0.5  # what is seen this surely in the whole picture needs no closer look
SAME_IOU = 0.5
EDGE = 0.01  # of the region: a box this near its edge is cut off by it


class RegionWatch:
    """Chooses at most one region a frame, and not more often than LOOK_EVERY."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def choose(
        self,
        size_px: tuple[int, int],
        motion: Motion,
        detections: Sequence[Detection],
        objects: Sequence[TrackedObject],
        at: datetime,
    ) -> Box | None:
        """Return the region of a frame (width, height) to look at closely, None when it is not worth it."""
        if self._looked_at is not None and abs(at - self._looked_at) < LOOK_EVERY:
            return None
        region = far_region(size_px, motion, detections, objects)
        if region is not None:
            self._looked_at = at
        return region


def far_region(
    size_px: tuple[int, int], motion: Motion, detections: Sequence[Detection], objects: Sequence[TrackedObject]
) -> Box | None:
    """Return the region that holds most of what is far and not surely seen."""
    width_px, height_px = size_px
    if max(width_px / REGION_WIDTH_PX, height_px / REGION_HEIGHT_PX) < MIN_GAIN:
        return None
    sure = [one.box for one in detections if one.score >= SURE_SCORE]
    moving = [box for box in motion.boxes if box.height <= FAR_HEIGHT and not any(_covers(one, box) for one in sure)]
    followed = [
        one.box for one in objects if one.box.height <= FAR_HEIGHT and not any(_covers(x, one.box) for x in sure)
    ]
    wanted = [*followed, *moving]
    if not wanted:
        return None
    regions = [_around(box, width_px, height_px) for box in wanted]
    return max(regions, key=lambda region: sum(_covers(region, box) for box in wanted))


def placed(found: Sequence[Detection], region: Box) -> list[Detection]:
    """Return what was found in a region in the whole picture's coordinates, without what its edge cuts off."""
    return [
        Detection(one.label, one.score, _outward(one.box, region)) for one in found if not _cut_off(one.box, region)
    ]


def merged(whole: Sequence[Detection], closer: Sequence[Detection]) -> list[Detection]:
    """Return the detections of both looks, each thing once: the surer sight of it stays."""
    kept: list[Detection] = []
    for one in sorted([*whole, *closer], key=lambda detection: -detection.score):
        if not any(other.label == one.label and other.box.iou(one.box) >= SAME_IOU for other in kept):
            kept.append(one)
    return kept


def _around(box: Box, width_px: int, height_px: int) -> Box:
    """Return the region centred on a box, moved into the picture; as large as the picture where that is smaller."""
    wide, high = min(1.0, REGION_WIDTH_PX / width_px), min(1.0, REGION_HEIGHT_PX / height_px)
    x, y = box.centre
    left, top = min(max(x - wide / 2, 0.0), 1.0 - wide), min(max(y - high / 2, 0.0), 1.0 - high)
    return Box(left, top, left + wide, top + high)


def _covers(outer: Box, inner: Box) -> bool:
    """Return whether `outer` holds the centre of `inner`."""
    x, y = inner.centre
    return outer.x1 <= x <= outer.x2 and outer.y1 <= y <= outer.y2


def _outward(box: Box, region: Box) -> Box:
    return Box(
        region.x1 + box.x1 * region.width,
        region.y1 + box.y1 * region.height,
        region.x1 + box.x2 * region.width,
        region.y1 + box.y2 * region.height,
    )


def _cut_off(box: Box, region: Box) -> bool:
    return (
        (box.x1 < EDGE and region.x1 > 0)
        or (box.y1 < EDGE and region.y1 > 0)
        or (box.x2 > 1 - EDGE and region.x2 < 1)
        or (box.y2 > 1 - EDGE and region.y2 < 1)
    )
