"""What somebody looks like: an embedding of a person's whole picture, comparable within a visit."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.core.model import Embedding, Vector
from marengocam.settings import Settings
from marengocam.vision.crops import Picture, sharpness
from marengocam.vision.models import Models, Role
from marengocam.vision.openvino_net import OpenVinoNet

NET_WIDTH_PX, NET_HEIGHT_PX = 128, 256
GOOD_HEIGHT_PX = 160
STRIPES = 4
HUE_BINS, SATURATION_BINS, VALUE_BINS, GRADIENT_BINS = 12, 4, 6, 6
CENTRE_SHARE = 0.7  # of the width: the person, not what stands beside
# Whose likeness BF16 leaves as it is: a cosine of 0.9992 and more to FP32's answer (147 people of five clips), where
# OSNet's falls to 0.996.
BF16_DOES = frozenset({"omz-reid-0287-256"})
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_LOG = logging.getLogger(__name__)


class AppearanceEncoder(Protocol):
    """Turns pictures of people (RGB) into unit vectors of one model."""

    @property
    def model(self) -> str:
        """The model's name; only vectors of one model are compared."""

    def encode(self, crops: Sequence[Picture]) -> list[Embedding]:
        """Return one embedding per picture."""


class NetAppearance:
    """A re-identification network."""

    def __init__(self, file: Path, model: str, cache_dir: Path) -> None:
        self.model = model
        self._imagenet = model.startswith("osnet")
        shape = (1, 3, NET_HEIGHT_PX, NET_WIDTH_PX)
        self._net = OpenVinoNet(file, shape, cache_dir, exact=model not in BF16_DOES)
        self.name = f"{model}-{self._net.precision}"  # vectors of either precision are of one model

    def encode(self, crops: Sequence[Picture]) -> list[Embedding]:
        """Return one embedding per picture."""
        return [Embedding(self.model, self._vector(crop), crop_quality(crop)) for crop in crops]

    def _vector(self, crop: Picture) -> Vector:
        scaled = cv2.resize(crop, (NET_WIDTH_PX, NET_HEIGHT_PX), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        scaled /= 255
        if self._imagenet:
            scaled = (scaled - _IMAGENET_MEAN) / _IMAGENET_DEVIATION
        answer = self._net.infer(scaled.transpose(2, 0, 1)[None]).ravel()
        if not (np.isfinite(answer).all() and answer.any()):  # the database would refuse the whole track for it
            raise ModelError(f"The appearance model {self.model} answers with no vector.")
        return unit(answer)


class ColourTexture:
    """Colour and texture statistics of horizontal stripes: no model needed, little to tell similar clothes apart."""

    model = name = "colour-texture-1"

    def encode(self, crops: Sequence[Picture]) -> list[Embedding]:
        """Return one embedding per picture."""
        return [Embedding(self.model, self._vector(crop), crop_quality(crop)) for crop in crops]

    @staticmethod
    def _vector(crop: Picture) -> Vector:
        scaled = np.asarray(cv2.resize(crop, (64, 128), interpolation=cv2.INTER_AREA), np.uint8)
        side = round(64 * (1 - CENTRE_SHARE) / 2)
        scaled = np.ascontiguousarray(scaled[:, side : 64 - side])
        hsv = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2HSV), np.uint8)
        parts = [_stripe(hsv[top : top + 128 // STRIPES]) for top in range(0, 128, 128 // STRIPES)]
        return unit(np.sqrt(np.concatenate(parts)))


def load_appearance_encoder(settings: Settings, models: Models) -> NetAppearance | ColourTexture:
    """Return the best encoder there is, saying plainly when it is only statistics."""
    best = models.best(Role.APPEARANCE)
    if best is None:
        _LOG.warning(
            "no re-identification model was found: appearance is compared by colours and textures, which tells "
            "people apart only while their clothes differ clearly"
        )
        return ColourTexture()
    spec, file = best
    return NetAppearance(file, spec.name, settings.data_dir)


def crop_quality(crop: Picture) -> float:
    """Return how much a picture of a person tells, 0 to 1: height, sharpness, whether it is upright."""
    height, width = crop.shape[:2]
    if height < 16 or width < 8:
        return 0.05
    size = min(1.0, height / GOOD_HEIGHT_PX)
    upright = min(1.0, height / (1.5 * width))
    return float(max(0.05, size * upright * (0.5 + 0.5 * sharpness(crop))))


def cosine(one: Vector, other: Vector) -> float:
    """Return how alike two embeddings of one model are, -1 to 1."""
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / scale if scale else 0.0


def fuse(embeddings: Sequence[Embedding]) -> Embedding:
    """Return the quality-weighted mean of embeddings of one model; at least one is needed."""
    weights = np.array([max(embedding.quality, 1e-3) for embedding in embeddings], np.float32)
    mean = np.average(np.stack([embedding.vector for embedding in embeddings]), axis=0, weights=weights)
    return Embedding(embeddings[0].model, unit(mean), float(max(embedding.quality for embedding in embeddings)))


def unit(vector: npt.NDArray[np.floating]) -> Vector:
    """Return a vector at length 1; what has no length stays as it is."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if 0 < length < np.inf else vector, np.float32)


def _stripe(hsv: Picture) -> npt.NDArray[np.float32]:
    hue_saturation = cv2.calcHist([hsv], [0, 1], None, [HUE_BINS, SATURATION_BINS], [0, 180, 0, 256]).ravel()
    value = cv2.calcHist([hsv], [2], None, [VALUE_BINS], [0, 256]).ravel()
    luma = hsv[..., 2].astype(np.float32)
    across, down = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
    angle = np.arctan2(down, across) % np.pi
    gradient, _ = np.histogram(angle, GRADIENT_BINS, (0, np.pi), weights=np.hypot(across, down))
    parts = (hue_saturation, value, gradient.astype(np.float32) * 0.5)
    return np.concatenate([part / max(float(np.sum(part)), 1e-6) for part in parts]).astype(np.float32)
