"""Frames in and out of video files, encoded the way cameras do: H.264, no B-frames, a keyframe a second or seldomer."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import BadInputError

Picture = npt.NDArray[np.uint8]

QUALITY_CRF = 23
ENCODER_OPTIONS = {"preset": "veryfast", "tune": "zerolatency", "crf": str(QUALITY_CRF), "bf": "0"}


class VideoFile:
    """Writes RGB frames (H x W x 3) of one size to an MP4 file that appears under its name only when complete."""

    def __init__(self, file: Path, width_px: int, height_px: int, fps: int, keyframe_s: int = 1) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._partial = file.with_suffix(".partial.mp4")
        self._container = av.open(str(self._partial), "w", format="mp4")
        stream = self._container.add_stream("libx264", rate=fps, options=dict(ENCODER_OPTIONS))
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.gop_size = fps * keyframe_s
        stream.time_base = Fraction(1, fps)
        self._stream = stream
        self._number = 0

    def write(self, picture: Picture) -> None:
        """Append one frame."""
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = self._number
        frame.time_base = Fraction(1, round(self._stream.average_rate or 1))
        self._number += 1
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            self._partial.replace(self._file)
        else:
            self._partial.unlink(missing_ok=True)


def read_frames(file: Path) -> Iterator[tuple[float, Picture]]:
    """Yield (seconds from the start, RGB frame) of every frame; raises BadInputError for what is not video."""
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise BadInputError(f"{file.name} has no video: give video files in --footage.")
            for frame in container.decode(container.streams.video[0]):
                yield float(frame.time or 0.0), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except av.FFmpegError as error:
        raise BadInputError(f"{file.name} cannot be read as video: {error.strerror}.") from None
