"""Speed of replays against real time, identical reports, cost for live ingest while one runs, several workers."""

import asyncio
import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from tests.bench.measuring import FFMPEG, Target, arguments_of, at_least, at_most, footage_file, shared_folder, tell

from marengocam.core.secret import Secret
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.migrate import migrate_database
from marengocam.demo.video import VideoFile
from marengocam.media.names import RecordingName
from marengocam.replay.cluster import units_on
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WIDTH, HEIGHT, FPS = 640, 360, 15
CHUNK_S = 60.0
STREETS = ("people_detection.mp4", "fall_lab_cam1.mp4")  # somebody walks, then nobody


def main() -> None:
    parser = arguments_of(__doc__, seconds=300.0, repeats=20, rounds=3)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    told = parser.parse_args()
    os.nice(0)
    with tempfile.TemporaryDirectory() as folder, _hub(Path(folder)) as address:
        settings = _settings(Path(folder), address)
        still, busy = _still(settings, told.seconds), _busy(settings, told.seconds)
        figures: dict[str, Any] = {
            "nothing moves": _speed(settings, "still"),
            "something moves": _speed(settings, "busy"),
        }
        figures["video"] = {
            "seconds each": told.seconds,
            "files": len(still) + len(busy),
            "picture": f"{WIDTH}x{HEIGHT}",
        }
        figures["repeats"] = _repeats(settings, told.repeats)
        figures["live while a replay runs"] = _live_cost(settings, told.rounds)
        if importlib.util.find_spec("distributed") is not None and told.workers:
            figures["workers"] = _workers(settings, told.workers)
        targets = _targets(figures, told.repeats)
        notes = [f"{os.cpu_count()} cores are shared by all workers and by whatever else ran here meanwhile."]
        tell("replay", told.json, figures, targets, notes)


def _targets(figures: dict[str, Any], repeats: int) -> list[Target]:
    cost = figures["live while a replay runs"]
    return [
        at_least(
            "T1",
            "times real time per core where nothing moves",
            figures["nothing moves"]["times real time per core"],
            20,
        ),
        at_least("T2", "identical reports", figures["repeats"]["identical"], repeats),
        at_most("T3", "live frame time with a replay beside it, of that alone", cost["ratio"], 1.15),
    ]


@contextmanager
def _hub(folder: Path) -> Iterator[Secret]:
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "hub", durable=False, die_with_parent=True)
    try:
        address = server.start()
        asyncio.run(_migrated(address))
        yield address
    finally:
        server.stop()


async def _migrated(address: Secret) -> None:
    await migrate_database(address)


def _settings(folder: Path, address: Secret) -> Settings:
    return Settings(
        data_dir=folder / "data",
        media_dir=folder / "media",
        models_dir=shared_folder("models"),
        database_url=address,
        download_models=False,
    )


