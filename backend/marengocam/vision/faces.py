"""Faces in a picture: found by YuNet, aligned, embedded, judged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.core.model import Embedding, Vector
from marengocam.settings import Settings
from marengocam.vision.appearance import unit
from marengocam.vision.crops import Picture, sharpness
from marengocam.vision.head_pose import HeadPose, head_pose
from marengocam.vision.models import Models, Role
from marengocam.vision.openvino_net import OpenVinoNet

MIN_FACE_SCORE = 0.6
NMS_IOU = 0.3
MAX_FACES = 50
SMALL_SIDE_PX = 320  # smaller pictures are enlarged before the search
LARGE_SIDE_PX = 1280  # larger ones are shrunk
MAX_ENLARGEMENT = 3.0
MIN_SEARCH_PX = 16  # a strip thinner than this is not searched
GOOD_FACE_PX = 80
ALIGNED_PX = 112
# Where ArcFace's training put eyes, nose and corners of the mouth in a 112 px picture.
_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)


@dataclass(frozen=True, slots=True)
class FaceFound:
    """One face: box (x, y, width, height) and landmarks in pixels of the given picture."""

    box_px: tuple[float, float, float, float]
    score: float
    landmarks_px: npt.NDArray[np.float32]
    quality: float
    embedding: Embedding | None
    pose: HeadPose | None = None


class FaceEmbedder(Protocol):
    """Turns an aligned face into a unit vector."""

    model: str

    def embed(self, picture: Picture, face: npt.NDArray[np.float32]) -> Vector:
        """Return the vector of YuNet's row `face` in an RGB picture."""


class FaceAnalyser:
    """Finds and embeds faces; one caller at a time. `model` is None when faces can be found but not told apart."""

    def __init__(self, detector_file: Path, embedder: FaceEmbedder | None) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(detector_file), "", (SMALL_SIDE_PX, SMALL_SIDE_PX), MIN_FACE_SCORE, NMS_IOU, MAX_FACES
        )
        self._embedder = embedder

    @property
    def model(self) -> str | None:
        return self._embedder.model if self._embedder else None

    def faces(self, picture: Picture) -> list[FaceFound]:
        """Return the faces of an RGB picture, largest first; raises ModelError when the model cannot look at it."""
        try:
            return self._faces(picture)
        except cv2.error as error:
            raise ModelError(f"The face model failed on this picture: {str(error).splitlines()[0]}") from error

    def _faces(self, picture: Picture) -> list[FaceFound]:
        height, width = picture.shape[:2]
        scale = _search_scale(width, height)
        if min(width, height) * scale < MIN_SEARCH_PX:
            return []  # no face fits in, and the detector's answer on such strips is not finite
        searched = picture
        if scale != 1:
            size = (round(width * scale), round(height * scale))
            how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
            searched = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
        bgr = cv2.cvtColor(searched, cv2.COLOR_RGB2BGR)
        self._detector.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._detector.detect(bgr)
        usable = [] if rows is None else [row for row in np.asarray(rows, np.float32) if np.isfinite(row).all()]
        found = [self._face(picture, row, scale) for row in usable]
        return sorted(found, key=lambda face: face.box_px[2] * face.box_px[3], reverse=True)

    def _face(self, picture: Picture, row: npt.NDArray[np.float32], scale: float) -> FaceFound:
        face = row.copy()
        face[:14] /= scale
        x, y, width, height = (float(value) for value in face[:4])
        landmarks = face[4:14].reshape(5, 2)
        pose = head_pose(landmarks)
        quality = _quality(picture, face, pose)
        embedding = None
        if self._embedder is not None:
            vector = self._embedder.embed(picture, face)
            if not np.isfinite(vector).all():
                raise ModelError(f"The face model {self._embedder.model} answers with no numbers.")
            # Without a length: it could not be aligned, and would be unlike everybody.
            embedding = Embedding(self._embedder.model, vector, quality) if vector.any() else None
        return FaceFound((x, y, width, height), float(face[14]), landmarks, quality, embedding, pose)


class SFace:
    """OpenCV's own recogniser."""

    model = "sface-128"

    def __init__(self, file: Path) -> None:
        self._net = cv2.FaceRecognizerSF.create(str(file), "")

    def embed(self, picture: Picture, face: npt.NDArray[np.float32]) -> Vector:
        """Return the vector of a face."""
        aligned = self._net.alignCrop(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), face[:14])
        return unit(np.asarray(self._net.feature(aligned), np.float32).ravel())


class MobileFaceNet:
    """MobileFaceNet on OpenVINO: RGB 0 to 255, aligned as ArcFace does."""

    def __init__(self, file: Path, model: str, cache_dir: Path) -> None:
        self.model = model
        self._net = OpenVinoNet(file, (1, 3, ALIGNED_PX, ALIGNED_PX), cache_dir, exact=True)

    def embed(self, picture: Picture, face: npt.NDArray[np.float32]) -> Vector:
        """Return the vector of a face."""
        matrix, _ = cv2.estimateAffinePartial2D(face[4:14].reshape(5, 2), _TEMPLATE, method=cv2.LMEDS)
        if matrix is None:
            return np.zeros(128, np.float32)
        aligned = cv2.warpAffine(picture, matrix, (ALIGNED_PX, ALIGNED_PX), flags=cv2.INTER_LINEAR)
        planes = aligned.astype(np.float32).transpose(2, 0, 1)[None]
        return unit(self._net.infer(planes).ravel())


def load_face_analyser(settings: Settings, models: Models) -> FaceAnalyser | None:
    """Return the best analyser there is, or None when no face can be found at all."""
    detector = models.best(Role.FACE_DETECTOR)
    if detector is None:
        return None
    recogniser = models.best(Role.FACE_EMBEDDING)
    return FaceAnalyser(detector[1], _embedder(recogniser, settings))


def _embedder(recogniser: tuple[Any, Path] | None, settings: Settings) -> FaceEmbedder | None:
    if recogniser is None:
        return None
    spec, file = recogniser
    return SFace(file) if spec.name == SFace.model else MobileFaceNet(file, spec.name, settings.data_dir)


def _search_scale(width: int, height: int) -> float:
    longest = max(width, height)
    if longest > LARGE_SIDE_PX:
        return LARGE_SIDE_PX / longest
    return min(MAX_ENLARGEMENT, max(1.0, SMALL_SIDE_PX / longest))


def _quality(picture: Picture, face: npt.NDArray[np.float32], pose: HeadPose | None) -> float:
    """Return 0 to 1 from size, sharpness, how frontal the face is, and the detector's own score."""
    x, y, width, height = face[:4]
    if pose is None or width < 1:
        return 0.0
    size = min(1.0, float(width) / GOOD_FACE_PX)
    top, left = max(0, int(y)), max(0, int(x))
    crop = picture[top : max(top + 1, int(y + height)), left : max(left + 1, int(x + width))]
    sharp = sharpness(crop) if crop.size else 0.0
    return float(
        min(1.0, size**0.5 * (0.35 + 0.65 * pose.frontal) * (0.6 + 0.4 * sharp) * min(1.0, float(face[14]) + 0.1))
    )
