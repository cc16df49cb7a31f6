"""Analysis of idle and busy footage against a detector at every full frame; --idle: a whole ingest of idle cameras."""

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import cv2
import numpy as np
from tests.bench.bench_detect import has_torch, ultralytics
from tests.bench.measuring import (
    FFMPEG,
    HOUR_S,
    alternated,
    arguments_of,
    at_least,
    at_most,
    cpu_of,
    cpu_s,
    moving_picture,
    ratio,
    resident_mb,
    shared_folder,
    tell,
)  # fmt: skip
from tests.bench.peers import cameras, end, hub_settings, start_service

from marengocam.core.geometry import Box
from marengocam.core.model import Camera
from marengocam.db.hub import open_hub
from marengocam.ingest.frame_analysis import FrameAnalyser
from marengocam.ingest.frames import Frame, luma_of
from marengocam.ingest.loading import load_eyes
from marengocam.ingest.worker import Eyes
from marengocam.runtime.memory import spare_what_stays
from marengocam.settings import Settings
from marengocam.vision.detectors.yolo import fit
from marengocam.vision.detectors.yolo import read as boxes_of

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
FPS = 5.0
WIDTH_PX, HEIGHT_PX = 640, 360
KINDS = {
    "idle": ("fall_lab_cam1 still",),
    "idle_with_a_wavering_jacket": ("fall_lab_cam1",),  # nobody is in the lab for 24 s, but something moves at its edge
    "idle_with_infrared_noise_and_a_clock": ("night_ir_person",),
    "one_person": ("people_detection", "coffeeroom_personA"),
    "busy": ("plaza_a_cam1", "lab4_cam2", "pets09_s2l1_view1"),
}
SKIP_S = {"night_ir_person": 80.0}  # afterwards nobody is there
STILL = " still"  # a stretch in which nothing at all moves, shown to and fro
STILL_FROM_S, STILL_TO_S = 5.0, 11.0
REFERENCE_SCORE, FOUND_IOU = 0.5, 0.4
COUNTED_SCORE = 0.4  # of ours and of the peer: the product's default
IDLE_CAMERAS = 8
IDLE_SETTLE_S = 20.0  # models loaded, pictures learned

Look = Callable[[np.ndarray, int], list[Box]]


def main() -> int:
    parser = arguments_of(__doc__, seconds=20.0, rounds=2)
    parser.add_argument("--idle", action="store_true", help="8 cameras with nobody in sight, recorded and gated")
    arguments = parser.parse_args()
    if arguments.idle:
        figures = asyncio.run(idle(arguments.seconds))
        targets = [
            at_most("G3", "idle, CPU-s a camera-hour", figures["cpu_s_per_camera_hour"], 45.0),
            at_most("G3", "memory of 8 cameras, MB", figures["memory_mb"], 200.0),
        ]
        tell("ingest --idle", arguments.json, figures, targets, [])
        return 0
    figures, notes = analysis(arguments.seconds, arguments.rounds)
    tell("ingest", arguments.json, figures, targets_of(figures), notes)
    return 0


def targets_of(figures: dict[str, Any]) -> list[Any]:
    def of(kind: str, name: str) -> float | None:
        return figures.get(kind, {}).get(name)

    return [
        at_most("G5", "busy, ms a frame", of("busy", "ours_ms_a_frame"), 9.0),
        at_most("G5", "idle, ms a frame", of("idle", "ours_ms_a_frame"), 2.0),
        at_least("G5", "busy, recall of reference boxes", of("busy", "ours_recall"), 0.80),
        at_most("G5", "high detail, busy, ms a frame", of("busy", "ours_high_ms_a_frame"), 20.0),
        at_least("G5", "high detail, busy, recall of reference boxes", of("busy", "ours_high_recall"), 0.89),
    ]


