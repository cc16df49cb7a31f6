"""Small video files made at test time, with the frame's number readable from the picture."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from marengocam.demo.video import VideoFile

BITS = 12


def write_counter_clip(
    file: Path, frames: int = 60, fps: int = 15, width: int = 192, height: int = 96, keyframe_s: int = 1
) -> Path:
    """Write a clip whose upper half shows each frame's number in black and white fields."""
    with VideoFile(file, width, height, fps, keyframe_s) as video:
        for number in range(frames):
            video.write(counter_picture(number, width, height))
    return file


def counter_picture(number: int, width: int, height: int) -> np.ndarray:
    """Return the picture that shows a number, and a square that moves with it."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        left = bit * width // BITS
        picture[: height // 2, left : left + width // BITS] = 255 if number >> bit & 1 else 0
    square = (number * 4) % (width - 20)
    picture[height // 2 + 10 : height // 2 + 30, square : square + 20] = (250, 220, 40)
    return picture


def read_number(luma: np.ndarray) -> int:
    """Return the number that a frame of such a clip shows."""
    height, width = luma.shape
    fields = [luma[height // 4, bit * width // BITS + width // BITS // 2] > 127 for bit in range(BITS)]
    return sum(int(value) << bit for bit, value in enumerate(fields))


def write_h265_clip(file: Path, frames: int = 60, fps: int = 15, width: int = 192, height: int = 96) -> Path:
    """Write the same clip in H.265."""
    with av.open(str(file), "w", format="mp4") as container:
        options = {"x265-params": f"bframes=0:keyint={fps}:log-level=none", "preset": "ultrafast"}
        stream = container.add_stream("libx265", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(counter_picture(number, width, height), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file
