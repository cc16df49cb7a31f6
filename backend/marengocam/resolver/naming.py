"""Whether the faces of one individual, all together, are those of a person: against the faces that stand for him."""

from typing import NamedTuple

import numpy as np

from marengocam.core.calibration import faces_together_log_ratio
from marengocam.core.identity import Floats
from marengocam.core.model import Embedding, Vector

BEST_FACES = 5  # of a gallery: a face need not look like every pose in it


class Portfolio(NamedTuple):
    """Some faces by one model, of unit length, a row for each, with their qualities."""

    vectors: Vector
    qualities: Floats


def agreeing(faces: int) -> int:
    """Return how many faces of a gallery of so many have to be like somebody: most of them, as many as count at most.

    One alone is not enough, where there are more: each new one would be a new chance to be taken for the person.
    """
    return min(faces // 2 + 1, BEST_FACES)


def faces_log_ratio(model: str, shown: Portfolio, gallery: Portfolio) -> float:
    """Return the evidence that those who were shown are the person of a gallery; neither is empty."""
    cosines = (shown.vectors @ gallery.vectors.T).astype(np.float64)
    most = agreeing(len(gallery.qualities))
    likest = np.argsort(-cosines, axis=1, kind="stable")[:, :most]
    mean = np.take_along_axis(cosines, likest, axis=1).mean(axis=1)
    return faces_together_log_ratio(model, mean, shown.qualities, gallery.qualities[likest].mean(axis=1))


def with_own(shown: Portfolio, own: Embedding) -> Portfolio:
    """Return faces with one more."""
    vector = own.vector / (np.linalg.norm(own.vector) or 1.0)
    return Portfolio(np.vstack((shown.vectors, vector[None])), np.append(shown.qualities, own.quality))
