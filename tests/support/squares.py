"""Clips of a bright square that walks over a grey ground, and a detector that sees bright squares: exact truth."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.demo.video import VideoFile
from marengocam.ingest.furniture import SURE_LEARNED_AFTER, Furniture
from marengocam.ingest.worker import Eyes
from marengocam.vision.appearance import ColourTexture

WIDTH_PX, HEIGHT_PX, FPS = 320, 180, 10
BRIGHT = 150
WALK_S = 3.0
SIZE_PX = (24, 60)


CHAIR_PX = (150, 10)  # the left upper corner of what stands above the walk


def square_at(second: float, start_s: float) -> tuple[int, int] | None:
    """Return the square's left upper corner in pixels, None while it is away."""
    share = (second - start_s) / WALK_S
    if not 0 <= share < 1:
        return None
    return round(20 + share * (WIDTH_PX - 40 - SIZE_PX[0])), 80


def chair_box() -> Box:
    """Return where the chair stands."""
    (x, y), (width, height) = CHAIR_PX, SIZE_PX
    return Box(x / WIDTH_PX, y / HEIGHT_PX, (x + width) / WIDTH_PX, (y + height) / HEIGHT_PX)


def with_chair(picture: np.ndarray) -> np.ndarray:
    """Put something into a picture that is bright like the squares, and has a look of its own."""
    (x, y), (width, height) = CHAIR_PX, SIZE_PX
    shades = np.linspace(BRIGHT + 20, 250, height).astype(np.uint8)
    picture[y : y + height, x : x + width] = shades[:, None, None]
    return picture


def chair_learned_at(at: datetime) -> list[dict[str, Any]]:
    """Return what a camera keeps that has learned the chair, which the detector is sure of, at that moment."""
    luma, furniture = with_chair(np.full((HEIGHT_PX, WIDTH_PX, 1), 60, np.uint8))[..., 0], Furniture()
    seen_at = at - SURE_LEARNED_AFTER
    while not furniture.learned:
        furniture.sift([Detection("person", 0.9, chair_box())], luma, seen_at)
        seen_at += timedelta(minutes=1)
    return furniture.to_json()


def render_walks(file: Path, length_s: float, starts_s: Sequence[float], chair: bool = False) -> Path:
    """Write a clip in which a square walks from left to right at each of these seconds, below a chair if wanted."""
    noise = np.random.default_rng(1).integers(0, 4, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    with VideoFile(file, WIDTH_PX, HEIGHT_PX, FPS) as video:
        for number in range(round(length_s * FPS)):
            picture = np.full((HEIGHT_PX, WIDTH_PX, 3), 60, np.uint8) + noise
            if chair:
                with_chair(picture)
            for start_s in starts_s:
                corner = square_at(number / FPS, start_s)
                if corner is not None:
                    x, y = corner
                    picture[y : y + SIZE_PX[1], x : x + SIZE_PX[0]] = (230, 220, 210)
            video.write(picture)
    return file


class SquareDetector:
    """Calls every bright square a person."""

    name = "bright-squares"

    def detect(self, pictures: Sequence[np.ndarray], min_score: float) -> list[list[Detection]]:
        return [self._squares(picture) for picture in pictures]

    @staticmethod
    def _squares(picture: np.ndarray) -> list[Detection]:
        height, width = picture.shape[:2]
        bright = (picture.min(axis=2) > BRIGHT).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        return [
            Detection("person", 0.9, Box(x / width, y / height, (x + w) / width, (y + h) / height))
            for x, y, w, h, area in stats[1:count].tolist()
            if area > 200
        ]


def square_eyes(*_settings: object) -> Eyes:
    """Return what sees squares, in place of `load_eyes`."""
    return Eyes(SquareDetector(), ColourTexture())
