"""How much of what one network finds another finds too."""

from collections.abc import Sequence
from dataclasses import dataclass

from marengocam.core.model import Detection

SURE_SCORE = 0.5
FOUND_SCORE = 0.4  # the other may be a little less sure: what counts by default (`detector_min_score`)
SAME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Keeping:
    """Sure objects of the one and how many of them the other has too, both ways."""

    sure: int
    kept: int
    told: int
    backed: int

    @property
    def kept_share(self) -> float:
        """Of what the first finds surely, how much the second finds."""
        return self.kept / self.sure if self.sure else 0.0

    @property
    def backed_share(self) -> float:
        """Of what the second finds surely, how much the first finds: what is missing was made up."""
        return self.backed / self.told if self.told else 0.0


def compared(first: Sequence[Sequence[Detection]], second: Sequence[Sequence[Detection]]) -> Keeping:
    """Compare what two networks found on the same pictures, at scores from FOUND_SCORE."""
    sure, kept = _found_again(first, second)
    told, backed = _found_again(second, first)
    return Keeping(sure, kept, told, backed)


def sure_objects(found: Sequence[Detection]) -> int:
    """Return how many of a picture's objects are sure."""
    return sum(one.score >= SURE_SCORE for one in found)


def _found_again(these: Sequence[Sequence[Detection]], those: Sequence[Sequence[Detection]]) -> tuple[int, int]:
    sure = again = 0
    for mine, others in zip(these, those, strict=True):
        for one in mine:
            if one.score >= SURE_SCORE:
                sure += 1
                again += any(one.label == other.label and one.box.iou(other.box) >= SAME_IOU for other in others)
    return sure, again
