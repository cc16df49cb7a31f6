"""Boxes and polygons in normalised picture coordinates: (0, 0) top left, (1, 1) bottom right."""

from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
EDGE = 1e-6  # of the picture: what stands nearer to its edge than this stands just inside


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box, normalised to the picture's width and height."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return max(0.0, self.x2 - self.x1)

    @property
    def height(self) -> float:
        return max(0.0, self.y2 - self.y1)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def foot(self) -> Point:
        """Where the object touches the ground: the middle of the lower edge."""
        return ((self.x1 + self.x2) / 2, self.y2)

    @property
    def centre(self) -> Point:
        return ((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    def iou(self, other: "Box") -> float:
        """Return intersection over union, 0 to 1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)

    def pixels(self, width_px: int, height_px: int) -> tuple[int, int, int, int]:
        """Return whole-pixel (x1, y1, x2, y2), clipped to a picture of this size."""
        return (
            min(max(round(self.x1 * width_px), 0), width_px),
            min(max(round(self.y1 * height_px), 0), height_px),
            min(max(round(self.x2 * width_px), 0), width_px),
            min(max(round(self.y2 * height_px), 0), height_px),
        )


def polygon_contains(polygon: Sequence[Point], point: Point) -> bool:
    """Return whether `point` lies inside `polygon` (even-odd rule); what reaches the picture's edge holds it."""
    # Whoever the lower edge cuts off has the foot on it, and would be in no area at all.
    x, y = (min(max(value, EDGE), 1 - EDGE) for value in point)
    inside = False
    previous_x, previous_y = polygon[-1]
    for next_x, next_y in polygon:
        crosses = (next_y > y) != (previous_y > y)
        if crosses and x < (previous_x - next_x) * (y - next_y) / (previous_y - next_y) + next_x:
            inside = not inside
        previous_x, previous_y = next_x, next_y
    return inside
