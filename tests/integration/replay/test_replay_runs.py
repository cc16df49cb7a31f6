"""Replays of recordings on a real hub: the same again, and nothing live is touched."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import pytest
from tests.support.ingest_service import environment_of, ingest_here, until
from tests.support.replay_eyes import ALICE_FACE, squares, squares_with_faces
from tests.support.squares import render_walks

from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.model import Camera, CameraState, Embedding, EventType
from marengocam.db.cameras import CameraStatus
from marengocam.db.hub import Hub
from marengocam.db.isolation import isolated
from marengocam.db.tracks import TrackFilter
from marengocam.db.word_changes import Speaker
from marengocam.media.names import RecordingName
from marengocam.replay.control import CancelledRunError
from marengocam.replay.eyes import Eyes
from marengocam.replay.folder import RunFolder, canonical
from marengocam.replay.overrides import checked
from marengocam.replay.pieces import FIRST_MOMENT
from marengocam.replay.places import remove_folder, run_place
from marengocam.replay.run import ReplayRequest, one_after_another, replay_source
from marengocam.replay.steering import behind
from marengocam.settings import Settings
from marengocam.vision.appearance import ColourTexture

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIP_S = 6.0


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
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


async def everything_live(hub: Hub) -> list[tuple[str, str]]:
    """Return a digest of every live table: counts would miss a changed row."""
    names = ("identity", "assignment", "exemplar", "person", "chunk", "camera_status", "lease", "word", "denial")
    async with hub.database.connection() as connection:
        told = []
        for name in names:
            query = f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM public.{name} t"
            told.append((name, await connection.fetchval(query)))
        live = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM local_track t WHERE run_id IS NULL"
        return [*told, ("live tracks", await connection.fetchval(live))]


async def test_the_same_video_gives_the_same_report_with_times_of_the_media(
    settings: Settings, hub: Hub, recorded: Path
) -> None:
    request = ReplayRequest(f"file://{recorded}", camera_id="front")
    first = await replay_source(settings, request, eyes_of=squares)
    assert first.to_json() == (await replay_source(settings, request, eyes_of=squares)).to_json()
    report = first.report
    assert report["files"] == 3
    assert report["video_s"] == pytest.approx(3 * CLIP_S, abs=0.5)
    assert report["frames"] == 180
    (walk,) = report["tracks"]
    began = datetime.fromisoformat(walk["first_seen_at"]) - NOON - timedelta(seconds=CLIP_S + 1)
    assert timedelta(0) <= began < timedelta(seconds=0.5)
    assert [event["type"] for event in report["events"]] == ["person_detected", "person_unknown"]
    assert first.pictures[walk["picture"]].startswith(b"\xff\xd8")


async def test_files_without_a_date_follow_each_other(settings: Settings, hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    for name in ("a", "b"):
        render_walks(folder / f"{name}.mp4", CLIP_S, [1.0])
    (folder / "c.mp4").write_bytes(b"no video at all")
    report = (await replay_source(settings, ReplayRequest(f"file://{folder}"), eyes_of=squares)).report
    begins = [datetime.fromisoformat(track["first_seen_at"]) for track in report["tracks"]]
    assert [round((begin - FIRST_MOMENT).total_seconds()) for begin in begins] == [1, 1 + CLIP_S]


async def test_units_give_the_same_tracks_in_any_order_and_one_over_their_edge_is_one(
    settings: Settings, hub: Hub, recorded: Path
) -> None:
    """The walk of 12:00:07 to 12:00:10 goes over the edge at 12:00:08 of units of 8 s."""

    def backwards(jobs, eyes, control, done) -> None:
        one_after_another(list(reversed(jobs)), eyes, control, done)

    request = ReplayRequest(f"file://{recorded}", camera_id="front")
    whole = (await replay_source(settings, request, eyes_of=squares)).report
    cut = replace(request, unit_s=8.0)
    forwards = await replay_source(settings, cut, eyes_of=squares)
    assert forwards.to_json() == (await replay_source(settings, cut, eyes_of=squares, units_by=backwards)).to_json()
    assert (whole["units"], forwards.report["units"]) == (1, 3)
    (walk,), (one,) = whole["tracks"], forwards.report["tracks"]
    assert one["track_id"] == walk["track_id"]
    for when in ("first_seen_at", "last_seen_at"):
        assert abs(datetime.fromisoformat(one[when]) - datetime.fromisoformat(walk[when])) < timedelta(seconds=0.5)
    assert [event["type"] for event in forwards.report["events"]] == [event["type"] for event in whole["events"]]


async def test_a_run_is_saved_apart_and_compared_with_live(settings: Settings, hub: Hub, recorded: Path) -> None:
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    first_run = await asked_for(hub)
    await replay_source(settings, ReplayRequest(run_id=first_run, camera_id="front"), eyes_of=squares)
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

    second_run = await asked_for(hub)
    await replay_source(settings, ReplayRequest(run_id=second_run, camera_id="front"), eyes_of=squares)

    run = await hub.replays.get(second_run)
    assert run.state == "finished"
    told = run.report["difference"]
    assert (told["in_both"], told["found"], told["lost"]) == (1, 0, 1)
    assert await everything_live(hub) == before, "a replay touches nothing live"
    events = await hub.events.after(events_before, 10)
    assert [(event.type, event.data["run_id"]) for event in events] == [(EventType.REPLAY_FINISHED, str(second_run))]
    assert not (settings.media_dir / "pictures").exists()
    # Both runs, whatever they are called, came to the same.
    reports = [RunFolder(settings.media_dir, run_id).report() for run_id in (first_run, second_run)]
    assert canonical(reports[0]["tracks"]) == canonical(reports[1]["tracks"])

    await hub.replays.remove(second_run)
    remove_folder(settings.media_dir, second_run)
    assert await hub.tracks.list(TrackFilter(run_id=second_run), 10) == []
    assert not run_place(settings.media_dir, second_run).exists()
    assert await everything_live(hub) == before


async def test_who_it_would_have_been_is_told_and_nobody_live_is_changed(
    settings: Settings, hub: Hub, recorded: Path
) -> None:
    alice = await hub.persons.add("Alice", NOON - timedelta(days=2))
    await hub.persons.add_exemplar(alice.person_id, ALICE_FACE, NOON - timedelta(days=2))
    before = await everything_live(hub)
    settings = replace(settings, face_url="")
    request = ReplayRequest(f"file://{recorded}", camera_id="front")

    replayed = await replay_source(settings, request, eyes_of=squares_with_faces)

    (walk,) = replayed.report["tracks"]
    assert walk["person_name"] == "Alice"
    assert walk["probability"] > 0.95
    assert walk["evidence"]["cues"][0]["cue"] == "face"
    confirmed = next(event for event in replayed.report["events"] if event["type"] == "person_confirmed")
    assert confirmed["person_name"] == "Alice"
    assert await everything_live(hub) == before
    assert await hub.events.last_number() == 0
    again = await replay_source(settings, request, eyes_of=squares_with_faces)
    assert again.to_json() == replayed.to_json()
    # As the galleries were before she was known, she is nobody.
    earlier = replace(request, gallery_at=NOON - timedelta(days=3))
    unknown = await replay_source(settings, earlier, eyes_of=squares_with_faces)
    assert unknown.report["tracks"][0]["person_name"] is None
    assert unknown.report["gallery"]["persons"] == 0


async def test_the_session_of_a_replay_cannot_write_a_live_table(hub: Hub, recorded: Path) -> None:
    around = ("front", NOON, NOON + timedelta(minutes=1), NOON)
    async with isolated(hub.database, *around) as isolation:
        for order in ("DELETE FROM public.person", "INSERT INTO public.event_counter VALUES (true, 9)"):
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await isolation._connection.execute(order)


async def test_only_the_stretch_that_is_asked_for_is_replayed(settings: Settings, hub: Hub, recorded: Path) -> None:
    async def replayed(**more) -> dict:
        request = ReplayRequest(f"file://{recorded}", "front", **more)
        return (await replay_source(settings, request, eyes_of=squares)).report

    report = await replayed(to_at=NOON + timedelta(seconds=CLIP_S))
    assert (report["files"], report["tracks"]) == (1, [])
    with pytest.raises(NotFoundError):
        await replayed(from_at=NOON + timedelta(days=1))
    with pytest.raises(BadInputError):
        await replay_source(settings, ReplayRequest(f"file://{recorded}/no_such_folder"), eyes_of=squares)


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_run_looks_at_no_clothes_where_that_is_switched_off_altogether(
    settings: Settings, hub: Hub, recorded: Path, *, allowed: bool
) -> None:
    encoded: list[int] = []

    class CountedLooks(ColourTexture):
        def encode(self, crops: Sequence[np.ndarray]) -> list[Embedding]:
            encoded.append(len(crops))
            return super().encode(crops)

    def eyes_of(settings: Settings, overrides: dict[str, str]) -> Eyes:
        return replace(squares(settings, overrides), appearance=CountedLooks())

    request = ReplayRequest(f"file://{recorded}", "front")
    found = await replay_source(replace(settings, appearance=allowed), request, eyes_of=eyes_of)
    assert found.report["tracks"]
    assert bool(encoded) == allowed


async def test_what_a_run_changes_holds_for_it_alone(settings: Settings, hub: Hub, recorded: Path) -> None:
    request = ReplayRequest(f"file://{recorded}", "front", overrides={"labels": "car", "movement": "off"})
    assert (await replay_source(settings, request, eyes_of=squares)).report["tracks"] == []
    for wrong in ({"retention_days": "1"}, {"analysis_fps": "many"}, {"model.detector": "elsewhere.pt"}):
        with pytest.raises(BadInputError):
            checked(wrong, settings)


async def test_a_run_goes_on_where_its_process_died(settings: Settings, hub: Hub, recorded: Path) -> None:
    run_id = await asked_for(hub)
    request = ReplayRequest(run_id=run_id, camera_id="front", unit_s=6.0)
    looked_at: list[int] = []

    def dies_in_the_second(jobs, eyes, control, done) -> None:
        for job in jobs:
            if len(looked_at) == 1:
                raise KeyboardInterrupt
            looked_at.append(job.unit.number)
            one_after_another([job], eyes, control, done)

    with pytest.raises(KeyboardInterrupt):
        await replay_source(settings, request, eyes_of=squares, units_by=dies_in_the_second)

    def counts(jobs, eyes, control, done) -> None:
        looked_at.extend(job.unit.number for job in jobs)
        one_after_another(jobs, eyes, control, done)

    replayed = await replay_source(settings, request, eyes_of=squares, units_by=counts)
    assert looked_at == [0, 1, 2], "the finished unit stays finished"
    whole = await replay_source(settings, replace(request, run_id=None), eyes_of=squares)
    assert replayed.to_json() == whole.to_json()


async def test_a_run_is_paused_stepped_and_cancelled_by_its_owner(settings: Settings, hub: Hub, recorded: Path) -> None:
    run_id = await asked_for(hub, pace="step")
    request = ReplayRequest(run_id=run_id, camera_id="front", pace="step")
    going = asyncio.create_task(replay_source(settings, request, eyes_of=squares))

    async def at() -> str | None:
        return (await hub.replays.get(run_id)).progress.get("at")

    async def waits() -> bool:  # at a frame
        told = (await hub.replays.get(run_id)).progress
        return told.get("at") is not None and "next step" in told["waits_for"]

    await until(waits)
    first = await at()
    await hub.replays.control(run_id, NOON, steps=3)

    async def three_frames_on() -> bool:
        told = await at()
        return told is not None and first is not None and told > first and await waits()

    await until(three_frames_on)
    assert datetime.fromisoformat(await at()) - NOON < timedelta(seconds=1)
    await hub.replays.control(run_id, NOON, wish="cancel")
    with pytest.raises(CancelledRunError):
        await going
    assert await hub.tracks.list(TrackFilter(run_id=run_id), 10) == []


def test_a_run_waits_while_a_live_camera_lags() -> None:
    def status(lag_s: float, age_s: float = 0.0, shed: int = 0) -> CameraStatus:
        metrics = {"analysis_lag_s": lag_s, "shed_level": shed}
        return CameraStatus("yard", CameraState.ONLINE, "", NOON, NOON, metrics=metrics, silent_s=age_s)

    assert "yard" in behind([status(2.0)])
    assert "yard" in behind([status(0.1, shed=1)])
    assert behind([status(0.1)]) == ""
    assert behind([status(9.0, age_s=60)]) == "", "nobody serves that camera any more"
    assert "yard" in behind([status(0.7)], "live camera yard, which lags behind"), "not to and fro"


@pytest.mark.timeout(240)  # a replay is last in line for processors
async def test_a_requested_run_is_carried_out_by_a_process_of_its_own_and_its_failure_told(
    hub: Hub, hub_settings: Settings, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(hub_settings, detector="hog", face_url="off")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    stretch = {"from_at": NOON, "to_at": NOON + timedelta(seconds=3)}
    good = await hub.replays.request("front", NOON, debug=True, **stretch)
    bad = await hub.replays.request("nobody", NOON)
    why_at = NOON + timedelta(seconds=CLIP_S + 2)
    why = await hub.replays.request("front", NOON, why_at=why_at)
    gone = run_place(settings.media_dir, uuid4())
    gone.mkdir(parents=True)
    async with ingest_here(hub, settings):

        async def ended() -> bool:
            return all([(await hub.replays.get(run_id)).ended for run_id in (good, bad, why)])

        await until(ended, 200)
    assert (await hub.replays.get(good)).state == "finished", (await hub.replays.get(good)).reason
    assert (await hub.replays.get(good)).report["frames"] == 30
    assert "motion=" in (run_place(settings.media_dir, good) / "run.log").read_text()
    failed = await hub.replays.get(bad)
    assert failed.state == "failed"
    assert "neither a file nor a folder" in failed.reason
    explained = await hub.replays.get(why)
    assert explained.state == "finished", explained.reason
    assert explained.report["answer"]
    assert "data:image/jpeg;base64," in RunFolder(settings.media_dir, why).page()
    states = sorted(event.data["state"] for event in await hub.events.after(0, 10))
    assert states == ["failed", "finished", "finished"]
    assert not gone.exists(), "what a removed run left is deleted"


async def test_a_run_cut_short_by_the_end_of_the_service_waits_for_the_next(
    hub: Hub, hub_settings: Settings, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(hub_settings, detector="hog", face_url="off")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    run_id = await hub.replays.request("front", NOON, pace="step")
    async with ingest_here(hub, settings):

        async def taken() -> bool:
            return (await hub.replays.get(run_id)).state == "running"

        await until(taken)
    run = await hub.replays.get(run_id)
    assert (run.state, run.attempts) == ("requested", 0)
    await hub.replays.control(run_id, NOON, wish="cancel")
    assert await hub.replays.claim(NOON) is None
    assert (await hub.replays.get(run_id)).state == "cancelled"


@pytest.mark.timeout(240)  # a replay is last in line for processors
async def test_a_run_whose_person_is_erased_meanwhile_leaves_nothing(
    hub: Hub, hub_settings: Settings, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(hub_settings, detector="hog", face_url="off")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    alice = await hub.persons.add("Alice", NOON)
    run_id = await hub.replays.request("front", NOON, pace="step")
    place = run_place(settings.media_dir, run_id)
    async with ingest_here(hub, settings):

        async def looked_at() -> bool:
            return bool((await hub.replays.get(run_id)).progress) and place.exists()

        await until(looked_at, 100)
        erased = await hub.privacy.erase(alice.person_id, Speaker("test", NOON))
        assert erased.run_ids == (run_id,)

        async def gone() -> bool:
            return not place.exists()

        await until(gone, 100)


async def asked_for(hub: Hub, **more) -> UUID:
    """Return a run that a process has taken."""
    run_id = await hub.replays.request("front", NOON, **more)
    assert (await hub.replays.claim(SystemClock().now())).run_id == run_id
    return run_id


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_")]:
        monkeypatch.delenv(name)
