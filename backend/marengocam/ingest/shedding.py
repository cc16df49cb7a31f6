"""What analysis gives up when it falls behind or survival mode says so: step by step, and back again."""

from dataclasses import dataclass

from marengocam.core.survival import LADDER, LAST_LEVEL

BEHIND_S = 2.0  # packets decoded so long after they came: too much to do
CAUGHT_UP_S = 0.5
RAISE_AFTER_S = 5.0  # behind for so long: one step more
ALL_FRAMES = "DEFAULT"
LOWER_AFTER_S = 30.0  # caught up for so long: one step less


@dataclass(frozen=True, slots=True)
class Step:
    """How much is decoded and looked at."""

    skip_frame: str  # FFmpeg's AVDiscard: what the decoder passes over
    rate: float  # of the frames a second that are asked for
    faces: bool = True
    keyframes_only: bool = False

    @property
    def passes_over(self) -> bool:
        """Whether the decoder leaves pictures out by choice."""
        return self.skip_frame != ALL_FRAMES


# FFmpeg's discards contain each other, NONREF in BIDIR in NONKEY, so that each step gives up more than the one before.
STEPS_BY_NAME = {
    "normal": Step(ALL_FRAMES, 1.0),
    "drop_b_frames": Step("NONREF", 1.0),
    "skip_unreferenced_frames": Step("BIDIR", 1.0),
    "skip_faces": Step("BIDIR", 1.0, faces=False),
    "lower_detection_rate": Step("BIDIR", 0.3, faces=False),
    "keyframes_only": Step("NONKEY", 1.0, faces=False, keyframes_only=True),
}
STEPS = tuple(STEPS_BY_NAME[name] for name in LADDER)


class Shedding:
    """The step of one camera; `floor` is what survival mode asks of all."""

    def __init__(self) -> None:
        self.floor = 0
        self._own = 0
        self._behind_since_s: float | None = None
        self._caught_up_since_s: float | None = None

    @property
    def level(self) -> int:
        """The step in force, an index into STEPS."""
        return min(max(self._own, self.floor), LAST_LEVEL)

    @property
    def step(self) -> Step:
        return STEPS[self.level]

    def update(self, lag_s: float, now_s: float) -> None:
        """Take in how long the packet that is decoded now has waited."""
        if lag_s > BEHIND_S:
            self._caught_up_since_s = None
            self._behind_since_s = now_s if self._behind_since_s is None else self._behind_since_s
            if now_s - self._behind_since_s >= RAISE_AFTER_S:
                self._own, self._behind_since_s = min(self._own + 1, LAST_LEVEL), now_s
        elif lag_s <= CAUGHT_UP_S:
            self._behind_since_s = None
            self._caught_up_since_s = now_s if self._caught_up_since_s is None else self._caught_up_since_s
            if now_s - self._caught_up_since_s >= LOWER_AFTER_S:
                self._own, self._caught_up_since_s = max(self._own - 1, 0), now_s
        else:
            self._behind_since_s = self._caught_up_since_s = None
