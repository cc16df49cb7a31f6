"""A YOLO detector's network in INT8, made by NNCF from pictures; the input's height and width stay open."""

import contextlib
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError

Planes = npt.NDArray[np.float32]
MISSING = "INT8 is made with NNCF: pip install 'marengocam[quantize]' (about 200 MB), then try again."
# What turns the answers into boxes and scores: coarse numbers there move boxes, and it costs next to no time.
BOXES_OUT = r".*model\.{last}/(aten::)?([Aa]dd|[Ss]ub|[Mm]ul|[Dd]iv|[Ss]igmoid).*"
DISTRIBUTIONS_OUT = ".*dfl.*"
_LAYER = re.compile(r"model\.(\d+)[./]")


def require_nncf() -> Any:
    """Return NNCF; raises ModelError that tells what to install."""
    # As in OpenVinoNet: else each use is told to Google from a forked copy of this process. NNCF goes on without.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # Python forbids an import so
    try:
        import nncf  # noqa: PLC0415 - only where it is used
    except ImportError as error:
        raise ModelError(MISSING) from error
    nncf.set_log_level(logging.ERROR)
    return nncf


def write_int8(file: Path, inputs: Sequence[Planes], xml: Path) -> None:
    """Write the network of `file` (.onnx or .xml) in INT8 as `xml` with its .bin; each input is [3, height, width].

    Raises ModelError when NNCF is missing or cannot.
    """
    nncf = require_nncf()
    import openvino  # noqa: PLC0415 - loaded when needed

    try:
        # Converted, not only read: NNCF would put its marks between a sigmoid and the product with its input, so that
        # OpenVINO could not join them any more, and half of the gain would be gone.
        model = openvino.convert_model(file) if file.suffix == ".onnx" else openvino.Core().read_model(file)
        ignored = nncf.IgnoredScope(patterns=head_patterns(model), validate=False)
        with contextlib.redirect_stdout(sys.stderr):  # its bars of progress
            small = nncf.quantize(
                model,
                nncf.Dataset(list(inputs), lambda planes: planes[None]),
                preset=nncf.QuantizationPreset.MIXED,  # activations of YOLO are not symmetric
                subset_size=len(inputs),
                ignored_scope=ignored,
            )
        openvino.save_model(small, str(xml), compress_to_fp16=False)
    except Exception as error:  # whatever these libraries raise
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The model cannot be made INT8: {first}") from error


def head_patterns(model: Any) -> list[str]:
    """Return which operations keep their precision, by the names of the network's last layer."""
    numbers = [int(found) for node in model.get_ops() for found in _LAYER.findall(node.get_friendly_name())]
    return [DISTRIBUTIONS_OUT, *([BOXES_OUT.format(last=max(numbers))] if numbers else [])]
