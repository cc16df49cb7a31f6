"""Looks for faces: asked of the engine beside everything else; a track's row never waits for one."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import PurePosixPath

import cv2
import numpy as np

from marengocam.core.errors import FaceEngineError, StoreError
from marengocam.core.model import LocalTrack
from marengocam.ingest.face_client import FaceAnswer, Looking
from marengocam.ingest.frame_analysis import FaceWish
from marengocam.ingest.worker import CameraWorker
from marengocam.media.store import Store

LOOKS_AT_ONCE = 3
MAX_WAITING = 24  # beyond it the engine is too slow for this house, and newer crops come anyway
_LOG = logging.getLogger(__name__)


class FaceLooks:
    """Carries wishes to the engine and answers to their tracks; runs on the event loop only."""

    def __init__(self, client: Looking, store: Store, put: Callable[[LocalTrack], None]) -> None:
        self._client = client
        self._store = store
        self._put = put
        self._free = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._waiting = 0
        self.skipped = 0

    async def look(self, worker: CameraWorker, wish: FaceWish) -> None:
        """Ask the engine about one crop, and note what it saw in the crop's track."""
        if self._waiting >= MAX_WAITING:
            self.pass_over(worker, wish)
            return
        self._waiting += 1
        try:
            async with self._free:
                answer = await self._client.look(wish.jpeg, jpeg_size(wish.jpeg))
        except FaceEngineError as error:
            _LOG.debug("%s", error)
            self._note(worker, wish, FaceAnswer(), None, engine_ok=False)
            return
        finally:
            self._waiting -= 1
        if not worker.camera.analysis.faces:
            return  # switched off while the engine looked
        picture = await self._save(wish) if answer.face is not None else None
        self._note(worker, wish, answer, picture, engine_ok=True)

    def pass_over(self, worker: CameraWorker, wish: FaceWish) -> None:
        """Leave a crop unasked; its track is told that no face says nothing."""
        self.skipped += 1
        self._note(worker, wish, FaceAnswer(), None, engine_ok=False)

    def _note(
        self,
        worker: CameraWorker,
        wish: FaceWish,
        answer: FaceAnswer,
        picture: PurePosixPath | None,
        *,
        engine_ok: bool,
    ) -> None:
        track = worker.note_face(wish.local_track_id, answer, picture, engine_ok=engine_ok)
        if track is not None:
            self._put(track)

    async def _save(self, wish: FaceWish) -> PurePosixPath | None:
        try:
            await asyncio.to_thread(self._store.write_picture, wish.path, wish.jpeg)
        except StoreError as error:
            _LOG.warning("%s", error)
            return None
        return wish.path


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Return a JPEG's width and height in pixels, to the next eight."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return (picture.shape[1] * 8, picture.shape[0] * 8) if picture is not None else (1, 1)
