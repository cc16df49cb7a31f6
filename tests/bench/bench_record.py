"""Recording of RTSP cameras: ours against ffmpeg -c copy -f segment for each, with a remux and a probe a segment."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measuring import (
    FFMPEG,
    HOUR_S,
    alternated,
    arguments_of,
    at_most,
    cpu_of,
    cpu_s,
    moving_picture,
    ratio,
    resident_mb,
    tell,
)  # fmt: skip
from tests.bench.peers import cameras, end, environment

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, CameraState
from marengocam.ingest.camera_state import CameraHealth, Condition
from marengocam.ingest.decode_queue import DecodeQueue
from marengocam.ingest.reading import Reader, ReadingPlan
from marengocam.ingest.recording_modes import Sights
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.store import Store

WIDTH_PX, HEIGHT_PX, FPS, KBIT_S = 1920, 1080, 15, 4000
SEGMENT_S = 10
SETTLE_S = 6.0  # all connected, first files begun


def main() -> int:
    parser = arguments_of(__doc__, seconds=30.0, rounds=3, streams=16)
    parser.add_argument("--inside", nargs="+", metavar="MEDIA URL", help="record these until told to end")
    arguments = parser.parse_args()
    if arguments.inside:
        return record(Path(arguments.inside[0]), arguments.inside[1:])
    memory: dict[str, list[float]] = {"ours": [], "segment": []}
    with tempfile.TemporaryDirectory(prefix="mc-record-") as folder:
        clip = moving_picture(Path(folder) / "camera.mp4", WIDTH_PX, HEIGHT_PX, FPS, 10, KBIT_S)
        with cameras({f"camera{number}": clip for number in range(arguments.streams)}) as urls:
            addresses = list(urls.values())
            medians = alternated(
                {
                    "ours": lambda: ours(addresses, arguments.seconds, memory["ours"]),
                    "segment": lambda: segment(addresses, arguments.seconds, memory["segment"], whole=False),
                    "segment_remux_probe": lambda: segment(addresses, arguments.seconds, [], whole=True),
                },
                arguments.rounds,
            )
    scale = HOUR_S / arguments.seconds / arguments.streams
    a_camera = {name: max(values) / arguments.streams for name, values in memory.items()}
    to_all = ratio(medians["ours"], medians["segment_remux_probe"])
    figures = {
        "streams": arguments.streams,
        "stream": f"{WIDTH_PX}x{HEIGHT_PX} {FPS} fps {KBIT_S} kbit/s",
        "cpu_s_per_stream_hour": {name: round(value * scale, 1) for name, value in medians.items()},
        "memory_mb_a_camera": {name: round(value, 1) for name, value in a_camera.items()},
        "ratio_to_segment": ratio(medians["ours"], medians["segment"]),
        "ratio_to_segment_remux_probe": to_all,
    }
    targets = [
        at_most("G1", "recording against ffmpeg segment + remux + probe", to_all, 0.45),
        at_most("G1", "memory a camera, MB", round(a_camera["ours"], 1), 15.0),
    ]
    tell("record", arguments.json, figures, targets, [])
    return 0


def ours(urls: list[str], seconds: float, memory: list[float]) -> float:
    """Return CPU seconds of our recorder over so many seconds."""
    with tempfile.TemporaryDirectory(prefix="mc-record-") as folder:
        command = [sys.executable, "-m", "tests.bench.bench_record", "--inside", folder, *urls]
        process = subprocess.Popen(command, env=environment())
        try:
            time.sleep(SETTLE_S)
            before_s = cpu_of(process.pid)
            time.sleep(seconds)
            memory.append(resident_mb(process.pid))
            if len(list(Path(folder).rglob(f"*{GROWING_SUFFIX}"))) < len(urls):
                raise RuntimeError("not every camera is recorded: these figures would be too good")
            return cpu_of(process.pid) - before_s
        finally:
            end(process)


def segment(urls: list[str], seconds: float, memory: list[float], *, whole: bool) -> float:
    """Return CPU seconds of an ffmpeg a camera; `whole`: each finished segment is remuxed and probed, too."""
    with tempfile.TemporaryDirectory(prefix="mc-segment-") as name:
        folder = Path(name)
        processes = [subprocess.Popen(_segment_command(url, folder / f"{n}")) for n, url in enumerate(urls)]
        pids = [process.pid for process in processes]
        try:
            time.sleep(SETTLE_S)
            before_s, beside_s = cpu_of(*pids), 0.0
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s:
                if whole:
                    beside_s += _finish(folder)
                time.sleep(0.5)
            memory.append(resident_mb(*pids))
            return cpu_of(*pids) - before_s + beside_s
        finally:
            for process in processes:
                end(process)


def _segment_command(url: str, start: Path) -> list[str]:
    output = ("-c", "copy", "-f", "segment", "-segment_time", str(SEGMENT_S), "-segment_format", "mp4")
    return [*FFMPEG, "-rtsp_transport", "tcp", "-i", url, *output, "-reset_timestamps", "1", f"{start}_%04d.mp4"]


def _finish(folder: Path) -> float:
    """Remux and probe every segment that is no longer written; return the CPU seconds."""
    before_s = _children_s()
    newest: dict[str, Path] = {}
    for file in sorted(folder.glob("*_*.mp4")):
        older = newest.get(file.name.partition("_")[0])
        newest[file.name.partition("_")[0]] = file
        if older is not None:
            kept = folder / f"kept-{older.name.replace('_', '-')}"
            subprocess.run(
                [*FFMPEG, "-y", "-i", str(older), "-c", "copy", "-movflags", "+faststart", str(kept)], check=True
            )
            subprocess.run(
                ["ffprobe", "-v", "error", "-show_entries", "format=duration", str(kept)],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            older.unlink()
    return _children_s() - before_s


def _children_s() -> float:
    return cpu_s() - time.process_time()


def record(media: Path, urls: list[str]) -> int:
    """Record cameras as ingest does, without analysis, until the process is ended."""
    clock, store = SystemClock(), Store(media)
    for number, url in enumerate(urls):
        Reader(
            Camera(f"camera{number}", f"Camera {number}", url),
            ReadingPlan(url, record=True, analyse=False),
            store=store,
            clock=clock,
            chunk_s=float(SEGMENT_S),
            health=CameraHealth(Condition(CameraState.CONNECTING, "", clock.now())),
            queue=DecodeQueue(),
            sights=Sights(),
            on_chunk=lambda _: None,
            on_recovered=lambda: None,
            on_disk_full=lambda: None,
            loopback=True,
        ).start()
    while True:
        time.sleep(HOUR_S)


if __name__ == "__main__":
    sys.exit(main())
