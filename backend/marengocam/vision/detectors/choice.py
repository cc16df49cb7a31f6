"""Which detector is used here, said plainly."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from marengocam.core.errors import ModelError
from marengocam.settings import Settings
from marengocam.vision.detectors.batching import MAX_BATCH, BatchingDetector
from marengocam.vision.detectors.hog import HogDetector
from marengocam.vision.detectors.precision import Precision, decide, processor_has_vnni
from marengocam.vision.detectors.protocol import Detector
from marengocam.vision.detectors.shaped import BALANCED_LONG_SIDE_PX, LONG_SIDE_PX
from marengocam.vision.detectors.stepping import SteppingDetector
from marengocam.vision.models import Models, ModelSpec, Role
from marengocam.vision.vram import shares_of

MAKING_DIGITS = 8
_LOG = logging.getLogger(__name__)
FALLBACK_NOTICE = (
    "no detector model was found or could be fetched: OpenCV's built-in people detector is used. Expect upright, whole "
    "people by daylight only, and more misses; put a YOLO model into MARENGOCAM_MODELS_DIR for real use"
)


def load_detector(settings: Settings, models: Models) -> Detector:
    """Return the detector that the settings ask for, or the best there is.

    Raises ModelError when a detector was asked for by name and cannot be had.
    """
    if settings.detector == "hog":
        return HogDetector()
    if settings.detector == "ultralytics":
        return _ultralytics(settings, models)
    if settings.detector == "onnx":
        return _onnx(settings, models)
    if settings.detector == "auto" and _cuda_is_here():
        try:
            return _ultralytics(settings, models)
        except ModelError as error:
            _LOG.warning("the GPU is not used: %s", error)
    return _on_cpu(settings, models)


def is_on_gpu(detector: Detector) -> bool:
    """Return whether a detector of `load_detector` was loaded onto a GPU."""
    return isinstance(detector, BatchingDetector)


def load_in_place_of(hung: Detector, settings: Settings, models: Models) -> Callable[[], Detector]:
    """Return what loads a detector in place of one that hangs: on the processor if it was on a GPU, else the same."""
    return partial(_on_cpu if is_on_gpu(hung) else load_detector, settings, models)


def _on_cpu(settings: Settings, models: Models) -> Detector:
    best = models.best(Role.DETECTOR)
    if best is None:
        if settings.detector == "openvino":
            raise ModelError("No detector model for OpenVINO was found: see `marengocam models list`.")
        _LOG.warning(FALLBACK_NOTICE)
        return HogDetector()
    from marengocam.vision.detectors.openvino import OpenVinoDetector  # noqa: PLC0415 - loaded when needed

    spec, file = best
    small, precision, why = precision_of(spec, settings, models)
    if small is not None and precision is Precision.INT8:
        spec, file = small
    detector = OpenVinoDetector(
        file,
        _name_of(spec),
        settings.data_dir,
        long_side_px(settings),
        spec.fixed_px,
        exact=precision is Precision.F32,
    )
    detector.why = why
    _LOG.info("detector %s (%s), because %s", detector.name, spec.quality, why)
    return detector


def precision_of(
    spec: ModelSpec, settings: Settings, models: Models
) -> tuple[tuple[ModelSpec, Path] | None, Precision, str]:
    """Return the INT8 network that was made of one, if there is, in what precision the processor looks, and why."""
    from marengocam.vision.openvino_net import processor_has_bf16  # noqa: PLC0415 - loaded when needed

    if spec.int8_of or spec.fixed_px:
        return None, Precision.INT8, "the only network that is here"
    small = models.int8_of(spec)
    decided = decide(
        settings.detector_precision, made_int8=small is not None, vnni=processor_has_vnni(), bf16=processor_has_bf16()
    )
    return small, *decided


def _name_of(spec: ModelSpec) -> str:
    """Return a model's name for its detector; two makings of one name differ, and replays are to know."""
    name = spec.name.removesuffix("-int8").removesuffix("-onnx")
    return f"{name}-{spec.digest[:MAKING_DIGITS]}" if spec.made else name


def _onnx(settings: Settings, models: Models) -> Detector:
    others = [spec.name for spec in models.specs() if not spec.file_name.endswith(".onnx")]
    best = models.best(Role.DETECTOR, without=others)
    if best is None:
        raise ModelError("No detector model for ONNX Runtime was found: see `marengocam models list`.")
    from marengocam.vision.detectors.onnx import OnnxRuntimeDetector  # noqa: PLC0415 - loaded when needed

    return OnnxRuntimeDetector(best[1], _name_of(best[0]), long_side_px(settings))


def long_side_px(settings: Settings) -> int:
    """Return how large the detector looks at pictures."""
    return LONG_SIDE_PX if settings.analysis_detail == "high" else BALANCED_LONG_SIDE_PX


def _ultralytics(settings: Settings, models: Models) -> Detector:
    best = models.best(Role.DETECTOR, torch=True)
    if best is None:
        raise ModelError("No detector model for ultralytics was found: see `marengocam models list`.")
    from marengocam.vision.detectors.ultralytics import UltralyticsDetector  # noqa: PLC0415 - loaded when needed

    detector = UltralyticsDetector(best[1], best[0].name, shares_of(settings), long_side_px(settings))
    if not detector.on_gpu:
        return detector
    return BatchingDetector(SteppingDetector(detector, MAX_BATCH, lambda: _on_cpu(settings, models)))


def _cuda_is_here() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - asked once

    if find_spec("torch") is None or find_spec("ultralytics") is None:
        return False
    import torch  # noqa: PLC0415 - only where it is installed

    return bool(torch.cuda.is_available())
