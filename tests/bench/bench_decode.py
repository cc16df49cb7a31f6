"""Decoding to a readable luma plane: ours against an ffmpeg pipe of raw video, at 640x360 and 1920x1080."""

import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from tests.bench.measuring import FFMPEG, alternated, arguments_of, at_most, cpu_s, moving_picture, ratio, tell

from marengocam.ingest.decoding import local_decoder
from marengocam.ingest.frames import luma_of

FPS = 15
SIZES = {"360p": (640, 360, 800), "1080p": (1920, 1080, 4000)}  # width, height, kbit/s


def main() -> int:
    parser = arguments_of(__doc__, seconds=20.0, rounds=5)
    arguments = parser.parse_args()
    figures, targets = {}, []
    with tempfile.TemporaryDirectory(prefix="mc-decode-") as folder:
        for name, (width, height, kbit_s) in SIZES.items():
            clip = moving_picture(Path(folder) / f"{name}.mp4", width, height, FPS, arguments.seconds, kbit_s)
            frames = piped(clip, width, height)
            medians = alternated(
                {"ours": lambda: cost(decoded, clip), "pipe": lambda: cost(piped, clip, width, height)},  # noqa: B023 - run at once
                arguments.rounds,
            )
            assert decoded(clip) == frames, "both see every frame"
            to_pipe = ratio(medians["ours"], medians["pipe"])
            figures[name] = {
                "frames": frames,
                "ours_ms_a_frame": round(1000 * medians["ours"] / frames, 3),
                "pipe_ms_a_frame": round(1000 * medians["pipe"] / frames, 3),
                "ratio": to_pipe,
            }
            targets.append(at_most("G2", f"decode to luma at {name} against the pipe", to_pipe, 0.70))
    tell("decode", arguments.json, figures, targets, ["The pipe is yuv420p with one decoding thread."])
    return 0


def cost(work, *values) -> float:
    before_s = cpu_s()
    work(*values)
    return cpu_s() - before_s


def decoded(file: Path) -> int:
    """Decode a file as ingest does; return the number of frames."""
    count = 0
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        context = local_decoder(stream.codec_context.name, stream.codec_context.extradata)
        for packet in container.demux(stream):
            for frame in context.decode(packet if packet.size else None):
                touch(luma_of(frame))
                count += 1
    return count


def piped(file: Path, width: int, height: int) -> int:
    """Read raw pictures from ffmpeg, as recorders that drive it do; return the number of frames."""
    command = [*FFMPEG, "-threads", "1", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:"]
    count, size = 0, width * height * 3 // 2
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=size) as process:
        while len(content := process.stdout.read(size)) == size:
            touch(np.frombuffer(content, np.uint8)[: width * height].reshape(height, width))
            count += 1
    return count


def touch(luma: np.ndarray) -> int:
    return int(luma[::16, ::16].sum())


if __name__ == "__main__":
    sys.exit(main())
