"""Whatever analysis gives up of a real stream with B-pictures, its recording has every picture and decodes whole."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.support.clips import counter_picture, read_number
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import square_eyes

from marengocam.core.model import Camera
from marengocam.core.survival import LAST_LEVEL, SHED_LEVEL
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.media.store import Store
from marengocam.settings import Settings

FRAMES, FPS, GROUP = 900, 15, 15
CODECS = {
    "libx264": {"bf": "3", "b-pyramid": "normal", "refs": "4", "preset": "veryfast"},
    "libx265": {"x265-params": f"bframes=4:b-pyramid=1:keyint={GROUP}:log-level=none", "preset": "ultrafast"},
}


def write_clip_with_b_pictures(file: Path, codec: str) -> Path:
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options={"g": str(GROUP), "flags": "+cgop"} | CODECS[codec])
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(counter_picture(number, 192, 96), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(file)) as container:
        assert any(packet.pts != packet.dts for packet in container.demux(video=0) if packet.pts is not None)
    return file


@pytest.mark.timeout(120)
@pytest.mark.parametrize("codec", CODECS)
async def test_no_step_of_shedding_is_felt_by_the_recording(
    hub: Hub, hub_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    settings, store = (
        replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0),
        Store(hub_settings.media_dir),
    )
    clip = write_clip_with_b_pictures(tmp_path / "clip.mp4", codec)
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def metric(name: str) -> float:
                status = (await hub.cameras.statuses()).get("front")
                return status.metrics.get(name, 0) if status is not None else 0

            async def follows() -> bool:
                return await metric("frames_analysed") > 0

            await until(follows)
            for level in (*range(LAST_LEVEL + 1), 0):
                await hub.settings_store.set(SHED_LEVEL, level)

                async def in_force(level: int = level) -> bool:
                    return await metric("shed_level") == level

                await until(in_force)
                before, files = await metric("packets_skipped"), len(store.recordings("front"))

                async def goes_on(files: int = files, before: float = before, level: int = level) -> bool:
                    gives_up = level == 0 or await metric("packets_skipped") > before + FPS
                    return gives_up and len(store.recordings("front")) > files + 1

                await until(goes_on)
    numbers = []
    *whole, last = store.recordings("front")
    for file in (*whole, last):
        with av.open(str(file)) as container:
            packets = sum(1 for packet in container.demux(video=0) if packet.size)
        with av.open(str(file)) as container:
            pictures = [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
        assert len(pictures) == packets, f"{file.name} decodes whole"
        if file is not last:  # which may end before B-pictures that are shown earlier
            numbers += pictures
    assert numbers == [numbers[0] + step for step in range(len(numbers))]
    assert len(numbers) > (LAST_LEVEL + 2) * FPS * 2
