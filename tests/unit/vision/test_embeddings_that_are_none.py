"""A network that answers with no numbers, or nothing but zeros: that is no embedding, and never reaches a track."""

import numpy as np
import pytest

from marengocam.core.errors import ModelError
from marengocam.vision.appearance import NetAppearance
from marengocam.vision.faces import FaceAnalyser

PICTURE = np.full((200, 100, 3), 90, np.uint8)
ROW = np.array([20, 20, 40, 50, 32, 38, 48, 38, 40, 48, 34, 58, 46, 58, 0.95], np.float32)


class Net:
    """A network whose answer a test chooses."""

    def __init__(self, answer: np.ndarray) -> None:
        self.answer = answer

    def infer(self, _planes: np.ndarray) -> np.ndarray:
        return self.answer


class Embedder:
    """A face model whose answer a test chooses."""

    model = "test-128"

    def __init__(self, answer: np.ndarray) -> None:
        self.answer = answer

    def embed(self, _picture: np.ndarray, _face: np.ndarray) -> np.ndarray:
        return self.answer


def appearance(answer: np.ndarray) -> NetAppearance:
    encoder = NetAppearance.__new__(NetAppearance)
    encoder.model, encoder._imagenet, encoder._net = "test-256", False, Net(answer)  # type: ignore[assignment]
    return encoder


def analyser(answer: np.ndarray) -> FaceAnalyser:
    made = FaceAnalyser.__new__(FaceAnalyser)
    made._embedder = Embedder(answer)
    return made


@pytest.mark.parametrize("answer", [np.full(256, np.nan), np.array([np.inf, *[0.0] * 255]), np.zeros(256)])
def test_an_appearance_model_that_answers_with_no_vector_has_failed(answer: np.ndarray) -> None:
    with pytest.raises(ModelError, match="test-256"):
        appearance(answer.astype(np.float32)).encode([PICTURE])


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_face_model_that_answers_with_no_numbers_has_failed(odd: float) -> None:
    with pytest.raises(ModelError, match="test-128"):
        analyser(np.full(128, odd, np.float32))._face(PICTURE, ROW, 1.0)


def test_a_face_that_cannot_be_aligned_has_no_embedding() -> None:
    assert analyser(np.zeros(128, np.float32))._face(PICTURE, ROW, 1.0).embedding is None
    good = analyser(np.eye(1, 128, dtype=np.float32)[0])._face(PICTURE, ROW, 1.0).embedding
    assert good is not None
