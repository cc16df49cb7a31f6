"""What becomes of a look for a face that is under way."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from marengocam.core.camera_options import Analysis
from marengocam.core.model import Camera, Embedding, NameEvidence
from marengocam.ingest.face_client import FaceAnswer
from marengocam.ingest.face_looks import FaceLooks
from marengocam.ingest.frame_analysis import FaceWish
from marengocam.media.store import Store
from marengocam.vision.crops import to_jpeg

WISH = FaceWish(uuid4(), to_jpeg(np.zeros((64, 64, 3), np.uint8)), PurePosixPath("pictures/front/face.jpg"))
ANSWER = FaceAnswer(Embedding("model-4", np.eye(4, dtype=np.float32)[0], 0.9), NameEvidence("deepstack", "Ann", 0.9))


class Worker:
    """A camera, and what was noted in its tracks."""

    def __init__(self) -> None:
        self.camera = Camera("front", "Front", "rtsp://127.0.0.1/front")
        self.noted: list[FaceAnswer] = []

    def note_face(self, _track: Any, answer: FaceAnswer, _picture: Any, *, engine_ok: bool) -> None:
        assert engine_ok
        self.noted.append(answer)


class Engine:
    """Answers; where told so, the owner switches faces off while it looks."""

    def __init__(self, worker: Worker, *, switched_off: bool) -> None:
        self.worker, self.switched_off = worker, switched_off

    async def look(self, _jpeg: bytes, _size: tuple[int, int]) -> FaceAnswer:
        if self.switched_off:
            self.worker.camera = replace(self.worker.camera, analysis=Analysis(faces=False))
        return ANSWER


@pytest.mark.parametrize("switched_off", [False, True])
async def test_a_face_that_comes_after_faces_were_switched_off_is_kept_nowhere(
    tmp_path: Path, switched_off: bool
) -> None:
    worker: Any = Worker()
    looks = FaceLooks(Engine(worker, switched_off=switched_off), Store(tmp_path), lambda _track: None)
    await looks.look(worker, WISH)
    kept = not switched_off
    assert (worker.noted == [ANSWER], (tmp_path / WISH.path).exists()) == (kept, kept)
