"""What a replay looks with: the detector, the appearance encoder and the face models of a run, in this process.

Live, faces are asked of another process within half a second; whether it answers in time must not change a replay.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from marengocam import __version__
from marengocam.core.model import Camera, Embedding
from marengocam.engines.codeproject import MIN_CONFIDENCE
from marengocam.ingest.face_client import nearest_face
from marengocam.replay.overrides import ChosenModels
from marengocam.settings import Settings
from marengocam.vision.appearance import AppearanceEncoder, load_appearance_encoder
from marengocam.vision.detectors import Detector, load_detector
from marengocam.vision.faces import FaceAnalyser, load_face_analyser

PACKAGE = Path(__file__).resolve().parents[1]
LOOKING_ROOMS = ("core", "ingest", "vision", "replay", "media", "resolver", "db")  # whose code decides a result


@dataclass(frozen=True, slots=True)
class Eyes:
    """The models of a run."""

    detector: Detector
    appearance: AppearanceEncoder
    faces: FaceAnalyser | None = None
    names: dict[str, str | None] = field(default_factory=dict)

    def face_in(self, jpeg: bytes) -> Embedding | None:
        """Return the face that belongs to a person's crop, as our face engine would tell it."""
        if self.faces is None:
            return None
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            return None
        rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        found = [one for one in self.faces.faces(rgb) if one.embedding is not None and one.score >= MIN_CONFIDENCE]
        if not found:
            return None
        nearest = min(found, key=lambda one: nearest_face(one.box_px, (rgb.shape[1], rgb.shape[0])))
        return nearest.embedding


EyesLoader = Callable[[Settings, dict[str, str]], Eyes]


def load_eyes(settings: Settings, overrides: dict[str, str]) -> Eyes:
    """Return the models of a run; raises ModelError, BadInputError when one is not here."""
    cv2.setNumThreads(1)  # one order of summing
    models = ChosenModels(settings, overrides)
    detector = load_detector(settings, models)
    appearance = load_appearance_encoder(settings, models)
    faces = load_face_analyser(settings, models) if settings.face_engine_url is not None else None
    names = {"detector": detector.name, "appearance": appearance.name, "face": faces.model if faces else None}
    return Eyes(detector, appearance, faces, names)


def inputs_digest(camera: Camera, settings: Settings, overrides: dict[str, str], eyes: Eyes) -> str:
    """Return a digest of what decides a unit besides its video: code, models, settings, the camera's options."""
    told = {
        "code": code_digest(),
        "models": eyes.names,
        "overrides": overrides,
        "analysis_fps": settings.analysis_fps,
        "analysis_detail": settings.analysis_detail,
        "detector_min_score": settings.detector_min_score,
        "appearance": settings.appearance,
        "zones": [(zone.name, zone.polygon) for zone in camera.zones],
        "analysis": repr(camera.analysis),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


@cache
def code_digest() -> str:
    """Return a digest of the code that decides what a replay sees, so that two machines can tell they are alike."""
    digest = hashlib.sha256(__version__.encode())
    for room in LOOKING_ROOMS:
        for file in sorted((PACKAGE / room).rglob("*")):
            if file.suffix in {".py", ".sql"}:
                digest.update(str(file.relative_to(PACKAGE)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
