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
# What coarse numbers cost most of, found by making one block after the other INT8 (docs/ref/models.md): what tells the
# labels apart, the attention, and the second convolution, since a few of the first one's channels reach so far that
# 256 steps leave the others but a handful.
LABELS_OUT = r".*model\.{last}[./](one2one_)?cv3[./].*"
BLOCK_OUT = r".*model\.{number}[./].*"
SECOND_CONVOLUTION = 1
PICTURE_LEVELS = 256  # a picture's bytes
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
    from nncf.quantization import advanced_parameters, range_estimator  # noqa: PLC0415 - as above

    try:
        # Converted, not only read: NNCF would put its marks between a sigmoid and the product with its input, so that
        # OpenVINO could not join them any more, and half of the gain would be gone.
        model = openvino.convert_model(file) if file.suffix == ".onnx" else openvino.Core().read_model(file)
        ignored = nncf.IgnoredScope(patterns=kept_patterns(model), validate=False)
        with contextlib.redirect_stdout(sys.stderr):  # its bars of progress
            small = nncf.quantize(
                model,
                nncf.Dataset(list(inputs), lambda planes: planes[None]),
                preset=nncf.QuantizationPreset.MIXED,  # activations of YOLO are not symmetric
                subset_size=len(inputs),
                ignored_scope=ignored,
                advanced_parameters=advanced_parameters.AdvancedQuantizationParameters(
                    # Ranges with the least error of all numbers seen, instead of those of the outermost ones.
                    activations_range_estimator_params=range_estimator.RangeEstimatorParametersSet.HISTOGRAM,
                ),
                fast_bias_correction=False,  # the fast one does more harm than good here
            )
        take_bytes_exactly(small)
        openvino.save_model(small, str(xml), compress_to_fp16=False)
    except Exception as error:  # whatever these libraries raise
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The model cannot be made INT8: {first}") from error


def kept_patterns(model: Any) -> list[str]:
    """Return which operations keep their precision, by the names of the network's blocks."""
    blocks: dict[int, set[str]] = {}
    for node in model.get_ops():
        for found in _LAYER.findall(node.get_friendly_name()):
            blocks.setdefault(int(found), set()).add(node.get_type_name())
    if not blocks:
        return [DISTRIBUTIONS_OUT]
    last = max(blocks)  # has a softmax of its own, for its distributions
    attention = sorted(number for number, kinds in blocks.items() if "Softmax" in kinds and number != last)
    return [
        DISTRIBUTIONS_OUT,
        BOXES_OUT.format(last=last),
        LABELS_OUT.format(last=last),
        *(BLOCK_OUT.format(number=number) for number in (SECOND_CONVOLUTION, *attention)),
    ]


def take_bytes_exactly(model: Any) -> None:
    """Let the input's 256 steps be the bytes of a picture, 0 to 1, instead of the range that was seen (0 to 0.99)."""
    from openvino import opset13  # noqa: PLC0415 - loaded when needed

    for node in model.get_ops():
        if node.get_type_name() != "FakeQuantize" or node.get_attributes()["levels"] != PICTURE_LEVELS:
            continue
        if node.input_value(0).get_node().get_type_name() == "Parameter":
            for port, bound in enumerate((0.0, 1.0, 0.0, 1.0), start=1):  # lowest and highest, in and out
                shape = tuple(node.input(port).get_shape())
                node.input(port).replace_source_output(opset13.constant(np.full(shape, bound, np.float32)).output(0))
