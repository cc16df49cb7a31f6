"""Boxes out of a network's answer and a picture into its input, picture by picture and box by box: the plain way."""

import cv2
import numpy as np

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import LABELS, Picture
from marengocam.vision.detectors.yolo import BOX_ROWS, GREY, MAX_BOXES, NMS_IOU, WANTED, Letterbox, placing


def planes_of(picture: Picture, width_px: int, height_px: int) -> np.ndarray:
    placed = placing(picture.shape[1], picture.shape[0], width_px, height_px)
    canvas = np.full((height_px, width_px, 3), GREY, np.uint8)
    inner = (placed.inner_width_px, placed.inner_height_px)
    canvas[placed.rows, placed.columns] = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR)
    return canvas.transpose(2, 0, 1).astype(np.float32) * np.float32(1 / 255)


def best_of(output: np.ndarray) -> np.ndarray:
    """Return [6, anchors] as a GPU answers: box, best score, and which label it is of."""
    scores = output[BOX_ROWS:]
    return np.concatenate([output[:BOX_ROWS], scores.max(axis=0)[None], scores.argmax(axis=0)[None]], dtype=np.float32)


def objects_of(answer: np.ndarray, placed: Letterbox, min_score: float) -> list[Detection]:
    """Return the objects of one picture from what `best_of` returns."""
    kept = np.flatnonzero(answer[BOX_ROWS] >= min_score)
    if kept.size == 0:
        return []
    centre_x, centre_y, width, height, sure, kinds = answer[:, kept]
    corners = np.stack([centre_x - width / 2, centre_y - height / 2, width, height], axis=1)
    kinds = kinds.astype(int)
    chosen = cv2.dnn.NMSBoxesBatched(corners.tolist(), sure.tolist(), kinds.tolist(), min_score, NMS_IOU)
    found = []
    for index in list(chosen)[:MAX_BOXES]:
        box = _box(corners[index], placed)
        if box.area > 0:
            found.append(Detection(LABELS[int(WANTED[kinds[index]])], float(min(sure[index], 1.0)), box))
    return found


def _box(corner: np.ndarray, placed: Letterbox) -> Box:
    def share(value: float, start_px: int, scale: float, length_px: int) -> float:
        return float(min(max((value - start_px) / scale / length_px, 0.0), 1.0))

    x, y, wide, high = corner
    across = (placed.left_px, placed.scale_x, placed.width_px)
    down = (placed.top_px, placed.scale_y, placed.height_px)
    return Box(share(x, *across), share(y, *down), share(x + wide, *across), share(y + high, *down))
