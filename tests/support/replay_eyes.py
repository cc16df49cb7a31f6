"""What replays in tests look with: bright squares are people, and each square has the same face."""

from collections.abc import Sequence

import numpy as np

from marengocam.core.model import Embedding
from marengocam.replay.eyes import Eyes
from marengocam.settings import Settings
from marengocam.vision.faces import FaceFound
from tests.support.resolver_hub import unit
from tests.support.resolver_scenes import FACE_MODEL, embedding
from tests.support.squares import square_eyes

ALICE_FACE: Embedding = embedding(FACE_MODEL, vector=unit(1))


class OneFace:
    """Finds one face in the upper middle of every picture."""

    model = FACE_MODEL

    def faces(self, picture: np.ndarray) -> Sequence[FaceFound]:
        height, width = picture.shape[:2]
        box = (0.4 * width, 0.2 * height, 0.2 * width, 0.2 * height)
        return [FaceFound(box, 0.9, np.zeros((5, 2), np.float32), 0.9, ALICE_FACE)]


def squares(_settings: Settings, _overrides: dict[str, str]) -> Eyes:
    seen = square_eyes()
    return Eyes(seen.detector, seen.appearance, None, {"detector": "bright-squares", "appearance": None, "face": None})


def squares_with_faces(_settings: Settings, _overrides: dict[str, str]) -> Eyes:
    seen = square_eyes()
    names = {"detector": "bright-squares", "appearance": None, "face": FACE_MODEL}
    return Eyes(seen.detector, seen.appearance, OneFace(), names)
