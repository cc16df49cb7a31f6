"""The detector on a GPU: what batches cost, how many cameras it serves, whether it keeps to its share of the memory."""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.bench.bench_detect import frames, has_torch
from tests.bench.measuring import arguments_of, at_least, at_most, percentile, ratio, shared_folder, tell
from tests.bench.torch_eager import TorchEager

from marengocam.core.model import Detection
from marengocam.vision.detectors.batching import MAX_BATCH, BatchingDetector
from marengocam.vision.detectors.onnx import OnnxRuntimeDetector
from marengocam.vision.detectors.protocol import Detector, Picture
from marengocam.vision.detectors.shaped import BALANCED_LONG_SIDE_PX, LONG_SIDE_PX
from marengocam.vision.detectors.stepping import SteppingDetector
from marengocam.vision.models.keeping import compared
from marengocam.vision.vram import GB, VramShares

BATCHES = (1, 2, 4, 8, 16, 32)
FIRST = tuple(size for size in BATCHES if size <= MAX_BATCH)
CAMERAS = (16, 64, 128, 192, 224, 256, 320)
FPS = 5
WANTED_CAMERAS = 64
SERVED = 0.99  # of the pictures that were due are looked at before the next one is
SHARES_GB = (3.0, 1.0)
SCARCE_GB = (0.92, 0.75)
SCORE = 0.4
FILE = "yolo11n_reconstructed.pt"


def main() -> int:
    parser = arguments_of(__doc__, frames=12, rounds=20, seconds=6.0)
    arguments = parser.parse_args()
    folder, notes = shared_folder("models"), []
    if not (has_torch() and find_spec("onnxruntime")) or folder is None or not (folder / FILE).is_file():
        notes.append(f"Not measured: this needs torch, ultralytics, onnxruntime and {FILE} (MARENGOCAM_MODELS).")
        figures = {}
    elif (card := on_its_own(card_of)) is None:
        notes.append("Not measured: torch sees no CUDA device here.")
        figures = {}
    else:
        pictures = list(frames(arguments.frames))
        figures = {"card": card, "batches": on_its_own(batch_curve, folder, pictures, arguments.rounds)}
        figures["cameras"] = on_its_own(cameras_served, folder, pictures, arguments.seconds)
        figures["memory"] = {f"{gb} GB": on_its_own(memory_of, folder, pictures, gb) for gb in SHARES_GB}
        figures["agreement"] = on_its_own(agreement, folder, pictures)
        figures["scarce"] = {f"{gb} GB": on_its_own(steps_taken, folder, pictures, gb) for gb in SCARCE_GB}
    tell("gpu", arguments.json, figures, targets_of(figures), notes)
    return 0


