"""A detector or appearance model that never answers costs its part of analysis, and no picture of a recording."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.hung_calls import Hang, HangingDetector, HangingEncoder
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import SquareDetector, render_walks

from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.answering_eyes import APPEARANCE_ANEW, BLIND, LOADED_ANEW, NO_APPEARANCE
from marengocam.ingest.movement import MOVEMENT
from marengocam.ingest.service import IngestService
from marengocam.settings import Settings
from marengocam.vision.appearance import ColourTexture

NOW = datetime.now(UTC)  # noqa: TID251 - recordings are dated by the real clock
A_DAY = (NOW - timedelta(hours=12), NOW + timedelta(hours=12))
LONGEST_GAP = timedelta(seconds=0.3)  # between two recordings: pictures come every tenth of a second
LIMIT_S = 3  # of an answer
DEALT_WITH = ("frames_decoded", "packets_skipped", "frames_lost", "frames_undecoded")


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.vision.answering.ANSWER_LIMIT_S", LIMIT_S)
    monkeypatch.setattr("marengocam.ingest.analysing.MODEL_RETRY_S", 1.0)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Hang]]:
    """One for each detector that is loaded."""
    made: list[Hang] = []

    def load(*_: object) -> HangingDetector:
        made.append(Hang(on=len(made) < 2))
        return HangingDetector(made[-1])

    monkeypatch.setattr("marengocam.ingest.loading.load_detector", load)
    monkeypatch.setattr("marengocam.vision.detectors.choice.load_detector", load)
    yield made
    for hang in made:
        hang.let_go()


async def told(service: IngestService, reason: str) -> None:
    async def says_so() -> bool:
        return service.health().reason == reason

    await until(says_so)


async def labels(hub: Hub, since: datetime) -> set[str]:
    rows = await hub.tracks.list(TrackFilter(camera_id="front"), 50)
    return {row.track.label for row in rows if row.track.first_seen_at > since}


async def assert_whole(hub: Hub) -> None:
    chunks = await hub.chunks.span("front", *A_DAY)
    assert len(chunks) >= 3
    assert max(b.started_at - a.ended_at for a, b in pairwise(chunks)) < LONGEST_GAP


async def test_a_detector_that_hangs_leaves_movement_and_every_recording(
    hub: Hub, settings: Settings, hangs: list[Hang], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Movement is told of after three seconds of it: no picture of a walk of three could be passed over.
    monkeypatch.setattr("tests.support.squares.WALK_S", 6.0)
    clip = render_walks(tmp_path / "walks.mp4", 16.0, [0.0, 8.0])
    async with RtspServer({"front": clip, "back": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        await hub.cameras.add(Camera("back", "Back", server.url("back")))
        async with ingest_here(hub, settings) as (service, context):

            async def both_hang() -> bool:
                return len(hangs) == 2 and hangs[1].held.is_set()

            await until(both_hang)
            await told(service, BLIND)
            blind_at = context.clock.now()

            async def movement() -> bool:
                return MOVEMENT in await labels(hub, blind_at)

            await until(movement)
            assert (service.health().reason, len(hangs)) == (BLIND, 2), "no third one while two hang"
            hangs[0].let_go()
            await told(service, LOADED_ANEW)
            again_at = context.clock.now()

            async def persons() -> bool:
                return "person" in await labels(hub, again_at)

            await until(persons)
            hangs[1].let_go()
            await told(service, "")

            async def accounted_for() -> bool:
                """Whether every picture was dealt with, but for a few under way, when what waited is caught up."""
                figures = (await hub.cameras.statuses())["front"].metrics
                waiting = figures["frames_received"] - sum(figures[name] for name in DEALT_WITH)
                assert waiting >= 0
                return waiting <= 15

            await until(accounted_for)
    await assert_whole(hub)


async def test_an_appearance_model_that_hangs_leaves_people_followed(
    hub: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang, loaded = Hang(on=True), []

    def load(*_: object) -> ColourTexture:
        loaded.append(HangingEncoder(hang))
        return loaded[-1]

    monkeypatch.setattr("marengocam.ingest.loading.load_detector", lambda *_: SquareDetector())
    monkeypatch.setattr("marengocam.ingest.loading.load_appearance_encoder", load)
    clip = render_walks(tmp_path / "walks.mp4", 6.0, [0.0, 3.0])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings) as (service, context):

            async def gone() -> bool:
                return len(loaded) == 2 and service.health().reason == NO_APPEARANCE

            await until(gone)
            gone_at = context.clock.now()

            async def followed() -> bool:
                return "person" in await labels(hub, gone_at)

            await until(followed)
            hang.let_go()

            async def known_again() -> bool:
                rows = await hub.tracks.list(TrackFilter(camera_id="front"), 50)
                tracks = [(await hub.tracks.get(row.track.local_track_id)).track for row in rows]
                return any(one.appearance is not None for one in tracks if one.first_seen_at > gone_at)

            await until(known_again)
            assert service.health().reason in {"", APPEARANCE_ANEW}
    await assert_whole(hub)
