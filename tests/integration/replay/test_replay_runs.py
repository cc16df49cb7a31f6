"""Replays of recordings on a real hub: the same again, and nothing live is touched."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.ingest_service import environment_of, ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.model import Camera, EventType
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.media.store import RecordingName
from marengocam.replay import run as replay_run
from marengocam.replay.pieces import FIRST_MOMENT
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIP_S = 6.0


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    eyes = square_eyes()
    monkeypatch.setattr(replay_run, "load_detector", lambda *_: eyes.detector)
    monkeypatch.setattr(replay_run, "load_appearance_encoder", lambda *_: eyes.appearance)
    return replace(hub_settings, face_url="off", analysis_fps=10.0)


@pytest.fixture
def recorded(settings: Settings) -> Path:
    """Three recordings of camera `front` from noon on; somebody walks in the second."""
    for number, starts in enumerate(([], [1.0], [])):
        name = RecordingName("front", NOON + timedelta(seconds=number * CLIP_S), uuid4())
        file = settings.media_dir / name.path
        file.parent.mkdir(parents=True, exist_ok=True)
        render_walks(file, CLIP_S, starts)
    return settings.media_dir / "recordings" / "front"


async def everything_live(hub: Hub) -> list[tuple[str, int]]:
    async with hub.database.connection() as connection:
        names = ("identity", "assignment", "exemplar", "chunk", "camera_status", "lease")
        counts = [(name, await connection.fetchval(f"SELECT count(*) FROM {name}")) for name in names]
        live = await connection.fetchval("SELECT count(*) FROM local_track WHERE run_id IS NULL")
    return [*counts, ("live tracks", live)]


async def test_the_same_video_gives_the_same_report_with_times_of_the_media(
    settings: Settings, hub: Hub, recorded: Path
) -> None:
    request = ReplayRequest(f"file://{recorded}", camera_id="front")
    first = await replay_source(settings, request)
    assert first.to_json() == (await replay_source(settings, request)).to_json()
    assert first.files == 3
    assert first.video_s == pytest.approx(3 * CLIP_S, abs=0.5)
    assert first.frames == 180
    (walk,) = first.tracks
    began = datetime.fromisoformat(walk["first_seen_at"]) - NOON - timedelta(seconds=CLIP_S + 1)
    assert timedelta(0) <= began < timedelta(seconds=0.5)


async def test_files_without_a_date_follow_each_other(settings: Settings, hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    for name in ("a", "b"):
        render_walks(folder / f"{name}.mp4", CLIP_S, [1.0])
    report = await replay_source(settings, ReplayRequest(f"file://{folder}"))
    begins = [datetime.fromisoformat(track["first_seen_at"]) for track in report.tracks]
    assert [round((begin - FIRST_MOMENT).total_seconds()) for begin in begins] == [1, 1 + CLIP_S]


async def test_a_run_is_saved_apart_and_compared_with_live(settings: Settings, hub: Hub, recorded: Path) -> None:
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    first_run = await hub.replays.request("front", NOON)
    await replay_source(settings, ReplayRequest(f"file://{recorded}", "front", first_run))
    (row,) = await hub.tracks.list(TrackFilter(run_id=first_run), 10)
    found = (await hub.tracks.get(row.track.local_track_id)).track
    # The same walk and one that is not in the video, as if they had been found live.
    lease = await hub.leases.acquire("camera:front", "test", 60)
    live = replace(found, local_track_id=uuid4(), run_id=None)
    earlier = timedelta(seconds=CLIP_S)
    ghost = replace(
        live,
        local_track_id=uuid4(),
        first_seen_at=live.first_seen_at - earlier,
        last_seen_at=live.last_seen_at - earlier,
        path=tuple(replace(point, at=point.at - earlier) for point in live.path),
    )
    await hub.tracks.save([live, ghost], {"front": lease.fence})
    before, events_before = await everything_live(hub), await hub.events.last_number()

    second_run = await hub.replays.request("front", NOON)
    report = await replay_source(
        settings, ReplayRequest(f"file://{recorded}", "front", second_run, NOON, NOON + timedelta(minutes=1))
    )

    assert report.difference is not None
    assert report.difference.in_both == 1
    assert report.difference.only_replay == ()
    assert report.difference.only_live == (f"person {ghost.first_seen_at.isoformat()}",)
    assert await everything_live(hub) == before, "a replay touches nothing live"
    told = await hub.events.after(events_before, 10)
    assert [(event.type, event.data["run_id"]) for event in told] == [(EventType.REPLAY_FINISHED, str(second_run))]
    assert (await hub.replays.get(second_run)).state == "finished"
    assert not (settings.media_dir / "pictures").exists()


async def test_only_the_stretch_that_is_asked_for_is_replayed(settings: Settings, hub: Hub, recorded: Path) -> None:
    until_walk = NOON + timedelta(seconds=CLIP_S)
    report = await replay_source(settings, ReplayRequest(f"file://{recorded}", "front", to_at=until_walk))
    assert (report.files, report.tracks) == (1, [])
    with pytest.raises(NotFoundError):
        await replay_source(settings, ReplayRequest(f"file://{recorded}", "front", from_at=NOON + timedelta(days=1)))
    with pytest.raises(BadInputError):
        await replay_source(settings, ReplayRequest(f"file://{recorded}/no_such_folder"))


async def test_a_requested_run_is_carried_out_by_a_process_of_its_own_and_its_failure_told(
    hub: Hub, hub_settings: Settings, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(hub_settings, detector="hog", face_url="off")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    good = await hub.replays.request("front", NOON, from_at=NOON, to_at=NOON + timedelta(seconds=3), debug=True)
    bad = await hub.replays.request("nobody", NOON)
    async with ingest_here(hub, settings):

        async def ended() -> bool:
            states = [(await hub.replays.get(run_id)).state for run_id in (good, bad)]
            return not {"requested", "running"} & set(states)

        await until(ended, 40)
    assert (await hub.replays.get(good)).state == "finished", (await hub.replays.get(good)).reason
    assert (await hub.replays.get(good)).report["frames"] == 30
    assert "motion=" in (settings.data_dir / "replays" / f"{good}.log").read_text()
    failed = await hub.replays.get(bad)
    assert failed.state == "failed"
    assert "neither a file nor a folder" in failed.reason
    states = [event.data["state"] for event in await hub.events.after(0, 10)]
    assert states == ["finished", "failed"]


async def test_a_run_cut_short_by_the_end_of_the_service_is_not_left_running(
    hub: Hub, hub_settings: Settings, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(hub_settings, detector="hog", face_url="off")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    run_id = await hub.replays.request("front", NOON)
    async with ingest_here(hub, settings):

        async def taken() -> bool:
            return (await hub.replays.get(run_id)).state == "running"

        await until(taken)
        await asyncio.sleep(0.2)
    run = await hub.replays.get(run_id)
    assert run.state == "failed"
    assert "ask for it again" in run.reason


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_")]:
        monkeypatch.delenv(name)
