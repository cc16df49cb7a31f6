"""A bit turned over at 1,000 random places, and files cut off anywhere: pictures or a clear word, never a crash."""

import asyncio
import json
import os
import random
import sys
from pathlib import Path

import psutil
import pytest
from tests.support.clips import write_counter_clip, write_h265_clip

from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.ingest.decode_queue import QueuedPacket
from marengocam.ingest.decoding import SessionDecoder
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.faults import StreamError
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader

PLACES, CUTS = 1000, 100
RUN_LIMIT_S = 170
MEMORY_GROWTH_LIMIT_BYTES = 64 * 2**20  # of the process that reads, records and decodes all of them in turn
READER = """
import sys
from pathlib import Path
from tests.fault.test_flipped_bits import read_all
read_all([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
"""


def read_all(files: list[Path], folder: Path) -> None:
    """Read, record and decode each damaged copy; print what became of them. Runs in a process of its own."""
    chance, store, damaged = random.Random(7), Store(folder), folder / "damaged"
    store.prepare()
    ends: dict[str, int] = {}
    pictures = begun_bytes = 0
    decoder = SessionDecoder()

    def read(content: bytes, session: int) -> str:
        nonlocal pictures
        damaged.write_bytes(content)
        try:
            with StreamReader(f"file://{damaged}", StreamOptions(), SystemClock()) as reader:
                writer = ChunkWriter(store, "front", reader.video, reader.info, 60.0)
                try:
                    for packet in reader:
                        writer.write(packet)
                        pictures += sum(
                            1 for _ in decoder.frames(QueuedPacket(packet, session, reader.info, reader.video))
                        )
                finally:
                    chunk = writer.close()
                    if chunk is not None:
                        store.resolve(chunk.path).unlink()
        except (StreamError, StoreError) as error:
            return getattr(error, "kind", "store")
        return "read"

    contents = [file.read_bytes() for file in files]
    for number in range(PLACES + CUTS):
        content = bytearray(contents[number % len(contents)])
        place = chance.randrange(len(content))
        if number < PLACES:
            content[place] ^= 1 << chance.randrange(8)
        else:
            del content[place:]
        end = read(bytes(content), number)
        ends[end] = ends.get(end, 0) + 1
        if number == PLACES // 10:
            begun_bytes = psutil.Process().memory_info().rss
    grown_bytes = psutil.Process().memory_info().rss - begun_bytes
    print(json.dumps({"ends": ends, "pictures": pictures, "grown_bytes": grown_bytes}))  # noqa: T201 - for the test


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_damaged_video_ends_in_pictures_or_a_clear_word_and_memory_stays_bounded(tmp_path):
    files = [
        await asyncio.to_thread(write_counter_clip, tmp_path / "h264.mp4", 30),
        await asyncio.to_thread(write_h265_clip, tmp_path / "h265.mp4", 30),
        await asyncio.to_thread(write_counter_clip, tmp_path / "h264_small.mp4", 15, 15, 96, 48),
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READER, str(tmp_path / "media"), *map(str, files),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()[-2000:]
    result = json.loads(said.splitlines()[-1])
    sys.stderr.write(f"{result}\n")
    assert sum(result["ends"].values()) == PLACES + CUTS
    assert set(result["ends"]) <= {"ended", "not_video", "no_video", "codec", "too_large", "other", "store"}
    assert result["ends"]["ended"] > PLACES / 2
    assert result["pictures"] > PLACES
    assert result["grown_bytes"] < MEMORY_GROWTH_LIMIT_BYTES
