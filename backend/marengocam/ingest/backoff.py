"""How long a reader waits before it connects again."""

import random

FIRST_S = 0.5
LONGEST_S = 7.5  # with its jitter below 10 s
JITTER = (0.7, 1.3)


class Backoff:
    """Waits of one reader: twice as long each time, until it is begun anew."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def begin_anew(self) -> None:
        """Wait as shortly as at first, since the camera was read, or was away and is back."""
        self._next_s = FIRST_S

    def wait_s(self, longest_s: float = LONGEST_S) -> float:
        """Return how long to wait now: no longer than so, but for the jitter."""
        wait_s = min(self._next_s, longest_s)
        self._next_s = min(self._next_s * 2, LONGEST_S)
        return wait_s * random.uniform(*JITTER)  # noqa: S311 - not a secret
