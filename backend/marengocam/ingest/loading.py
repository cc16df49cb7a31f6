"""Loading what analysis looks with, beside recording and without keeping the process from ending."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

from marengocam.ingest.answering_eyes import AnsweringDetector, AnsweringEncoder
from marengocam.ingest.worker import Eyes
from marengocam.settings import Settings
from marengocam.vision.appearance import load_appearance_encoder
from marengocam.vision.detectors import load_detector
from marengocam.vision.detectors.choice import is_on_gpu, load_in_place_of
from marengocam.vision.detectors.hog import HogDetector
from marengocam.vision.models import Models

FALLBACK_REASON = (
    "No detector model is here: people are found by OpenCV's built-in detector, which misses many. "
    "Put a model into the models folder; `marengocam models list` names them."
)
T = TypeVar("T")


def load_eyes(settings: Settings) -> Eyes:
    """Return detector and appearance encoder; takes seconds, or minutes while a model is fetched.

    Raises ModelError when a detector was asked for by name and cannot be had.
    """
    models = Models(settings)
    load_encoder = partial(load_appearance_encoder, settings, models)
    detector = load_detector(settings, models)
    return Eyes(
        AnsweringDetector(detector, load_in_place_of(detector, settings, models), on_gpu=is_on_gpu(detector)),
        AnsweringEncoder(load_encoder(), load_encoder),
    )


def is_fallback(eyes: Eyes, settings: Settings) -> bool:
    """Return whether the detector is only there for want of a better one."""
    return settings.detector == "auto" and eyes.detector.name == HogDetector.name


async def beside(work: Callable[[], T]) -> T:
    """Return what `work` returns, from a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - carried over to who awaits it
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="load models", daemon=True).start()
    return await future
