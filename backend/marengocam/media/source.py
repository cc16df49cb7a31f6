"""What reads an address: FFmpeg, or our own reader of RTSP."""

from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Source(Protocol):
    """An open address, whose packets are PyAV's."""

    @property
    def format(self) -> str:
        """The form in which the packets come, by FFmpeg's names."""

    @property
    def video(self) -> Any | None:
        """The first video stream, as a template for recording and decoding."""

    @property
    def sound(self) -> Any | None:
        """The first sound, None where there is none that is known."""

    @property
    def fps(self) -> float | None:
        """Pictures a second, if the stream tells."""

    @property
    def size_comes_later(self) -> bool:
        """Whether the picture's size is not known yet, and will be with a keyframe."""

    def packets(self, *, sound: bool) -> Iterator[tuple[Any, float]]:
        """Yield each packet and when it came (monotonic seconds); raises StreamError.

        A live stream's next picture is waited for no longer than the limit, whatever else comes.
        """

    def sends_pictures(self) -> bool:
        """Whether any picture comes within the limit."""

    def close(self) -> None:
        """Let the address go."""


def taken(kept: deque[T]) -> Iterator[T]:
    """Yield what was kept, and keep it no longer.

    A list in `itertools.chain` would stay as long as the chain: the first pictures, which are large, for weeks.
    """
    while kept:
        yield kept.popleft()