def analysis(seconds: float, rounds: int) -> tuple[dict[str, Any], list[str]]:
    cv2.setNumThreads(1)
    models = shared_folder("models")
    footage = shared_folder("footage")
    notes = [] if footage else ["No footage is here: a drawn street stands in for it."]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="mc-ingest-") as name:
        data = Path(name)
        settings = Settings(data_dir=data, media_dir=data, models_dir=models, download_models=False)
        eyes, high_eyes = load_eyes(settings), load_eyes(replace(settings, analysis_detail="high"))
        reference, peer = references(models, notes)
        spare_what_stays()  # as the service does: torch's modules, here for the peer alone, would be looked through too
        for kind, clips in KINDS.items():
            pictures = [clip for one in clips if (clip := read(footage, one, seconds))] or [drawn(data, seconds)]
            wanted = [[reference(rgb, n) for n, (_, rgb) in enumerate(clip)] for clip in pictures] if reference else []
            ways: dict[str, Callable[[], Look]] = {
                "ours": lambda: ours(eyes, thorough=False),
                "ours_high": lambda: ours(high_eyes, thorough=True),
            }
            if peer is not None:
                ways["every_frame"] = lambda: peer
            figures[kind] = one_kind(ways, pictures, wanted, rounds)
        figures["detector"] = eyes.detector.name
    return figures, notes


def references(models: Path | None, notes: list[str]) -> tuple[Look | None, Look | None]:
    """Return who tells the boxes to be found, and the peer that looks at every frame."""
    if models is None:
        notes.append("No models are here: cost is measured with the built-in people detector, recall is not.")
        return None, None
    if has_torch():
        notes.append("Peer: torch eager, FP32, one thread, every frame at 640.")
        notes.append("Reference boxes: YOLOv8n (torch) at 960x544, people of score 0.5.")
        return (
            eager(models / "yolov8n_reconstructed.pt", 960, REFERENCE_SCORE),
            eager(models / "yolo11n_reconstructed.pt", 640, COUNTED_SCORE),
        )
    notes.append("torch is not here: the peer is ONNX Runtime, FP32, one thread, every frame at 640.")
    notes.append("Reference boxes: the same network's FP32 weights at 960 wide, people of score 0.5.")
    onnx = models / "yolo11n_reconstructed.onnx"
    return every_frame(onnx, 960, REFERENCE_SCORE), every_frame(onnx, 640)


def eager(file: Path, width_px: int, score: float) -> Look:
    """Return a detector at every whole frame, by torch in one thread."""
    detector = ultralytics(file, width_px)

    def look(rgb: np.ndarray, _number: int) -> list[Box]:
        return [one.box for one in detector.detect([rgb], score)[0] if one.label == "person"]

    return look


def one_kind(
    ways: dict[str, Callable[[], Look]],
    clips: list[list[tuple[np.ndarray, np.ndarray]]],
    wanted: list[list[list[Box]]],
    rounds: int,
) -> dict[str, Any]:
    frames = sum(len(clip) for clip in clips)
    found: dict[str, list[list[list[Box]]]] = {}

    def cost(name: str) -> float:
        looks = [ways[name]() for _ in clips]
        looks[0](clips[0][0][1], -1)  # networks are made ready before it counts
        looks[0] = ways[name]()
        before_s = cpu_s()
        seen = [[look(rgb, n) for n, (_, rgb) in enumerate(clip)] for look, clip in zip(looks, clips, strict=True)]
        spent_s = cpu_s() - before_s
        found[name] = seen
        return spent_s

    medians = alternated({name: lambda name=name: cost(name) for name in ways}, rounds)
    figures: dict[str, Any] = {"frames": frames}
    for name, spent_s in medians.items():
        figures[f"{name}_ms_a_frame"] = round(1000 * spent_s / frames, 2)
        hits, total = matched(found[name], wanted)
        figures[f"{name}_recall"] = round(hits / total, 3) if total else None
        figures["reference_boxes"] = total
    if "every_frame" in medians:
        figures["ratio_to_every_frame"] = ratio(medians["ours"], medians["every_frame"])
    return figures


