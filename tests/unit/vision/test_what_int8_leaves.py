"""Which operations a network made INT8 keeps in full precision, and what its input takes."""

import re

import numpy as np
import pytest

from marengocam.vision.models.quantising import kept_patterns, take_bytes_exactly

openvino = pytest.importorskip("openvino")
ops = openvino.opset13
# As OpenVINO names them, of an .onnx and of a network that torch was exported to.
ONNX_NAMES = (
    "/model.0/conv/Conv/WithoutBiases", "/model.1/conv/Conv/WithoutBiases", "/model.10/cv1/conv/Conv/WithoutBiases",
    "/model.10/m/m.0/attn/Softmax", "/model.11/conv/Conv/WithoutBiases", "/model.22/m.0/cv3/conv/Conv/WithoutBiases",
    "/model.23/cv2.0/cv2.0.0/conv/Conv/WithoutBiases", "/model.23/cv3.1/cv3.1.2/Conv/WithoutBiases",
    "/model.23/dfl/Softmax", "/model.23/Sigmoid",
)  # fmt: skip
TORCH_NAMES = (
    "__module.model.0.conv/aten::_convolution/Convolution", "__module.model.1.conv/aten::_convolution/Convolution",
    "__module.model.10.cv1.conv/aten::_convolution/Convolution", "__module.model.10.m.0.attn/aten::softmax/Softmax",
    "__module.model.11.conv/aten::_convolution/Convolution", "__module.model.22.m.0.cv3.conv/aten::_convolution/Conv",
    "__module.model.23.cv2.0.0.conv/aten::_convolution/Convolution", "__module.model.23.cv3.1.2/aten::_convolution/C",
    "__module.model.23.dfl/aten::softmax/Softmax", "__module.model.23/aten::sigmoid/Sigmoid",
)  # fmt: skip
KEPT = [False, True, True, True, False, False, False, True, True, True]


def network(names=(), lowest=0.0, highest=0.99, levels=256):
    """Return a network whose operations have these names, behind a picture that is made coarse."""
    picture = ops.parameter([1, 3, 8, 8], np.float32)
    bounds = [np.full((1, 1, 1, 1), bound, np.float32) for bound in (lowest, highest, lowest, highest)]
    node = ops.fake_quantize(picture, *bounds, levels)
    for name in names:
        node = ops.softmax(node, 1) if "oftmax" in name else ops.relu(node)
        node.set_friendly_name(name)
    return openvino.Model([node], [picture])


@pytest.mark.parametrize("names", [ONNX_NAMES, TORCH_NAMES])
def test_labels_attention_boxes_and_the_second_convolution_keep_their_precision(names):
    patterns = kept_patterns(network(names))
    assert [any(re.fullmatch(one, name) for one in patterns) for name in names] == KEPT


def test_a_network_with_other_names_is_made_int8_as_a_whole_but_for_its_boxes():
    assert not any(re.fullmatch(one, "conv_1") for one in kept_patterns(network(["conv_1", "softmax_2"])))


def answer(model, picture):
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([picture])[0]


def test_every_byte_of_a_picture_comes_through_as_it_is():
    every = np.resize(np.arange(256), (1, 3, 8, 8)).astype(np.float32) * np.float32(1 / 255)
    model = network()
    assert np.abs(answer(model, every) - every).max() > 0.001
    take_bytes_exactly(model)
    assert np.abs(answer(model, every) - every).max() < 1e-6


def test_only_the_input_with_as_many_steps_as_a_byte_has_values_is_widened():
    picture = np.full((1, 3, 8, 8), 1.0, np.float32)
    model = network(levels=16)
    take_bytes_exactly(model)
    assert answer(model, picture).max() == pytest.approx(0.99)
