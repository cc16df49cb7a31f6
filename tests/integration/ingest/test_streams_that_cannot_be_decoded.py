"""A camera whose pictures cannot be decoded is recorded, told so, and each of its pictures is accounted for."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import bad_cameras as bad
from tests.support.clips import write_counter_clip
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import square_eyes

from marengocam.core.model import Camera
from marengocam.db.cameras import CameraStatus
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.clip import H264, Clip, nal_kind
from marengocam.ingest.analysing import UNDECODABLE_REASON
from marengocam.media.faults import SENTENCES, Fault
from marengocam.settings import Settings

PARAMETER_SETS = (7, 8)
PICTURES = 60
UNDER_WAY = 15  # pictures that wait to be decoded when a status is taken


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    monkeypatch.setattr("marengocam.ingest.analysing.UNDECODABLE_AFTER_S", 1.0)
    monkeypatch.setattr("marengocam.ingest.reading.KEYFRAME_LIMIT_S", 1.0)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


@pytest.fixture
async def clip(tmp_path: Path) -> Path:
    return await asyncio.to_thread(write_counter_clip, tmp_path / "counter.mp4", 150)


def damaged(clip: Clip) -> Clip:
    """Return a clip whose parameters are right, and its pictures random bytes."""
    chance = random.Random(3)

    def rubbish(nal: bytes) -> bytes:
        return nal if nal_kind(H264, nal) in PARAMETER_SETS else nal[:1] + chance.randbytes(len(nal) - 1)

    units = (replace(unit, nal_units=tuple(map(rubbish, unit.nal_units))) for unit in clip.units)
    return replace(clip, units=tuple(units))


def unaccounted(status: CameraStatus) -> float:
    """Return how many pictures are in none of the figures, for good or as long as they wait."""
    told = status.metrics
    accounted = sum(told[name] for name in ("frames_decoded", "frames_undecoded", "packets_skipped", "frames_lost"))
    return abs(told["frames_received"] - accounted)


async def status_of(hub: Hub, holds: Callable[[CameraStatus], bool]) -> CameraStatus:
    found: list[CameraStatus] = []

    async def told() -> bool:
        statuses = await hub.cameras.statuses()
        found[:] = [statuses["front"]] if "front" in statuses and holds(statuses["front"]) else []
        return bool(found)

    await until(told)
    return found[0]


@pytest.mark.parametrize(
    "becomes", [damaged, lambda clip: bad.claiming(clip, 12_288, 12_288)], ids=["damaged", "far too large"]
)
async def test_pictures_that_become_rubbish_are_recorded_told_and_counted(
    hub: Hub, settings: Settings, clip: Path, becomes: Callable[[Clip], Clip]
) -> None:
    plain = bad.load(clip)
    async with bad.clips_served({"front": bad.shortened(plain, 2.0)}, clip) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):
            await status_of(hub, lambda status: status.metrics["frames_analysed"] > 0)
            server.mounts["front"].change(becomes(plain))
            status = await status_of(hub, lambda status: status.reason == UNDECODABLE_REASON)
            assert (status.state, status.metrics["recording"]) == ("online", 1)
            count = status.metrics["frames_received"]
            status = await status_of(hub, lambda status: status.metrics["frames_received"] > count + PICTURES)
            server.mounts["front"].change(plain)
            await status_of(hub, lambda status: status.reason == "" and unaccounted(status) <= UNDER_WAY)
    assert status.metrics["frames_undecoded"] + status.metrics["frames_lost"] >= PICTURES / 2


async def test_a_second_stream_without_keyframes_is_told_as_that(hub: Hub, settings: Settings, clip: Path) -> None:
    plain = bad.load(clip)
    async with bad.clips_served({"main": plain, "sub": bad.with_one_keyframe(plain, 90.0)}, clip) as server:
        await asyncio.sleep(0.2)  # the only keyframe is sent
        await hub.cameras.add(Camera("front", "Front", server.url("main"), sub_url=server.url("sub")))
        async with ingest_here(hub, settings):
            status = await status_of(hub, lambda status: SENTENCES[Fault.NO_KEYFRAME] in status.reason)
    assert status.state == "online"
    assert status.metrics["frames_received"] > 0
