"""One ingest process with a good camera beside all that are bad: each is told, the good one loses nothing."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import psutil
import pytest
from tests.support import bad_cameras as bad
from tests.support.backends import holds
from tests.support.certificates import write_certificate
from tests.support.clips import read_number, write_counter_clip
from tests.support.ingest_service import END_LIMIT_S, start_ingest
from tests.support.shared_assets import shared_folder

from marengocam.core.camera_options import Transport
from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, CameraState, Chunk
from marengocam.core.secret import Secret
from marengocam.db.hub import Hub
from marengocam.demo.rtsp import RtspServer
from marengocam.demo.rtsp.clip import Clip
from marengocam.media.faults import SENTENCES, Fault
from marengocam.settings import Settings

GOOD, CLIP_FRAMES, FPS = "good", 300, 15
SETTLE_S = 25.0  # every camera has been tried, more than once
WATCHED_S = 30.0
SETTLE_LIMIT_S = 30.0  # more, on a machine that other tests keep busy
RUN_LIMIT_S = 240
MEMORY_GROWTH_LIMIT_BYTES = 96 * 2**20  # of the ingest process within WATCHED_S, all bad cameras at once
JOIN_S = 0.1  # the good camera's chunks follow each other as closely as this
IRREGULAR = "night_ir_person_hevc_original.mp4"

RUBBISH = {
    "html": (bad.html, Fault.NOT_VIDEO),
    "silent": (bad.nothing, Fault.STALLED),
    "hangs_up": (bad.hangs_up, Fault.NOT_VIDEO),
    "garbage": (bad.garbage, Fault.NOT_VIDEO),
    "drips": (bad.drips, Fault.STALLED),
    "floods": (bad.floods, Fault.STALLED),
    "endless_header": (bad.endless_header, Fault.STALLED),
}
RUBBISH_VIDEO = {
    "drips_video": (bad.drips_video, Fault.STALLED),
    "garbage_video": (bad.garbage_video, Fault.STALLED),
}
ENCRYPTED = {  # the same rubbish, from cameras that speak RTSPS
    "html_tls": (bad.html, Fault.NOT_VIDEO),
    "silent_tls": (bad.nothing, Fault.STALLED),
    "hangs_up_tls": (bad.hangs_up, Fault.NOT_VIDEO),
    "drips_tls": (bad.drips, Fault.STALLED),
    "floods_tls": (bad.floods, Fault.STALLED),
}
DATAGRAMS = {  # from cameras that answer rightly over TCP and send rubbish over UDP
    "garbage_udp": (bad.garbage_video, Fault.STALLED),
    "dark_udp": (lambda clip: bad.goes_dark(clip, 0), Fault.STALLED),
}
LIES = {"sps_16k": (16_384, Fault.NO_SIZE), "sps_12k": (12_288, Fault.TOO_LARGE)}
OFFLINE = {
    **{name: fault for name, (_, fault) in (RUBBISH | ENCRYPTED | RUBBISH_VIDEO | DATAGRAMS | LIES).items()},
    "wrong_password": Fault.AUTH,
    "no_keyframe": Fault.NO_KEYFRAME,
}
UNSTEADY = {"cut_off": Fault.ENDED}  # some pictures each time, then nothing: in turn connecting and online


def odd_clips(clip: Path, folder: Path) -> dict[str, Clip]:
    """Return the clips of cameras that are odd, but are recorded."""
    plain = bad.load(clip)
    clips = {
        "flipped": bad.flipped(plain, 1000, seed=1),
        "one_fps": bad.load(write_counter_clip(folder / "slow.mp4", frames=60, fps=1)),
        "fps_120": bad.load(write_counter_clip(folder / "fast.mp4", frames=1200, fps=120)),
        "jumps": bad.with_times(plain, lambda second: second if second < 8 else second + 100),
        "goes_back": bad.with_times(plain, lambda second: second + 100 if second < 8 else second),
        "wraps": bad.with_times(plain, lambda second: second + bad.RTP_WRAP_S - 10),
        "rushes": bad.faster(plain, 40),
    }
    footage = shared_folder("footage")
    if footage is not None and (footage / IRREGULAR).is_file():
        clips["irregular"] = bad.load(footage / IRREGULAR)
    return clips


@contextlib.asynccontextmanager
async def cameras_of_all_kinds(clip: Path, odd: dict[str, Clip], certificate: Path) -> AsyncIterator[list[Camera]]:
    plain = bad.load(clip)
    behaviours = {name: behaviour for name, (behaviour, _) in RUBBISH.items()}
    behaviours |= {name: behaviour(plain) for name, (behaviour, _) in (RUBBISH_VIDEO | DATAGRAMS).items()}
    behaviours["cut_off"] = bad.cut_off(plain)
    clips = {
        **odd,
        **{name: bad.claiming(plain, size_px, size_px) for name, (size_px, _) in LIES.items()},
        "no_keyframe": bad.with_one_keyframe(plain, 90.0),
        GOOD: plain,
    }
    async with contextlib.AsyncExitStack() as stack:
        urls = {name: await stack.enter_async_context(bad.tcp_camera(one)) for name, one in behaviours.items()}
        for name, (behaviour, _) in ENCRYPTED.items():
            urls[name] = await stack.enter_async_context(bad.tcp_camera(behaviour, certificate))
        server = await stack.enter_async_context(bad.clips_served(clips, clip))
        urls |= {name: server.url(name) for name in clips}
        guarded = await stack.enter_async_context(RtspServer({"x": clip}, credentials=("me", "right")))
        urls["wrong_password"] = guarded.url("x")
        options: dict[str, dict[str, Any]] = {name: {"transport": Transport.UDP} for name in DATAGRAMS}
        options["wrong_password"] = {"username": "me", "password": Secret("wr0ng")}
        yield [
            Camera(name, name, url, detect=name in {GOOD, "flipped"}, **options.get(name, {}))
            for name, url in urls.items()
        ]


async def chunks_of(hub: Hub, camera_id: str) -> list[Chunk]:
    now = SystemClock().now()
    return await hub.chunks.span(camera_id, now - timedelta(hours=1), now + timedelta(hours=1))


def numbers(file: Path) -> list[int]:
    with av.open(str(file)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_every_bad_camera_is_told_and_the_good_one_beside_them_loses_nothing(
    hub: Hub, hub_settings: Settings, tmp_path: Path
) -> None:
    clip = await asyncio.to_thread(write_counter_clip, tmp_path / "counter.mp4", CLIP_FRAMES, FPS)
    odd = await asyncio.to_thread(odd_clips, clip, tmp_path)
    certificate = write_certificate(tmp_path / "camera.pem")
    settings, log = replace(hub_settings, detector="hog", chunk_s=4.0), tmp_path / "ingest.log"
    async with cameras_of_all_kinds(clip, odd, certificate) as cameras:
        await asyncio.sleep(1.0)  # the camera with one keyframe is past it
        for camera in cameras:
            await hub.cameras.add(camera)
        process = await start_ingest(settings, log)
        try:
            await asyncio.sleep(SETTLE_S)
            await all_told(hub, odd)
            seen = psutil.Process(process.pid)
            before_bytes = seen.memory_info().rss
            await asyncio.sleep(WATCHED_S)
            grown_bytes = seen.memory_info().rss - before_bytes
            told = await all_told(hub, odd)
            assert process.returncode is None, log.read_text()[-2000:]
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(END_LIMIT_S):
                assert await process.wait() == 0
    recorded_s = {name: round(sum(one.duration_s for one in await chunks_of(hub, name)), 1) for name in told}
    report(told, recorded_s, before_bytes, grown_bytes)

    assert {name: told[name] for name in OFFLINE} == {name: (CameraState.OFFLINE, told[name][1]) for name in OFFLINE}
    for name, fault in OFFLINE.items():
        assert told[name][1].startswith(SENTENCES[fault]), name
    for name, fault in UNSTEADY.items():
        assert told[name][1] in {"", SENTENCES[fault]}, name
    assert {name: told[name] for name in odd} == dict.fromkeys(odd, (CameraState.ONLINE, ""))
    assert all(recorded_s[name] > 0.8 * WATCHED_S for name in odd if name != "flipped"), recorded_s
    assert 0 < recorded_s["flipped"] < 1.2 * recorded_s[GOOD], "chunks do not overlap"
    assert grown_bytes < MEMORY_GROWTH_LIMIT_BYTES
    assert told[GOOD] == (CameraState.ONLINE, "")
    await nothing_is_lost(hub, settings)


async def all_told(hub: Hub, odd: dict[str, Clip]) -> dict[str, tuple[CameraState, str]]:
    """Return states and reasons of one moment at which all are as they should be, or else the last that were seen."""
    seen: dict[str, tuple[CameraState, str]] = {}

    async def right() -> bool:
        seen.update({name: (one.state, one.reason) for name, one in (await hub.cameras.statuses()).items()})
        online = all(seen.get(name) == (CameraState.ONLINE, "") for name in (*odd, GOOD))
        return online and all(
            seen.get(name, (None, ""))[0] is CameraState.OFFLINE and seen[name][1].startswith(SENTENCES[fault])
            for name, fault in OFFLINE.items()
        )

    with contextlib.suppress(TimeoutError):
        await holds(right, SETTLE_LIMIT_S, 0.5)
    return seen


async def nothing_is_lost(hub: Hub, settings: Settings) -> None:
    chunks = await chunks_of(hub, GOOD)
    joins_s = [(after.started_at - before.ended_at).total_seconds() for before, after in pairwise(chunks)]
    assert len(chunks) >= 10
    assert max(map(abs, joins_s)) < JOIN_S
    seen = [number for chunk in chunks for number in numbers(settings.media_dir / chunk.path)]
    assert seen == [(seen[0] + step) % CLIP_FRAMES for step in range(len(seen))]


def report(told: object, recorded_s: object, before_bytes: int, grown_bytes: int) -> None:
    result = {
        "states": {name: f"{state} {reason}" for name, (state, reason) in sorted(told.items())},
        "recorded_s": recorded_s,
        "memory_mb": round(before_bytes / 1e6),
        "grown_mb": round(grown_bytes / 1e6, 1),
    }
    artifacts = os.environ.get("MARENGOCAM_ARTIFACTS")
    if artifacts:
        (Path(artifacts) / "bad_cameras.json").write_text(json.dumps(result, indent=2))
    sys.stderr.write(f"{json.dumps(result, indent=1)}\n")


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_") and name != "MARENGOCAM_ARTIFACTS"]:
        monkeypatch.delenv(name)
