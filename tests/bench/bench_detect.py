"""Each detector back-end and input size: CPU ms a picture, recall and precision against a larger network's boxes."""

import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from tests.bench.measuring import alternated, arguments_of, at_least, at_most, cpu_s, shared_folder, tell
from tests.bench.torch_eager import TorchEager

from marengocam.core.errors import BadInputError, ModelError
from marengocam.core.model import Detection
from marengocam.media.sampled_pictures import given_pictures
from marengocam.settings import Settings
from marengocam.vision.detectors.hog import HogDetector
from marengocam.vision.detectors.onnx import OnnxRuntimeDetector
from marengocam.vision.detectors.openvino import OpenVinoDetector
from marengocam.vision.detectors.protocol import LABELS, Detector
from marengocam.vision.detectors.shaped import BALANCED_LONG_SIDE_PX
from marengocam.vision.models import Models, ModelSpec, spec_named
from marengocam.vision.models.keeping import compared
from marengocam.vision.models.shrinking import make_int8

SIDES_PX = (640, 576, 416, 320)
CLIPS = (
    "plaza_a_cam1", "lab4_cam2", "pets09_s2l1_view1", "people_detection", "coffeeroom_personA", "car_detection",
    "intel_store_aisle_detection", "highway_traffic",
)  # fmt: skip
WIDTH_PX, HEIGHT_PX = 640, 360
REFERENCE_SIZE_PX = (960, 544)
REFERENCE_SCORE, SCORE, FOUND_IOU = 0.5, 0.4, 0.4
# None of them is measured.
CALIBRATION_CLIPS = (
    "towncentre_10s", "lab4_cam0", "lab4_cam1", "fall_lab_cam1", "handoff_cam1_room", "handoff_cam2_hallway",
    "intel_classroom", "intel_person_bicycle_car_detection", "whitehouse_stage", "night_ir_person", "plaza_a_cam2",
)  # fmt: skip
MADE, FULL = "openvino int8", "openvino f32"
# What INT8 keeps is told of more pictures than are timed: one parked car between two labels decides over 0.02 of 160
# objects. Of clips that it was not made by.
KEEPING_CLIPS = (
    *CLIPS, "coffeeroom_personB", "coffeeroom_personC", "lab4_cam3", "intel_face_demographics_walking",
    "intel_face_demographics_walking_and_pause", "intel_head_pose_face_detection_female",
    "intel_head_pose_face_detection_male",
)  # fmt: skip
KEEPING_FRAMES = 30
TORCH_RATIO, INT8_KEEPS = 0.33, 0.99

Picture = np.ndarray


@dataclass(frozen=True, slots=True)
class Way:
    """One back-end at one input size."""

    backend: str
    side_px: int
    detect: Callable[[Picture], list[Detection]]


def main() -> int:
    parser = arguments_of(__doc__, frames=12, rounds=3)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = list(frames(arguments.frames))
    with tempfile.TemporaryDirectory(prefix="mc-detect-") as name:
        ways, notes = everything(Path(name))
        if not ways:
            notes.append("No models are here: only OpenCV's people detector is measured.")
        ways.append(Way("hog", 0, one_by_one(HogDetector())))
        reference = reference_boxes(pictures, notes)
        figures = measure(ways, pictures, reference, arguments.rounds)
        figures["int8_keeps"] = int8_keeps(ways)
    tell("detect", arguments.json, figures, targets_of(figures), notes)
    return 0


