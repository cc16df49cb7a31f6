"""What survival mode has decoded less of: each picture that is handed on is whole, and keyframes alone come at once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.support.clips import counter_picture, read_number
from tests.support.squares import SquareDetector

from marengocam.core.clock import SystemClock
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState
from marengocam.core.survival import LAST_LEVEL
from marengocam.ingest.analysing import Analysis
from marengocam.ingest.camera_state import CameraHealth, Condition
from marengocam.ingest.decode_queue import DecodeQueue, QueuedPacket
from marengocam.ingest.decoding import SessionDecoder
from marengocam.ingest.frame_analysis import FrameAnalyser
from marengocam.ingest.isolated_decoder import IsolatedDecoder
from marengocam.ingest.recording_modes import Sights
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader
from marengocam.vision.appearance import ColourTexture

FRAMES, FPS, GROUP = 120, 15, 30
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
LIKE = 2.0  # grey levels: what coding twice does to a picture
ENCODERS = {
    "h264": ("libx264", {"bf": "0"}),
    "h264 with B": ("libx264", {"bf": "3", "b-pyramid": "none"}),
    "h264 with B that others refer to": ("libx264", {"bf": "3", "b-pyramid": "normal", "refs": "4"}),
    "h265": ("libx265", {"x265-params": f"bframes=0:keyint={GROUP}:log-level=none"}),
    "h265 with B": ("libx265", {"x265-params": f"bframes=4:b-pyramid=1:keyint={GROUP}:log-level=none"}),
}


@pytest.fixture(scope="module", params=ENCODERS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip in which everything moves."""
    name, options = ENCODERS[request.param]
    file = tmp_path_factory.mktemp("steps") / "clip.mp4"
    ground = np.random.default_rng(1).integers(40, 200, (12, 48, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(file), "w") as container:
        stream = container.add_stream(name, rate=FPS, options={"g": str(GROUP), "preset": "medium"} | options)
        stream.width, stream.height, stream.pix_fmt = 384, 192, "yuv420p"
        for number in range(FRAMES):
            walker = np.roll(ground, number * 3, axis=1)
            walker[20:80, number * 7 % 350 :][:, :30] = (250, 230, 40)
            picture = np.vstack([counter_picture(number, 384, 192)[:96], walker])
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def packets(clip: Path) -> Iterator[QueuedPacket]:
    with StreamReader(f"file://{clip}", StreamOptions(), SystemClock(), STARTED_AT) as reader:
        for packet in reader:
            yield QueuedPacket(packet, 1, reader.info, reader.video)


@pytest.fixture(scope="module")
def truth(clip: Path) -> dict[datetime, np.ndarray]:
    """Every picture, by when it was filmed."""
    with av.open(str(clip)) as container:
        frames = list(container.decode(video=0))
    assert [read_number(frame.to_ndarray(format="gray")) for frame in frames] == list(range(FRAMES))
    decoder = SessionDecoder()
    shown = [(at, frame) for queued in packets(clip) for frame, at in decoder.frames(queued)]
    return {at: frame.to_ndarray(format="gray") for at, frame in [*shown, *((at, one) for one, at in decoder.rest())]}


def unlike(picture: np.ndarray, whole: np.ndarray) -> float:
    return float(np.abs(picture.astype(np.int16) - whole.astype(np.int16)).mean())


@pytest.mark.parametrize("skip_frame", ["NONREF", "BIDIR", "NONKEY"])
def test_what_is_decoded_at_a_step_is_whole(clip: Path, truth: dict[datetime, np.ndarray], skip_frame: str) -> None:
    decoder = SessionDecoder()
    decoder.skip_frame = skip_frame
    shown = [(frame, at) for queued in packets(clip) for frame, at in decoder.frames(queued)]
    assert shown
    damaged = [at for frame, at in shown if unlike(frame.to_ndarray(format="gray"), truth[at]) > LIKE]
    assert damaged == []


@pytest.mark.parametrize("make", [None, IsolatedDecoder], ids=["here", "isolated"])
def test_a_keyframe_that_stands_alone_is_handed_over_at_once(
    clip: Path, truth: dict[datetime, np.ndarray], make: type[IsolatedDecoder] | None
) -> None:
    decoder, keyframes = SessionDecoder(make), 0
    for queued in packets(clip):
        if queued.packet.keyframe:
            keyframes += 1
            ((frame, at),) = decoder.frames(queued, alone=True)
            assert at == queued.packet.at
            assert unlike(frame.to_ndarray(format="gray"), truth[at]) < LIKE
    decoder.close()
    assert keyframes >= FRAMES / GROUP


def test_analysis_sees_only_whole_pictures_when_it_goes_on_in_the_middle_of_a_group(
    clip: Path, truth: dict[datetime, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, health = SystemClock(), CameraHealth(Condition(CameraState.ONLINE, "", STARTED_AT))
    camera = Camera("front", "Front", "rtsp://192.0.2.1/front")
    analysis = Analysis(
        camera,
        DecodeQueue(),
        store=Store(tmp_path),
        clock=clock,
        fps=FPS,
        health=health,
        sights=Sights(),
        on_result=lambda _: None,
        feed_watchdog=lambda: None,
    )
    eyes = (SquareDetector(), ColourTexture())
    analysis.analyser = FrameAnalyser(camera, *eyes, min_score=0.4, new_id=new_id, seconds=clock.monotonic_s)
    shown: list[tuple[np.ndarray, datetime]] = []
    monkeypatch.setattr(analysis, "_frame", lambda picture, at: shown.append((picture.to_ndarray(format="gray"), at)))
    for number, queued in enumerate(packets(clip)):
        analysis.shedding.floor = LAST_LEVEL if GROUP * 1.3 < number < GROUP * 2.4 else 0
        analysis._take(queued)
    damaged = [at for picture, at in shown if unlike(picture, truth[at]) > LIKE]
    assert damaged == []
    counters = health.counters
    assert FRAMES / 3 < counters.frames_decoded == len(shown)
    assert counters.packets_skipped > GROUP / 2, "what was passed over counts as that"
    assert counters.frames_decoded + counters.packets_skipped + counters.frames_undecoded == FRAMES
