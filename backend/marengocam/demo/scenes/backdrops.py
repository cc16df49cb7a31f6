"""Drawn views without people: a front door and a back yard, each with its own light and sensor noise."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def front_door(width_px: int, height_px: int) -> Picture:
    """Return a house wall with a door, seen across a paved drive, in warm light."""
    view = np.zeros((height_px, width_px, 3), np.uint8)
    horizon = int(height_px * 0.55)
    view[:horizon] = (196, 178, 152)
    _bricks(view[:horizon], brick_px=(width_px // 24, height_px // 26), line=(178, 160, 136))
    _gradient(view[horizon:], (138, 132, 124), (92, 88, 84))
    _paving(view, horizon, step=width_px // 12)
    door = (int(width_px * 0.62), int(height_px * 0.14), int(width_px * 0.74), horizon)
    cv2.rectangle(view, door[:2], door[2:], (74, 46, 34), -1)
    cv2.rectangle(view, door[:2], door[2:], (226, 220, 208), 5)
    cv2.circle(view, (door[2] - 14, (door[1] + door[3]) // 2), 5, (212, 186, 90), -1)
    for left in (0.08, 0.30, 0.84):
        _window(view, (int(width_px * left), int(height_px * 0.15)), (width_px // 9, height_px // 5))
    cv2.rectangle(view, (0, horizon - 6), (width_px, horizon), (120, 108, 94), -1)
    return view


def back_yard(width_px: int, height_px: int) -> Picture:
    """Return a lawn before a fence under an overcast sky, in cool light."""
    view = np.zeros((height_px, width_px, 3), np.uint8)
    horizon = int(height_px * 0.42)
    _gradient(view[:horizon], (150, 170, 192), (204, 212, 218))
    fence_top = int(height_px * 0.22)
    view[fence_top:horizon] = (104, 92, 74)
    for left in range(0, width_px, width_px // 40):
        shade = 116 + (left * 7) % 12
        right = left + width_px // 40 - 1
        cv2.rectangle(view, (left, fence_top), (right, horizon), (shade, shade - 14, shade - 34), -1)
    _gradient(view[horizon:], (86, 118, 70), (58, 92, 46))
    grass = np.random.default_rng(7).integers(-12, 12, (height_px - horizon, width_px, 1))
    view[horizon:] = np.clip(view[horizon:].astype(np.int16) + grass, 0, 255).astype(np.uint8)
    path = np.array([[0.1, 1.0], [0.34, 1.0], [0.56, 0.42], [0.5, 0.42]]) * (width_px, height_px)
    cv2.fillPoly(view, [path.astype(np.int32)], (158, 150, 138))
    cv2.circle(view, (int(width_px * 0.87), int(height_px * 0.2)), height_px // 7, (44, 82, 44), -1)
    cv2.rectangle(view, (int(width_px * 0.86), int(height_px * 0.3)), (int(width_px * 0.88), horizon), (82, 62, 44), -1)
    return view


BACKDROPS: dict[str, Callable[[int, int], Picture]] = {"front_door": front_door, "back_yard": back_yard}


def _gradient(area: Picture, top: tuple[int, int, int], bottom: tuple[int, int, int]) -> None:
    share = np.linspace(0, 1, area.shape[0])[:, None, None]
    area[:] = (np.array(top) * (1 - share) + np.array(bottom) * share).astype(np.uint8)


def _bricks(area: Picture, brick_px: tuple[int, int], line: tuple[int, int, int]) -> None:
    width, height = brick_px
    for row, y in enumerate(range(0, area.shape[0], height)):
        cv2.line(area, (0, y), (area.shape[1], y), line, 1)
        for x in range(width // 2 * (row % 2), area.shape[1], width):
            cv2.line(area, (x, y), (x, y + height), line, 1)


def _paving(view: Picture, horizon: int, step: int) -> None:
    height_px, width_px = view.shape[:2]
    for x in range(-width_px, 2 * width_px, step):
        cv2.line(view, (width_px // 2 + (x - width_px // 2) // 3, horizon), (x, height_px), (116, 110, 104), 1)
    for k in range(1, 7):
        y = horizon + int((height_px - horizon) * (k / 7) ** 1.6)
        cv2.line(view, (0, y), (width_px, y), (116, 110, 104), 1)


def _window(view: Picture, corner: tuple[int, int], size: tuple[int, int]) -> None:
    x, y = corner
    width, height = size
    cv2.rectangle(view, (x, y), (x + width, y + height), (104, 128, 148), -1)
    cv2.rectangle(view, (x, y), (x + width, y + height), (232, 228, 220), 4)
    cv2.line(view, (x + width // 2, y), (x + width // 2, y + height), (232, 228, 220), 3)
