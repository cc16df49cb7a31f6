"""Recording modes on a real stream: what is kept, and that it begins before it happened."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.integration.automation.conftest import automation
from tests.support.ingest_service import ingest_here, until
from tests.support.ports import free_port
from tests.support.squares import WALK_S, SquareDetector, render_walks, square_eyes

from marengocam.core.camera_options import Recording, RecordingMode
from marengocam.core.clock import SystemClock
from marengocam.core.errors import ModelError
from marengocam.core.model import Camera, Chunk, Detection, EventType, NewEvent
from marengocam.core.rules.schema import Possible, rule_from
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.worker import Eyes
from marengocam.media.store import Store
from marengocam.settings import Settings
from marengocam.vision.appearance import ColourTexture

CLIP_S, WALK_AT_S = 16.0, 7.0
ROLL_S = 2.0
LONG_LOOK_S = 6.0  # of a detector that is nearly given up
RECORD_S = 6.0  # by a rule
NOTICED_WITHIN = timedelta(seconds=4)  # twice what is promised: test machines are slow
KEPT_LIMIT_S = 45.0  # two rounds of the clip, should the first walk be missed
MOST_ATTEMPTS = 5  # an absent camera is asked whether it answers, not opened again and again


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, face_url="off", analysis_fps=10.0)


@pytest.mark.parametrize("mode", [RecordingMode.MOTION, RecordingMode.PERSON])
async def test_what_happens_is_kept_with_the_moments_before_and_after_and_the_rest_is_not(
    hub: Hub, settings: Settings, tmp_path: Path, mode: RecordingMode
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", CLIP_S, [WALK_AT_S])
    recording = Recording(mode, pre_roll_s=ROLL_S, post_roll_s=ROLL_S)
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), recording=recording))
        async with ingest_here(hub, settings) as (_, context):

            async def closed() -> list:
                return [
                    row.track for row in await hub.tracks.list(TrackFilter(camera_id="front"), 9) if not row.track.open
                ]

            async def kept() -> bool:
                tracks = await closed()
                return bool(tracks) and context.clock.now() - tracks[-1].last_seen_at > timedelta(seconds=ROLL_S + 3)

            await until(kept, KEPT_LIMIT_S)
        track = (await closed())[-1]
        around = await hub.chunks.span("front", track.first_seen_at, track.last_seen_at)
    assert len(around) == 1
    started_at, ended_at = around[0].started_at, around[0].started_at + timedelta(seconds=around[0].duration_s)
    assert timedelta(seconds=ROLL_S - 0.5) < track.first_seen_at - started_at
    assert timedelta(seconds=ROLL_S - 1) < ended_at - track.last_seen_at
    assert around[0].duration_s < WALK_S + 2 * ROLL_S + 4, "the rest is not kept"


@pytest.mark.parametrize("mode", [RecordingMode.MOTION, RecordingMode.PERSON])
async def test_a_rule_has_a_camera_recorded_on_which_nothing_happens(
    hub: Hub, settings: Settings, tmp_path: Path, mode: RecordingMode
) -> None:
    still = render_walks(tmp_path / "still.mp4", 8.0, [])
    recording = Recording(mode, pre_roll_s=0.0, post_roll_s=1.0)
    async with RtspServer({"front": still}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), recording=recording))
        async with ingest_here(hub, settings) as (service, context), automation(hub, settings):

            async def rests() -> bool:
                """Whether what an unknown beginning is recorded for has ended, and is indexed."""
                status = (await hub.cameras.statuses()).get("front")
                looked = status is not None and status.metrics["frames_analysed"] and not status.metrics["recording"]
                growing = [file for file in Store(settings.media_dir).recordings("front") if file.suffix != ".mp4"]
                return bool(looked) and not growing and not service.health().detail["rows_waiting"]

            await until(rests)
            before = {chunk.chunk_id for chunk in await chunks(hub, context.clock.now())}
            actions = [{"record": {"duration_s": RECORD_S, "cameras": ["front"]}}]
            document = {"name": "ring", "events": ["person_confirmed"], "actions": actions}
            await hub.rules.put([rule_from(document, uuid4(), context.clock.now(), Possible())])
            rang_at = context.clock.now()
            await hub.events.append([NewEvent(uuid4(), EventType.PERSON_CONFIRMED, rang_at, person_name="Alice")])

            async def recorded() -> bool:
                return {chunk.chunk_id for chunk in await chunks(hub, context.clock.now())} != before

            await until(recorded)
    (chunk,) = [one for one in await chunks(hub, context.clock.now()) if one.chunk_id not in before]
    assert chunk.started_at < rang_at + NOTICED_WITHIN
    assert RECORD_S - NOTICED_WITHIN.total_seconds() < chunk.duration_s < RECORD_S + 6, "until the rule's time is over"


class BlindDetector(SquareDetector):
    """Does not see who passes: it fails, or takes long, whenever somebody is there."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error
        self.seen: list[datetime] = []

    def detect(self, pictures: Any, min_score: float) -> list[list[Detection]]:
        found = super().detect(pictures, min_score)
        if any(found):
            self.seen.append(SystemClock().now())
            if self._error is not None:
                raise self._error
            time.sleep(LONG_LOOK_S)
            return [[] for _ in pictures]
        return found


