"""The motion gate against OpenCV's MOG2: cost a frame, recall of moving objects, false fires on noise and light."""

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from tests.bench.measuring import alternated, arguments_of, at_least, at_most, cpu_s, ratio, shared_folder, tell

from marengocam.core.geometry import Box
from marengocam.ingest.frames import luma_of
from marengocam.vision.motion import GRID_HEIGHT, GRID_WIDTH, MIN_CELLS, MotionGate

ANALYSIS_FPS = 5.0
WIDTH_PX, HEIGHT_PX = 640, 360
MIN_SCORE = 0.5
MOVED_IOU = 0.85  # an object whose box overlaps itself in the frame before by less has moved
SAME_IOU = 0.3
LEAST_SHARE = MIN_CELLS / (GRID_WIDTH * GRID_HEIGHT)  # of the picture: the same for both
FOREGROUND = 200  # MOG2 marks shadows with 127
WARM_UP_FRAMES = 5
NOISE_GREY_LEVELS = 6.0
LIGHT_GREY_LEVELS = 60.0  # from first to last frame
SEED = 7

Gate = Callable[[np.ndarray], bool]


def main() -> int:
    parser = arguments_of(__doc__, seconds=600.0, rounds=5)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    most = max(WARM_UP_FRAMES * 4, round(arguments.seconds * ANALYSIS_FPS))
    folder = shared_folder("footage")
    known = sorted((folder / "detections").glob("*.json.gz")) if folder is not None else []
    clips = {file.name.partition(".")[0]: labelled(file, folder, most) for file in known}
    notes = ["Moving objects: boxes of the footage's detections (score 0.5) that moved since the frame before."]
    if not clips:
        clips, notes = {"synthetic": synthetic(most)}, ["No footage is here: a drawn square stands in for it."]
    figures = {"cost_ms": costs(clips, arguments.rounds), "recall": recalls(clips), "false_fires": false_fires(clips)}
    cost, recall, fires = figures["cost_ms"], figures["recall"], figures["false_fires"]
    share = round(fires["ours"] / fires["mog2"], 3) if fires["mog2"] else float(fires["ours"] > 0)
    targets = [
        at_most("G4", "gate, ms a frame", cost["ours"], 0.15),
        at_least("G4", "recall of frames with moving objects", recall["ours"], 0.97),
        at_most("G4", "false fires against MOG2's", share, 0.5),
    ]
    figures["ratio_to_mog2"] = ratio(cost["ours"], cost["mog2"])
    tell("motion", arguments.json, figures, targets, notes)
    return 0


def gates() -> dict[str, Gate]:
    return {"ours": our_gate(), "mog2": mog2(WIDTH_PX, HEIGHT_PX), "mog2_160x90": mog2(160, 90)}


def our_gate() -> Gate:
    gate = MotionGate()
    return lambda luma: gate.update(luma).moving


def mog2(width: int, height: int) -> Gate:
    model = cv2.createBackgroundSubtractorMOG2()

    def fires(luma: np.ndarray) -> bool:
        if luma.shape != (height, width):
            luma = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
        _, mask = cv2.threshold(model.apply(luma), FOREGROUND, 255, cv2.THRESH_BINARY)
        return cv2.countNonZero(mask) >= LEAST_SHARE * width * height

    return fires


def costs(clips: dict[str, list[tuple[np.ndarray, bool]]], rounds: int) -> dict[str, float]:
    frames = [luma for clip in clips.values() for luma, _ in clip]

    def cost(name: str) -> float:
        gate = gates()[name]
        before_s = cpu_s()
        for luma in frames:
            gate(luma)
        return 1000 * (cpu_s() - before_s) / len(frames)

    return {n: round(v, 4) for n, v in alternated({n: lambda n=n: cost(n) for n in gates()}, rounds).items()}


def recalls(clips: dict[str, list[tuple[np.ndarray, bool]]]) -> dict[str, float | int]:
    hits, wanted = dict.fromkeys(gates(), 0), 0
    for clip in clips.values():
        fired = {name: [gate(luma) for luma, _ in clip] for name, gate in gates().items()}
        moving = [n for n, (_, moves) in enumerate(clip) if moves and n >= WARM_UP_FRAMES]
        wanted += len(moving)
        for name, fires in fired.items():
            hits[name] += sum(fires[n] for n in moving)
    return {name: round(hit / max(wanted, 1), 3) for name, hit in hits.items()} | {"frames": wanted}


def false_fires(clips: dict[str, list[tuple[np.ndarray, bool]]]) -> dict[str, float]:
    """Return the share of frames in which a gate fires at a still picture, with noise and slowly changing light."""
    fires, frames = dict.fromkeys(gates(), 0), 0
    generator = np.random.default_rng(SEED)
    for clip in clips.values():
        still = clip[0][0].astype(np.float32)
        ours = gates()
        count = min(len(clip), 150)
        for number in range(count):
            noise = generator.normal(0, NOISE_GREY_LEVELS, still.shape).astype(np.float32)
            light = LIGHT_GREY_LEVELS * (number / count - 0.5)
            picture = np.clip(still + noise + light, 0, 255).astype(np.uint8)
            for name, gate in ours.items():
                fires[name] += gate(picture) and number >= WARM_UP_FRAMES
        frames += count - WARM_UP_FRAMES
    return {name: round(count / frames, 4) for name, count in fires.items()}


def labelled(file: Path, folder: Path, most: int) -> list[tuple[np.ndarray, bool]]:
    """Return a clip's luma pictures, and whether something in each has moved."""
    with gzip.open(file, "rt") as opened:
        known = json.load(opened)
    step, found, before = round(known["fps"] / ANALYSIS_FPS), [], []
    for number, luma in pictures(folder / known["clip"], step):
        boxes = [Box(*corners) for _, score, *corners in known["detections"].get(str(number), []) if score >= MIN_SCORE]
        found.append((luma, any(moved(box, before) for box in boxes)))
        before = boxes
        if len(found) >= most:
            break
    return found


def moved(box: Box, before: list[Box]) -> bool:
    same = max((box.iou(one) for one in before), default=0.0)
    return SAME_IOU <= same < MOVED_IOU


def pictures(file: Path, step: int) -> Iterator[tuple[int, np.ndarray]]:
    with av.open(str(file)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 0:
                yield number, cv2.resize(luma_of(frame), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)


def synthetic(most: int) -> list[tuple[np.ndarray, bool]]:
    ground = np.random.default_rng(SEED).integers(60, 120, (HEIGHT_PX, WIDTH_PX), np.uint8)
    found = []
    for number in range(min(most, 200)):
        picture, moves = ground.copy(), number >= WARM_UP_FRAMES
        if moves:
            left = number * 12 % (WIDTH_PX - 60)
            picture[120:240, left : left + 60] = 220
        found.append((picture, moves))
    return found


if __name__ == "__main__":
    sys.exit(main())
