"""Small video files made at test time, with the frame's number readable from the picture."""

from pathlib import Path

import numpy as np

from marengocam.demo.video import VideoFile

BITS = 12


def write_counter_clip(file: Path, frames: int = 60, fps: int = 15, width: int = 192, height: int = 96) -> Path:
    """Write a clip whose upper half shows each frame's number in black and white fields."""
    with VideoFile(file, width, height, fps) as video:
        for number in range(frames):
            picture = np.full((height, width, 3), 90, np.uint8)
            for bit in range(BITS):
                left = bit * width // BITS
                picture[: height // 2, left : left + width // BITS] = 255 if number >> bit & 1 else 0
            square = (number * 4) % (width - 20)
            picture[height // 2 + 10 : height // 2 + 30, square : square + 20] = (250, 220, 40)
            video.write(picture)
    return file


def read_number(luma: np.ndarray) -> int:
    """Return the number that a frame of such a clip shows."""
    height, width = luma.shape
    fields = [luma[height // 4, bit * width // BITS + width // BITS // 2] > 127 for bit in range(BITS)]
    return sum(int(value) << bit for bit, value in enumerate(fields))
