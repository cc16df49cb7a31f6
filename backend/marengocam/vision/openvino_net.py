"""A network on OpenVINO: compiled once, shared by threads, one thread a request."""

import os
import queue
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.vision.read_once import let_go_of

Array = npt.NDArray[Any]
CACHE_FOLDER = "cache/openvino"
REQUEST_LIMIT_S = 10.0  # below the watchdog's patience


def processor_has_bf16() -> bool:
    """Return whether this processor computes in BF16."""
    return _has_bf16(_core())


def _core() -> Any:
    # Else it tells Google of each start, from a forked copy of this process that outlives it with its locks.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # Python forbids an import so
    import openvino  # noqa: PLC0415 - takes a second to load, only where it is used

    return openvino.Core()


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoNet:
    """Runs a network with fixed input shapes; `infer` may be called by several threads at once."""

    def __init__(self, file: Path, shape: tuple[int, ...] | None, cache_dir: Path, *, exact: bool = False) -> None:
        core = _core()
        self.precision = "bf16" if not exact and _has_bf16(core) else "f32"
        settings: Mapping[str, Any] = {
            # N single-thread requests cost least CPU time in all (PERFORMANCE.md).
            "INFERENCE_NUM_THREADS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
            "CACHE_DIR": str(cache_dir / CACHE_FOLDER),
        }
        try:
            self._compiled = self._compile(core, file, shape, settings)
            if not self._compiled.get_property("LOADED_FROM_CACHE"):
                # Compiled here, it keeps the file's weights beside its own, and what making it left in the heap.
                del self._compiled
                self._compiled = self._compile(core, file, shape, settings)
        except RuntimeError as error:
            raise ModelError(f"The model {file.name} cannot be loaded: {str(error).splitlines()[0]}") from error
        # A request keeps several megabytes of buffers: as many as can compute at once, not one for each camera.
        self._requests: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(os.cpu_count() or 1):
            self._requests.put(None)
        self._infer_once()
        let_go_of(cache_dir / CACHE_FOLDER)
        self._infer_once()  # the weights that are used as they are in the file are there again

    def _compile(self, core: Any, file: Path, shape: tuple[int, ...] | None, settings: Mapping[str, Any]) -> Any:
        """Return the network, from the cache of compiled ones if it is there."""
        model = core.read_model(str(file))
        if any(node.get_type_name() == "FakeQuantize" for node in model.get_ops()):
            self.precision = "int8"  # what is not quantised in it stays as hinted
        if shape is not None:
            model.reshape(list(shape))
        return core.compile_model(model, "CPU", settings)

    def _infer_once(self) -> None:
        """Infer before any other thread can: OpenVINO makes its table of types then, and two who make it lock up."""
        wanted = self._compiled.input(0)
        if wanted.partial_shape.is_static:
            self.infer(np.zeros(tuple(wanted.shape), wanted.element_type.to_dtype()))

    def infer(self, batch: Array, rows: Array | None = None) -> Array:
        """Return the first output for an input of the compiled shape, or only these rows of each picture's.

        Raises ModelError when none gets its turn.
        """
        try:
            request = self._requests.get(timeout=REQUEST_LIMIT_S)
        except queue.Empty:
            raise ModelError("The model does not answer; it is asked again with the next picture.") from None
        try:
            if request is None:
                request = self._compiled.create_infer_request()
            request.infer([np.ascontiguousarray(batch)], share_inputs=True)
            answer = request.get_output_tensor(0).data
            return np.array(answer) if rows is None else answer[:, rows]  # a copy: the buffer is the request's
        finally:
            self._requests.put(request)
