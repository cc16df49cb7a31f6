"""Whether the faces of one individual, all together, are those of a person: against the faces that stand for him."""

from typing import NamedTuple

import numpy as np

from marengocam.core.calibration import face_fit
from marengocam.core.identity import Floats
from marengocam.core.model import Embedding, Vector

BEST_FACES = 5  # of a gallery: a face need not look like every pose in it


class Portfolio(NamedTuple):
    """Some faces by one model, of unit length, a row for each, with their qualities."""

    vectors: Vector
    qualities: Floats
    key: bytes  # the same for the same faces of an album


def agreeing(faces: int) -> int:
    """Return how many faces of a gallery of so many have to be like somebody: most of them, as many as count at most.

    One alone is not enough, where there are more: each new one would be a new chance to be taken for the person.
    """
    return min(faces // 2 + 1, BEST_FACES)


def likelihoods(model: str, shown: Portfolio, gallery: Portfolio) -> Floats:
    """Return the log-likelihoods of those who were shown being the person of a gallery; neither is empty."""
    cosines = (shown.vectors @ gallery.vectors.T).astype(np.float64)
    likest = np.argsort(-cosines, axis=1, kind="stable")[:, : agreeing(len(gallery.qualities))]
    mean = np.take_along_axis(cosines, likest, axis=1).mean(axis=1)
    return face_fit(model).likelihoods(mean, shown.qualities, gallery.qualities[likest].mean(axis=1))


def portfolio_of(own: Embedding) -> Portfolio:
    """Return one face."""
    vector = own.vector / (np.linalg.norm(own.vector) or 1.0)
    return Portfolio(np.asarray(vector[None], np.float32), np.array([own.quality]), b"")