def matched(found: list[list[list[Box]]], wanted: list[list[list[Box]]]) -> tuple[int, int]:
    hits = total = 0
    for seen, known in zip(itertools.chain(*found), itertools.chain(*wanted), strict=False):
        total += len(known)
        hits += sum(any(box.iou(one) >= FOUND_IOU for one in seen) for box in known)
    return hits, total


def ours(eyes: Eyes, *, thorough: bool) -> Look:
    """Analyse as ingest does; in frames passed over the followed are where the tracker saw them last."""
    numbers = itertools.count(1)
    analyser = FrameAnalyser(
        Camera("bench", "Bench", "file:///dev/null"), eyes.detector, eyes.appearance, min_score=COUNTED_SCORE,
        new_id=lambda _: UUID(int=next(numbers)), seconds=time.monotonic, thorough=thorough,
    )  # fmt: skip
    last: list[Box] = []

    def look(rgb: np.ndarray, number: int) -> list[Box]:
        nonlocal last
        luma = np.ascontiguousarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
        result = analyser.look(Frame(START + timedelta(seconds=(number + 1) / FPS), luma, lambda: rgb))
        assert result.failure is None
        if result.looked:
            last = [one.box for one in result.objects if not one.lost and one.label == "person"]
            last += [one.box for one in result.detections if one.label == "person" and one.score >= COUNTED_SCORE]
        return last

    return look


def every_frame(model: Path, width_px: int, score: float = COUNTED_SCORE) -> Look:
    """Return a detector at every whole frame, by ONNX Runtime in one thread."""
    import onnxruntime  # noqa: PLC0415 - a peer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    height_px = -(-width_px * HEIGHT_PX // WIDTH_PX // 32) * 32

    def look(rgb: np.ndarray, _number: int) -> list[Box]:
        planes, placed = fit(rgb, width_px, height_px)
        output = session.run(None, {session.get_inputs()[0].name: planes[None]})[0][0]
        return [one.box for one in boxes_of(output, placed, score) if one.label == "person"]

    return look


def read(footage: Path | None, name: str, seconds: float) -> list[tuple[np.ndarray, np.ndarray]]:
    file = footage / f"{name.removesuffix(STILL)}.mp4" if footage else None
    if file is None or not file.is_file():
        return []
    frames = max(5, round(seconds * FPS))
    if name.endswith(STILL):
        stretch = list(itertools.islice(pictures(file, STILL_FROM_S), round((STILL_TO_S - STILL_FROM_S) * FPS)))
        return list(itertools.islice(itertools.cycle([*stretch, *stretch[::-1]]), frames))
    return list(itertools.islice(pictures(file, SKIP_S.get(name, 0.0)), frames))


def drawn(data: Path, seconds: float) -> list[tuple[np.ndarray, np.ndarray]]:
    clip = moving_picture(data / "drawn.mp4", WIDTH_PX, HEIGHT_PX, 10, max(2.0, seconds), 800)
    return list(pictures(clip, 0.0))


