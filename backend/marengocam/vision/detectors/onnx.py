"""YOLO on ONNX Runtime, for processors that OpenVINO does not serve; from the extra [onnx]."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.vision.detectors.shaped import LONG_SIDE_PX, ShapedDetector


class OnnxRuntimeDetector(ShapedDetector):
    """One session serves every shape, since its file leaves height and width open."""

    def __init__(self, file: Path, model_name: str, long_side_px: int = LONG_SIDE_PX) -> None:
        session = _Session(file)
        super().__init__(f"{model_name}-onnx", lambda _: session, long_side_px)


class _Session:
    precision = "f32"

    def __init__(self, file: Path) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise ModelError("The detector `onnx` needs the extra: pip install 'marengocam[onnx]'.") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # analysis has a thread per camera already
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's errors share no type
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"The model {file.name} cannot be loaded: {first}") from error
        self._input = self._session.get_inputs()[0].name

    def infer(self, batch: npt.NDArray[np.float32], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        answer = self._session.run(None, {self._input: np.ascontiguousarray(batch)})[0]
        return np.asarray(answer[:, rows], np.float32)
