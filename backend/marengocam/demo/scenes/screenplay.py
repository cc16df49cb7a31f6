"""Who walks where and when: pure positions, from which both the pictures and the truth are made."""

import math
from dataclasses import dataclass

from marengocam.core.geometry import Box

STRIDE_S = 0.55
BOB_SHARE = 0.006  # up and down of a walker, as a share of the picture's height


@dataclass(frozen=True, slots=True)
class Walk:
    """One person crossing one view: foot point and height, as shares of the picture, at both ends."""

    actor: str
    start_s: float
    end_s: float
    foot_from: tuple[float, float]
    foot_to: tuple[float, float]
    height_from: float
    height_to: float
    mirrored: bool = False

    def place(self, at_s: float, aspect: float, picture_aspect: float) -> Box | None:
        """Return where the actor stands at `at_s`, or None when away.

        `aspect` is the actor's width over height; `picture_aspect` that of the picture.
        """
        if not self.start_s <= at_s < self.end_s:
            return None
        share = (at_s - self.start_s) / (self.end_s - self.start_s)
        height = self.height_from + (self.height_to - self.height_from) * share
        x = self.foot_from[0] + (self.foot_to[0] - self.foot_from[0]) * share
        y = self.foot_from[1] + (self.foot_to[1] - self.foot_from[1]) * share
        y -= BOB_SHARE * abs(math.sin(math.pi * (at_s - self.start_s) / STRIDE_S))
        width = height * aspect / picture_aspect
        return Box(x - width / 2, y - height, x + width / 2, y)


@dataclass(frozen=True, slots=True)
class View:
    """One camera of the play."""

    camera_name: str
    backdrop: str
    walks: tuple[Walk, ...]


PLAY_S = 44.0
PLAY = (
    View(
        "Front door",
        "front_door",
        (
            Walk("cream_coat", 2.0, 11.0, (-0.08, 0.93), (1.08, 0.90), 0.62, 0.58),
            Walk("orange_suit", 14.0, 23.0, (0.20, 1.06), (0.86, 1.10), 0.82, 0.88),
            Walk("dark_coat", 25.0, 33.0, (1.08, 0.92), (-0.08, 0.95), 0.60, 0.64, mirrored=True),
        ),
    ),
    View(
        "Back yard",
        "back_yard",
        (
            Walk("cream_coat", 13.0, 22.0, (-0.08, 0.86), (1.08, 0.93), 0.58, 0.66),
            Walk("dark_coat", 35.0, 43.0, (1.08, 0.90), (-0.08, 0.88), 0.62, 0.60, mirrored=True),
        ),
    ),
)