def pictures(file: Path, skip_s: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    with av.open(str(file)) as container:
        step = max(1, round(float(container.streams.video[0].average_rate) / FPS))
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 0 and frame.time >= skip_s:
                small = frame.reformat(WIDTH_PX, HEIGHT_PX)
                yield luma_of(small), small.to_ndarray(format="rgb24")


async def idle(seconds: float) -> dict[str, Any]:
    """Run the real ingest on cameras with nobody in sight; the main stream is recorded, the second one gated.

    Beside it, on the same streams: an ffmpeg a camera that copies the one into files and decodes the other into a pipe,
    which looks at nothing and indexes nothing.
    """
    with tempfile.TemporaryDirectory(prefix="mc-idle-") as name:
        folder = Path(name)
        main = still(folder / "main.mp4", 1920, 1080, 15, 4000)
        sub = still(folder / "sub.mp4", WIDTH_PX, HEIGHT_PX, 5, 400)
        mounts = {f"{kind}{n}": file for n in range(IDLE_CAMERAS) for kind, file in (("main", main), ("sub", sub))}
        with cameras(mounts) as urls:
            spent_s, memory, recorded = await ingest_of(urls, seconds, folder)
            peer_s, peer_memory = ffmpeg_of(urls, seconds, folder)
    per_hour = spent_s * HOUR_S / seconds / IDLE_CAMERAS
    return {
        "cameras": IDLE_CAMERAS,
        "cpu_s_per_camera_hour": round(per_hour, 1),
        "cameras_per_core": round(HOUR_S / per_hour, 1),
        "memory_mb": round(memory),
        "memory_mb_a_camera": round(memory / IDLE_CAMERAS, 1),
        "chunks_indexed_s": round(recorded),
        "ffmpeg_cpu_s_per_camera_hour": round(peer_s * HOUR_S / seconds / IDLE_CAMERAS, 1),
        "ffmpeg_memory_mb": round(peer_memory),
        "ratio_to_ffmpeg": ratio(spent_s, peer_s),
        "memory_ratio_to_ffmpeg": ratio(memory, peer_memory),
    }


async def ingest_of(urls: Mapping[str, str], seconds: float, folder: Path) -> tuple[float, float, float]:
    """Return CPU seconds, memory and indexed seconds of video of our ingest."""
    async with hub_settings(chunk_s=60.0) as settings, open_hub(settings, "bench", 2) as hub:
        for n in range(IDLE_CAMERAS):
            camera = Camera(f"camera{n}", f"Camera {n}", urls[f"main{n}"])
            await hub.cameras.add(replace(camera, sub_url=urls[f"sub{n}"]))
        process = start_service("ingest", settings, folder / "ingest.log")
        try:
            await asyncio.sleep(IDLE_SETTLE_S)
            before_s = cpu_of(process.pid)
            await asyncio.sleep(seconds)
            if process.poll() is not None:
                raise RuntimeError(f"ingest ended: {(folder / 'ingest.log').read_text()[-500:]}")
            spent_s, memory = cpu_of(process.pid) - before_s, resident_mb(process.pid)
            recorded = sum([await hub.chunks.recorded_s(f"camera{n}") for n in range(IDLE_CAMERAS)])
        finally:
            end(process)
    return spent_s, memory, recorded


def ffmpeg_of(urls: Mapping[str, str], seconds: float, folder: Path) -> tuple[float, float]:
    """Return CPU seconds and memory of an ffmpeg a camera."""
    processes = []
    for n in range(IDLE_CAMERAS):
        inputs = [("-rtsp_transport", "tcp", "-i", urls[f"{kind}{n}"]) for kind in ("main", "sub")]
        copied = ("-map", "0:v", "-c", "copy", "-f", "segment", "-segment_time", "60", "-segment_format", "mp4")
        decoded = ("-map", "1:v", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:")
        command = [*FFMPEG, *inputs[0], *inputs[1], *copied, str(folder / f"ffmpeg{n}_%04d.mp4"), *decoded]
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    pids = [process.pid for process in processes]
    try:
        time.sleep(IDLE_SETTLE_S)
        before_s = cpu_of(*pids)
        time.sleep(seconds)
        if any(process.poll() is not None for process in processes):
            raise RuntimeError("an ffmpeg ended")
        if not all(any(folder.glob(f"ffmpeg{n}_*.mp4")) for n in range(IDLE_CAMERAS)):
            raise RuntimeError("an ffmpeg wrote nothing")
        return cpu_of(*pids) - before_s, resident_mb(*pids)
    finally:
        for process in processes:
            end(process)


def still(file: Path, width: int, height: int, fps: int, kbit_s: int) -> Path:
    """Write a clip in which only noise moves."""
    source = ("-f", "lavfi", "-i", f"color=gray:size={width}x{height}:rate={fps},noise=alls=6:allf=t")
    encode = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", str(2 * fps), "-pix_fmt", "yuv420p")
    subprocess.run([*FFMPEG, "-y", *source, "-t", "8", *encode, "-b:v", f"{kbit_s}k", str(file)], check=True)
    return file


if __name__ == "__main__":
    sys.exit(main())