def _recording(settings: Settings, camera: str, number: int) -> Path:
    name = RecordingName(camera, NOON + timedelta(seconds=number * CHUNK_S), UUID(int=number + 1))
    file = settings.media_dir / name.path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _still(settings: Settings, seconds: float) -> list[Path]:
    """Write recordings of a picture with a sensor's noise in which nothing moves."""
    first = _recording(settings, "still", 0)
    random = np.random.default_rng(7)
    ground = random.integers(40, 160, (HEIGHT // 20, WIDTH // 20, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
    length_s = min(CHUNK_S, seconds)
    with VideoFile(first, WIDTH, HEIGHT, FPS) as video:
        for _ in range(round(length_s * FPS)):
            video.write(ground + random.integers(0, 5, ground.shape, dtype=np.uint8))
    return _copies(settings, "still", first, seconds)


def _busy(settings: Settings, seconds: float) -> list[Path]:
    """Write recordings in which people come and go: real footage where there is some, else a test picture."""
    first = _recording(settings, "busy", 0)
    street = next((file for name in STREETS if (file := footage_file(name)) is not None), None)
    source = (
        ("-stream_loop", "-1", "-i", str(street))
        if street
        else ("-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r={FPS}")
    )
    encode = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", str(2 * FPS), "-pix_fmt", "yuv420p", "-an")
    shape = ("-t", str(min(CHUNK_S, seconds)), "-r", str(FPS), "-vf", f"scale={WIDTH}:{HEIGHT}")
    subprocess.run([*FFMPEG, "-y", *source, *shape, *encode, str(first)], check=True)
    return _copies(settings, "busy", first, seconds)


def _copies(settings: Settings, camera: str, first: Path, seconds: float) -> list[Path]:
    files = [first]
    for number in range(1, max(1, round(seconds / CHUNK_S))):
        files.append(_recording(settings, camera, number))
        shutil.copyfile(first, files[-1])
    return files


def _replayed(settings: Settings, camera: str, unit_s: float = 600.0, workers: int = 0) -> tuple[str, float, float]:
    """Return the report, the CPU seconds and the seconds that passed; one run warms what is loaded once."""
    request = ReplayRequest(camera_id=camera, unit_s=unit_s, gallery_at=NOON)
    began, cpu = time.monotonic(), _cpu_s()
    with units_on(None, workers) as units_by:
        replayed = asyncio.run(replay_source(settings, request, units_by=units_by))
    return replayed.to_json(), _cpu_s() - cpu, time.monotonic() - began


def _speed(settings: Settings, camera: str) -> dict[str, Any]:
    _replayed(settings, camera)
    report, cpu_s, passed_s = _replayed(settings, camera)
    told = json.loads(report)
    looks = told["frames_looked_at"]
    return {
        "times real time per core": round(told["video_s"] / cpu_s, 1),
        "times real time": round(told["video_s"] / passed_s, 1),
        "looks of the detector": looks,
        "milliseconds a look": round(1000 * cpu_s / max(looks, 1), 1),
        "milliseconds a frame": round(1000 * cpu_s / max(told["frames"], 1), 2),
        "tracks": len(told["tracks"]),
        "detector": told["detector"],
    }


def _repeats(settings: Settings, repeats: int) -> dict[str, Any]:
    """Replay in turn whole, and cut into units of other lengths than the ones before: equal cuts must be equal."""
    reports = [_replayed(settings, "busy", unit_s=30.0)[0] for _ in range(repeats)]
    return {"runs": repeats, "identical": sum(one == reports[0] for one in reports), "bytes": len(reports[0])}


def _live_cost(settings: Settings, rounds: int) -> dict[str, Any]:
    """Return what a live camera's frame takes alone, and while a replay's process runs on every core."""
    alone, beside = [], []
    if rounds == 0:
        return {"ratio": None}
    for _ in range(rounds):
        alone.append(_live_frame_ms(settings))
        with _replays_running(settings):
            beside.append(_live_frame_ms(settings))
    before, after = statistics.median(alone), statistics.median(beside)
    return {"alone_ms": round(before, 2), "beside_ms": round(after, 2), "ratio": round(after / before, 3)}


def _live_frame_ms(settings: Settings) -> float:
    """Return the seconds from wish to result of a frame's analysis in a process of usual priority, as ingest's."""
    command = [sys.executable, "-m", "tests.bench.live_frames", str(settings.media_dir), str(settings.models_dir or "")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


@contextmanager
def _replays_running(settings: Settings) -> Iterator[None]:
    stop = threading.Event()
    environment = os.environ | {
        "MARENGOCAM_DATA_DIR": str(settings.data_dir),
        "MARENGOCAM_MEDIA_DIR": str(settings.media_dir),
        "MARENGOCAM_MODELS_DIR": str(settings.models_dir or ""),
        "MARENGOCAM_DATABASE_URL": settings.database_url.reveal(),
        "MARENGOCAM_DOWNLOAD_MODELS": "false",
    }
    source = (settings.media_dir / "recordings" / "busy").as_uri()
    command = [sys.executable, "-m", "marengocam.cli", "ingest", f"--source={source}", "--camera", "busy"]

    def again_and_again() -> None:
        while not stop.is_set():
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None:
                if stop.wait(0.1):
                    process.kill()
                    process.wait()

    threads = [threading.Thread(target=again_and_again) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    time.sleep(3.0)  # until they are at work
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _workers(settings: Settings, numbers: list[int]) -> dict[str, Any]:
    told = {}
    whole = _replayed(settings, "busy", unit_s=30.0)[0]
    for number in numbers:
        report, _, passed_s = _replayed(settings, "busy", unit_s=30.0, workers=number)
        video_s = json.loads(report)["video_s"]
        told[f"{number} Dask"] = {"times real time": round(video_s / passed_s, 1), "same report": report == whole}
    return told


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