def everything(data: Path) -> tuple[list[Way], list[str]]:
    """Return every back-end that this machine has, at every size it takes, and what is missing."""
    folder, ways, notes = shared_folder("models"), [], []
    if folder is None:
        return [], []
    settings = Settings(data_dir=data, media_dir=data, models_dir=folder, download_models=False)
    models = Models(settings)
    spec = spec_named("yolo11n-onnx")
    onnx = models.find(spec) if spec is not None else None
    int8 = int8_made(spec, onnx, data / "made", notes) if onnx is not None else None
    torch_file = folder / "yolo11n_reconstructed.pt"
    for side_px in SIDES_PX:
        if onnx is not None:
            for exact in (False, True):
                detector = OpenVinoDetector(onnx, "yolo11n", data, side_px, exact=exact)
                ways.append(Way(f"openvino {detector.precision}", side_px, one_by_one(detector)))
            if int8 is not None:
                ways.append(Way(MADE, side_px, one_by_one(OpenVinoDetector(int8, "yolo11n", data, side_px))))
            if find_spec("onnxruntime"):
                ways.append(Way("onnxruntime f32", side_px, one_by_one(OnnxRuntimeDetector(onnx, "yolo11n", side_px))))
        if has_torch() and torch_file.is_file():
            ways.append(Way("torch eager", side_px, one_by_one(ultralytics(torch_file, side_px))))
    if not has_torch():
        notes.append("torch is not here: nothing is compared with it. `script/setup-torch` gets it where it can.")
    return ways, notes


def int8_made(spec: ModelSpec, file: Path, folder: Path, notes: list[str]) -> Path | None:
    """Return our network made INT8, as the command makes it, from clips that are not measured."""
    footage = shared_folder("footage")
    if footage is None or find_spec("nncf") is None:
        notes.append("INT8 is not measured: footage or the extra marengocam[quantize] is missing.")
        return None
    clips = [footage / f"{clip}.mp4" for clip in CALIBRATION_CLIPS]
    try:
        done = make_int8(spec, spec, file, given_pictures(clips), BALANCED_LONG_SIDE_PX, folder, "")
    except (BadInputError, ModelError) as error:
        notes.append(f"INT8 is not measured: {error}")
        return None
    made = done.made
    notes.append(f"INT8: {made.pictures} pictures, kept {made.kept_share} of {made.checked_objects} objects of others.")
    return done.file


def has_torch() -> bool:
    return bool(find_spec("torch") and find_spec("ultralytics"))


def ultralytics(file: Path, side_px: int) -> Detector:
    import torch  # noqa: PLC0415 - only where it is

    torch.set_num_threads(1)
    return TorchEager(file, side_px)


def one_by_one(detector: Detector) -> Callable[[Picture], list[Detection]]:
    return lambda picture: detector.detect([picture], SCORE)[0]