@pytest.mark.parametrize("error", [ModelError("It lost its weights."), RuntimeError("shape mismatch"), None], ids=str)
async def test_who_passes_while_the_detector_gives_no_answer_for_seconds_is_kept(
    hub: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    detector = BlindDetector(error)
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", lambda _: Eyes(detector, ColourTexture()))
    monkeypatch.setattr("marengocam.ingest.analysing.MODEL_RETRY_S", 1.0)
    clip = render_walks(tmp_path / "walk.mp4", CLIP_S, [WALK_AT_S])
    recording = Recording(RecordingMode.PERSON, pre_roll_s=ROLL_S, post_roll_s=ROLL_S)
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), recording=recording))
        async with ingest_here(hub, settings) as (_, context):

            async def passed() -> bool:
                return bool(detector.seen) and context.clock.now() - detector.seen[0] > timedelta(seconds=CLIP_S - 4)

            await until(passed, KEPT_LIMIT_S)
            recorded_s = await hub.chunks.recorded_s("front")
            around = await hub.chunks.span("front", detector.seen[0], detector.seen[0] + timedelta(seconds=WALK_S))
    assert len(around) == 1
    assert timedelta(seconds=ROLL_S - 0.5) < detector.seen[0] - around[0].started_at
    assert timedelta(seconds=WALK_S) < around[0].ended_at - detector.seen[0]
    assert recorded_s < around[0].duration_s + ROLL_S + 6, "the rest is not kept"


async def chunks(hub: Hub, now: datetime) -> list[Chunk]:
    return await hub.chunks.span("front", now - timedelta(minutes=5), now)


async def test_a_camera_that_is_not_to_be_recorded_is_followed_all_the_same(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", 8.0, [2.0])
    async with RtspServer({"front": clip}) as server:
        recording = Recording(RecordingMode.OFF)
        await hub.cameras.add(Camera("front", "Front", server.url("front"), recording=recording))
        async with ingest_here(hub, settings):

            async def followed() -> bool:
                return bool(await hub.tracks.list(TrackFilter(camera_id="front"), 9))

            await until(followed)
    assert await hub.chunks.recorded_s("front") == 0


async def test_a_camera_that_was_away_for_long_is_recorded_at_once_when_it_is_back(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", 8.0, [2.0])
    async with ingest_here(hub, replace(settings, chunk_s=2.0)) as (service, context):

        def state() -> str | None:
            return service.health().detail["cameras"].get("front")

        async def recorded() -> bool:
            return await hub.chunks.recorded_s("front") > 1

        async def offline() -> bool:
            return state() == "offline"

        async def online() -> bool:
            return state() == "online"

        port = free_port()
        async with RtspServer({"front": clip}, port=port) as server:
            await hub.cameras.add(Camera("front", "Front", server.url("front")))
            await until(recorded)
        await until(offline)
        async with RtspServer({"front": clip}, port=port):
            back_at = context.clock.now()
            await until(online)
            status = (await hub.cameras.statuses())["front"]
            assert context.clock.now() - back_at < NOTICED_WITHIN, "the backoff of a long absence does not count"
            assert status.metrics["reconnects"] < MOST_ATTEMPTS
