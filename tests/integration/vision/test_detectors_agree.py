"""Every back-end finds the same on the same frames."""

from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from tests.support.boxes_one_by_one import best_of, objects_of, planes_of
from tests.support.shared_assets import needed_folder

from marengocam.settings import Settings
from marengocam.vision.detectors import load_detector
from marengocam.vision.detectors.openvino import OpenVinoDetector
from marengocam.vision.detectors.yolo import READ, fit, read, read_best
from marengocam.vision.models import Models, spec_named
from marengocam.vision.openvino_net import OpenVinoNet

SURE_SCORE = 0.4
SAME_IOU, SAME_SCORE = 0.88, 0.06
SIZE = (576, 320)
CLIPS = ("intel_store_aisle_detection.mp4", "pets09_s2l1_view1.mp4", "car_detection.mp4")


def frames():
    for clip in CLIPS:
        with av.open(str(needed_folder("footage") / clip)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number % 25 == 12:
                    yield frame.to_ndarray(format="rgb24")
                if number > 80:
                    break


def detector(tmp_path: Path, name: str):
    settings = Settings(
        data_dir=tmp_path, media_dir=tmp_path, models_dir=needed_folder("models"), download_models=False, detector=name
    )
    return load_detector(settings, Models(settings))


def agreement(one, other, iou=SAME_IOU, score=SAME_SCORE) -> float:
    """Return the share of sure objects of either that the other finds in the same place with the same score."""
    same = total = 0
    for frame in frames():
        left, right = one.detect([frame], SURE_SCORE / 2)[0], other.detect([frame], SURE_SCORE / 2)[0]
        for first, second in ((left, right), (right, left)):
            for item in (item for item in first if item.score >= SURE_SCORE):
                total += 1
                same += any(
                    item.label == twin.label and item.box.iou(twin.box) >= iou and abs(item.score - twin.score) <= score
                    for twin in second
                )
    assert total > 40, "there is something to compare"
    return same / total


def test_boxes_of_footage_are_to_the_bit_those_read_one_by_one_in_one_picture_and_in_batches(tmp_path):
    models = Models(Settings(data_dir=tmp_path, media_dir=tmp_path, models_dir=needed_folder("models")))
    net = OpenVinoNet(models.find(spec_named("yolo11n-onnx")), (1, 3, SIZE[1], SIZE[0]), tmp_path)
    answers, places, alone = [], [], []
    for frame in frames():
        planes, placed = fit(frame, *SIZE)
        assert np.array_equal(planes, planes_of(frame, *SIZE))
        answer = net.infer(planes[None], READ)[0]
        for score in (0.05, SURE_SCORE):
            assert repr(read(answer, placed, score)) == repr(objects_of(best_of(answer), placed, score))
        answers.append(best_of(answer))
        places.append(placed)
        alone.append(objects_of(answers[-1], placed, SURE_SCORE / 2))
    assert sum(map(len, alone)) > 30
    for size in (1, 8, 16):
        found = [
            objects
            for at in range(0, len(answers), size)
            for objects in read_best(np.stack(answers[at : at + size]), places[at : at + size], SURE_SCORE / 2)
        ]
        assert repr(found) == repr(alone)


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs the extra: marengocam[onnx]")
def test_onnx_runtime_finds_what_openvino_finds(tmp_path):
    assert agreement(detector(tmp_path, "onnx"), detector(tmp_path, "openvino")) >= 0.97


def test_the_int8_model_finds_what_its_full_precision_finds(tmp_path):
    models = Models(Settings(data_dir=tmp_path, media_dir=tmp_path, models_dir=needed_folder("models")))
    file = models.find(spec_named("yolo11n-int8"))
    if file is None:
        pytest.skip("no INT8 model is here")
    small = OpenVinoDetector(file, "yolo11n", tmp_path, fixed_px=640)
    assert "int8" in small.name
    full = models.find(spec_named("yolo11n-onnx"))
    assert agreement(small, OpenVinoDetector(full, "yolo11n", tmp_path, fixed_px=640), iou=0.7, score=0.2) >= 0.85


@pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra: marengocam[gpu]")
@pytest.mark.filterwarnings("default")
def test_ultralytics_finds_what_openvino_finds(tmp_path):
    assert agreement(detector(tmp_path, "ultralytics"), detector(tmp_path, "openvino")) >= 0.9