def frames(each: int, clips: Sequence[str] = CLIPS) -> Iterator[Picture]:
    """Yield pictures spread over the clips; noise where there is no footage."""
    footage = shared_folder("footage")
    files = [footage / f"{clip}.mp4" for clip in clips] if footage else []
    files = [file for file in files if file.is_file()]
    for file in files:
        with av.open(str(file)) as container:
            total = container.streams.video[0].frames or 300
            decoded = itertools.islice(container.decode(video=0), 0, None, max(1, total // each))
            for frame in itertools.islice(decoded, each):
                yield frame.reformat(WIDTH_PX, HEIGHT_PX).to_ndarray(format="rgb24")
    if not files:
        yield from np.random.default_rng(1).integers(0, 255, (each, HEIGHT_PX, WIDTH_PX, 3), np.uint8)


def reference_boxes(pictures: list[Picture], notes: list[str]) -> list[list[Detection]] | None:
    """Return what a larger look finds: YOLOv8n at 960x544 where torch is, else our network that wide."""
    folder = shared_folder("models")
    if folder is None:
        return None
    if has_torch():
        notes.append("Reference boxes: YOLOv8n (torch) at 960x544, score 0.5 or more.")
        return [of_reference(one) for one in yolov8n(folder / "yolov8n_reconstructed.pt", pictures)]
    notes.append("Reference boxes: our own network's FP32 weights at 960 wide, score 0.5 or more.")
    wide = OnnxRuntimeDetector(folder / "yolo11n_reconstructed.onnx", "reference", REFERENCE_SIZE_PX[0])
    return [wide.detect([picture], REFERENCE_SCORE)[0] for picture in pictures]


def yolov8n(file: Path, pictures: list[Picture]) -> Iterator[list[Detection]]:
    detector = ultralytics(file, REFERENCE_SIZE_PX[0])
    for picture in pictures:
        yield detector.detect([picture], REFERENCE_SCORE)[0]


def of_reference(found: list[Detection]) -> list[Detection]:
    return [one for one in found if one.score >= REFERENCE_SCORE and one.label in LABELS.values()]


def measure(
    ways: list[Way], pictures: list[Picture], reference: list[list[Detection]] | None, rounds: int
) -> dict[str, Any]:
    found: dict[str, list[list[Detection]]] = {}

    def cost(way: Way) -> float:
        way.detect(pictures[0])  # made ready before it counts
        before_s = cpu_s()
        found[name_of(way)] = [way.detect(picture) for picture in pictures]
        return cpu_s() - before_s

    spent_s = alternated({name_of(way): lambda way=way: cost(way) for way in ways}, rounds)
    figures: dict[str, Any] = {"pictures": len(pictures), "ways": {}}
    for way in ways:
        name = name_of(way)
        row: dict[str, Any] = {"ms_a_picture": round(1000 * spent_s[name] / len(pictures), 2)}
        if reference is not None:
            row |= quality(found[name], reference)
        peer = spent_s.get(f"torch eager {way.side_px}")
        if peer:
            row["ratio_to_torch_eager"] = round(spent_s[name] / peer, 3)
        figures["ways"][name] = row
    return figures


def int8_keeps(ways: list[Way]) -> dict[str, dict[str, float]]:
    """Return for each size what INT8 keeps of FP32's sure objects, how many these are, and what FP32 has of INT8's."""
    by_name = {name_of(way): way for way in ways}
    pairs = {side: (by_name.get(f"{FULL} {side}"), by_name.get(f"{MADE} {side}")) for side in SIDES_PX}
    pictures = list(frames(KEEPING_FRAMES, KEEPING_CLIPS)) if any(small for _, small in pairs.values()) else []
    keeps = {}
    for side, (full, small) in pairs.items():
        if full and small:
            one = compared([full.detect(each) for each in pictures], [small.detect(each) for each in pictures])
            keeps[str(side)] = {
                "kept_share": round(one.kept_share, 4),
                "sure_objects": one.sure,
                "backed_share": round(one.backed_share, 4),
            }
    return keeps


def name_of(way: Way) -> str:
    return f"{way.backend} {way.side_px}" if way.side_px else way.backend


def quality(found: list[list[Detection]], reference: list[list[Detection]]) -> dict[str, float]:
    """Return recall of the reference's boxes, and the share of found boxes that it has too."""
    hits = [sum(meets(one, seen) for one in known) for seen, known in zip(found, reference, strict=True)]
    right = [sum(meets(one, known) for one in seen) for seen, known in zip(found, reference, strict=True)]
    total, told = sum(map(len, reference)), sum(map(len, found))
    return {
        "recall": round(sum(hits) / total, 3) if total else 0.0,
        "precision": round(sum(right) / told, 3) if told else 0.0,
    }


def meets(one: Detection, others: list[Detection]) -> bool:
    return any(one.label == other.label and one.box.iou(other.box) >= FOUND_IOU for other in others)


def targets_of(figures: dict[str, Any]) -> list[Any]:
    def ratio_of(backend: str) -> float | None:
        rows = [row for name, row in figures["ways"].items() if name.startswith(f"openvino {backend}")]
        return median([row["ratio_to_torch_eager"] for row in rows if "ratio_to_torch_eager" in row])

    keeps = min((one["kept_share"] for one in figures["int8_keeps"].values()), default=None)
    return [
        at_most("G6", "INT8 to torch eager at the same size, median", ratio_of("int8"), TORCH_RATIO),
        at_most("G6", "BF16 to torch eager at the same size, median", ratio_of("bf16"), TORCH_RATIO),
        at_least("G6", "INT8 keeps of FP32's sure detections, the least of all sizes", keeps, INT8_KEEPS),
    ]


def median(values: list[float]) -> float | None:
    return round(statistics.median(values), 3) if values else None


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