def on_its_own(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run in a process of its own: a share of the memory and CUDA's context last as long as the process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def card_of() -> str | None:
    import torch  # noqa: PLC0415 - in the process that may use the card

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def on_cuda(folder: Path, share_gb: float = SHARES_GB[0], side_px: int = BALANCED_LONG_SIDE_PX) -> Detector:
    from marengocam.vision.detectors.ultralytics import UltralyticsDetector  # noqa: PLC0415 - as card_of

    return UltralyticsDetector(folder / FILE, "yolo11n", VramShares(1, 3, share_gb, 1), side_px)


def batch_curve(folder: Path, pictures: Sequence[Picture], rounds: int) -> dict[str, Any]:
    """Return milliseconds a call and pictures a second for each batch, and of ultralytics' own `predict`."""
    ours, theirs = on_cuda(folder), TorchEager(folder / FILE, BALANCED_LONG_SIDE_PX)
    curve: dict[str, Any] = {"ultralytics' predict, one by one, full precision": per_call(theirs, 1, pictures, rounds)}
    for size in BATCHES:
        curve[str(size)] = per_call(ours, size, pictures, rounds)
    return curve


def per_call(detector: Detector, size: int, pictures: Sequence[Picture], rounds: int) -> dict[str, float]:
    endless = cycle(pictures)
    taken_s = []
    for _ in range(3 + rounds):
        batch = list(islice(endless, size))
        began_s = time.perf_counter()
        detector.detect(batch, SCORE)
        taken_s.append(time.perf_counter() - began_s)
    middle_s = statistics.median(taken_s[3:])  # in the first ones CUDA chooses its kernels
    return {"ms_a_call": round(1000 * middle_s, 2), "pictures_a_s": round(size / middle_s, 1)}


@dataclass(slots=True)
class Counted:
    """A detector that tells how many pictures it was given at once."""

    behind: Detector
    sizes: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.behind.name

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        self.sizes.append(len(pictures))
        return self.behind.detect(pictures, min_score)


def cameras_served(folder: Path, pictures: Sequence[Picture], seconds: float) -> dict[str, Any]:
    """Let more and more cameras ask, each five times a second and with a thread of its own as in ingest."""
    counted = Counted(on_cuda(folder))
    detector = BatchingDetector(counted)
    rows: dict[str, Any] = {"first looks, s": {str(size): first_look_s(detector, pictures[:size]) for size in FIRST}}
    for cameras in CAMERAS:
        counted.sizes.clear()
        rows[str(cameras)] = asked_at_once(detector, cameras, pictures, seconds)
        rows[str(cameras)]["pictures_a_batch"] = round(statistics.fmean(counted.sizes), 1)
        if rows[str(cameras)]["served"] < SERVED:
            break
    return rows


def first_look_s(detector: Detector, pictures: Sequence[Picture]) -> float:
    began_s = time.perf_counter()
    detector.detect(pictures, SCORE)
    return round(time.perf_counter() - began_s, 2)


def asked_at_once(detector: Detector, cameras: int, pictures: Sequence[Picture], seconds: float) -> dict[str, Any]:
    latencies_s: list[float] = []
    lost: list[int] = []
    start_s = time.perf_counter() + 1

    def camera(number: int) -> None:
        for turn in range(int(seconds * FPS)):
            due_s = start_s + (turn + number / cameras) / FPS
            now_s = time.perf_counter()
            if now_s > due_s + 1 / FPS:
                lost.append(number)  # its successor is there already
                continue
            time.sleep(max(0.0, due_s - now_s))
            detector.detect([pictures[(number + turn) % len(pictures)]], SCORE)
            latencies_s.append(time.perf_counter() - due_s)

    threads = [threading.Thread(target=camera, args=(number,)) for number in range(cameras)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_time = sum(one_s <= 1 / FPS for one_s in latencies_s)
    return {
        "served": round(in_time / (len(latencies_s) + len(lost)), 4),
        "p50_ms": milliseconds(percentile(latencies_s, 0.5)),
        "p95_ms": milliseconds(percentile(latencies_s, 0.95)),
    }


def milliseconds(value_s: float | None) -> float | None:
    return None if value_s is None else round(1000 * value_s, 1)


def memory_of(folder: Path, pictures: Sequence[Picture], share_gb: float) -> dict[str, float]:
    """Return what the card lends this process after full batches at full detail, everything included."""
    import torch  # noqa: PLC0415 - as card_of

    before_bytes = free_bytes()
    detector = SteppingDetector(on_cuda(folder, share_gb, LONG_SIDE_PX), MAX_BATCH, lambda: on_processor(folder))
    for _ in range(4):
        detector.detect(list(islice(cycle(pictures), MAX_BATCH)), SCORE)
    used_gb = (before_bytes - free_bytes()) / GB
    return {
        "used_gb": round(used_gb, 3),
        "of_it_pytorchs_gb": round(torch.cuda.memory_reserved(0) / GB, 3),
        "to_share": round(used_gb / share_gb, 3),
    }


def free_bytes() -> int:
    """Return what is free on the card; asked without a context of this process on it."""
    import pynvml  # noqa: PLC0415 - comes with torch's CUDA builds

    pynvml.nvmlInit()
    return int(pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(0)).free)


def on_processor(folder: Path) -> Detector:
    return OnnxRuntimeDetector(folder / "yolo11n_reconstructed.onnx", "yolo11n", BALANCED_LONG_SIDE_PX)


def agreement(folder: Path, pictures: Sequence[Picture]) -> dict[str, float]:
    """Return how much the GPU keeps of what the processor finds in full precision, for each shape of pictures."""
    detector, processor = on_cuda(folder), on_processor(folder)
    single = [detector.detect([picture], SCORE)[0] for picture in pictures]
    rows = {"one by one": kept_of(processor.detect(pictures, SCORE), single)}
    for name, columns in (("in batches", slice(None)), ("4:3, in batches", slice(80, 560))):
        parts = [picture[:, columns] for picture in pictures]
        found = [one for at in range(0, len(parts), MAX_BATCH)
                 for one in detector.detect(parts[at : at + MAX_BATCH], SCORE)]  # fmt: skip
        rows[name] = kept_of(processor.detect(parts, SCORE), found)
    mixed = [detector.detect([picture, picture[:, :360]], SCORE)[0] for picture in pictures]
    rows["beside a square one"] = kept_of(processor.detect(pictures, SCORE), mixed)
    return rows


def kept_of(known: Sequence[Sequence[Detection]], found: Sequence[Sequence[Detection]]) -> float:
    return round(compared(known, found).kept_share, 4)


def steps_taken(folder: Path, pictures: Sequence[Picture], share_gb: float) -> dict[str, Any]:
    """Return where the detector ends that has too little memory, and what it has found by then."""
    detector = SteppingDetector(on_cuda(folder, share_gb, LONG_SIDE_PX), MAX_BATCH, lambda: on_processor(folder))
    some = list(islice(cycle(pictures), MAX_BATCH))
    found = detector.detect(some, SCORE)
    known = on_processor(folder).detect(some, SCORE)
    return {
        "answers": len(found),
        "kept": kept_of(known, found),
        "now": detector.name,
        "problem": detector.problem,
    }


def targets_of(figures: dict[str, Any]) -> list[Any]:
    curve, cameras = figures.get("batches", {}), figures.get("cameras", {})
    served = cameras.get(str(WANTED_CAMERAS), {}).get("served") if cameras else None
    gain = ratio(curve["8"]["pictures_a_s"], curve["1"]["pictures_a_s"]) if curve else None
    used = max((row["to_share"] for row in figures.get("memory", {}).values()), default=None)
    kept = min(figures.get("agreement", {}).values(), default=None)
    return [
        at_least("G10", f"{WANTED_CAMERAS} cameras at {FPS} fps: pictures looked at before the next", served, SERVED),
        at_least("G10", "pictures a second in batches of 8, to one by one", gain, 3.0),
        at_most("G10", "memory the card lends the process, to its share, the worst", used, 1.0),
        at_least("G10", "of FP32's sure detections the GPU keeps, the least", kept, 0.99),
    ]


if __name__ == "__main__":
    sys.exit(main())
