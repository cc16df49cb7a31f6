"""How one camera is read, recorded and analysed, as its owner chose; the defaults suit a new camera."""

from dataclasses import dataclass
from enum import StrEnum

from marengocam.core.geometry import Box, Point, polygon_contains

DEFAULT_LABELS = frozenset(
    {
        "person",
        "bicycle",
        "car",
        "motorcycle",
        "bus",
        "truck",
        "bird",
        "cat",
        "dog",
        "horse",
        "sheep",
        "cow",
        "bear",
    }
)
PARCELS = frozenset({"backpack", "handbag", "suitcase"})  # the nearest that COCO's models know; asked for by name only
KNOWN_LABELS = DEFAULT_LABELS | PARCELS


class Transport(StrEnum):
    """How RTSP carries its packets."""

    TCP = "tcp"
    UDP = "udp"


class RecordingMode(StrEnum):
    """What of a camera is kept."""

    ALWAYS = "always"
    MOTION = "motion"
    PERSON = "person"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Recording:
    """When a camera is recorded; pre- and post-roll apply to the modes `motion` and `person`."""

    mode: RecordingMode = RecordingMode.ALWAYS
    pre_roll_s: float = 5.0
    post_roll_s: float = 10.0
    sound: bool = True


@dataclass(frozen=True, slots=True)
class LabelRule:
    """One kind of thing that is looked for, and from when a detection of it counts; sizes are shares of the picture."""

    label: str
    min_score: float | None = None  # None: the installation's detector_min_score
    min_height: float = 0.0
    min_area: float = 0.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is looked for in a camera's picture, where, and what becomes of it."""

    labels: tuple[LabelRule, ...] = ()  # empty: all people, vehicles and animals
    masks: tuple[tuple[Point, ...], ...] = ()  # areas in which nothing is looked for
    learn_furniture: bool = True  # things that stand for hours and look like people stop being people
    movement: bool = True  # what walks but is not recognised is told as movement
    faces: bool = True
    appearance: bool = True

    def rule(self, label: str) -> LabelRule | None:
        """Return the rule for a label, None when it is not looked for."""
        if not self.labels:
            return LabelRule(label) if label in DEFAULT_LABELS else None
        return next((rule for rule in self.labels if rule.label == label), None)

    def masked(self, box: Box) -> bool:
        """Return whether what stands in `box` stands in a masked area; the foot decides, as for zones."""
        return any(polygon_contains(mask, box.foot) for mask in self.masks)

    def counts(self, label: str, score: float, box: Box, default_score: float) -> bool:
        """Return whether a detection counts, by label, score, size and place."""
        rule = self.rule(label)
        if rule is None:
            return False
        least = default_score if rule.min_score is None else rule.min_score
        return score >= least and box.height >= rule.min_height and box.area >= rule.min_area and not self.masked(box)
