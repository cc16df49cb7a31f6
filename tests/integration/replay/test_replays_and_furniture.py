"""What the live camera had learned to be furniture is none of a replay's people; a replay teaches it nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.support.replay_eyes import squares
from tests.support.squares import chair_learned_at, render_walks

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, Chunk
from marengocam.ingest.furniture import LEARNED_AFTER
from marengocam.media.disk_thread import DiskThreads
from marengocam.media.names import RecordingName
from marengocam.media.store import Store
from marengocam.replay.kept_cases import add_case
from marengocam.replay.run import ReplayRequest, one_after_another, replay_source
from marengocam.replay.suite import run_cases
from marengocam.replay.why import why

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIP_S = 6.0
WALK, WALK_AND_CHAIR = 1, 2


@pytest.fixture
async def settings(hub, hub_settings):
    """Those of a home whose camera `front` recorded a walk below a chair from noon on."""
    name = RecordingName("front", NOON, uuid4())
    file = hub_settings.media_dir / name.path
    file.parent.mkdir(parents=True)
    render_walks(file, CLIP_S, [1.0], chair=True)
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.chunks.add([Chunk(name.chunk_id, "front", NOON, CLIP_S, 1, name.path, "h264", 320, 180)])
    return replace(hub_settings, face_url="off", analysis_fps=10.0)


async def replayed(settings, units_by=one_after_another, **changes):
    return await replay_source(
        settings, ReplayRequest(camera_id="front", **changes), eyes_of=squares, units_by=units_by
    )


async def test_what_had_been_learned_by_then_is_nobody_and_the_camera_learns_nothing_of_it(hub, settings):
    assert len((await replayed(settings)).report["tracks"]) == WALK_AND_CHAIR, "nothing is learned"
    learned = chair_learned_at(NOON - timedelta(hours=1))
    await hub.memory.keep_furniture("front", learned)
    with_it = await replayed(settings)
    assert len(with_it.report["tracks"]) == WALK
    assert with_it.to_json() == (await replayed(settings)).to_json()
    assert await hub.memory.furniture("front") == learned
    shown = await replayed(settings, overrides={"learn_furniture": "off"})
    assert len(shown.report["tracks"]) == WALK_AND_CHAIR, "what it hides can be shown"


async def test_what_was_learned_later_hides_nothing_of_before(hub, settings):
    await hub.memory.keep_furniture("front", chair_learned_at(NOON + timedelta(seconds=3)))
    assert len((await replayed(settings)).report["tracks"]) == WALK_AND_CHAIR


async def test_what_an_older_version_learned_counts_from_the_earliest_moment_it_can_have_been(hub, settings):
    for age, seen in ((timedelta(hours=1), WALK), (timedelta(0), WALK_AND_CHAIR)):
        learned_at = NOON + timedelta(minutes=5) - age
        as_before = {"since": (learned_at - LEARNED_AFTER).isoformat(), "learned_at": None}
        await hub.memory.keep_furniture("front", [one | as_before for one in chair_learned_at(learned_at)])
        assert len((await replayed(settings)).report["tracks"]) == seen


async def test_a_run_made_again_after_a_crash_knows_what_it_knew_at_first(hub, settings):
    await hub.memory.keep_furniture("front", chair_learned_at(NOON - timedelta(hours=1)))
    run_id = await hub.replays.request("front", SystemClock().now())
    await hub.replays.claim(SystemClock().now())
    whole = await replayed(settings)

    def crash(*_):
        raise MemoryError

    with pytest.raises(MemoryError):
        await replayed(settings, run_id=run_id, units_by=crash)
    await hub.memory.keep_furniture("front", [])
    assert (await replayed(settings, run_id=run_id)).to_json() == whole.to_json()
    other = await replayed(settings)
    assert other.report["inputs"]["furniture"] != whole.report["inputs"]["furniture"]


async def test_an_own_test_keeps_the_furniture_of_its_first_run(hub, settings):
    await hub.memory.keep_furniture("front", chair_learned_at(NOON - timedelta(hours=1)))
    Store(settings.media_dir).prepare(await hub.settings_store.installation_id())
    clock, disk = SystemClock(), DiskThreads(settings.media_dir, 10.0, 1)
    moment = {"from_at": NOON + timedelta(seconds=4.5), "to_at": NOON + timedelta(seconds=CLIP_S)}
    await add_case(hub, settings, clock, disk, name="only the chair", camera_id="front", expected="nothing", **moment)
    for _ in range(2):
        (outcome,) = await run_cases(hub, settings, clock, await hub.cases.list(), {}, squares)
        assert (outcome.passed, outcome.seen) == (True, "nothing")
        await hub.memory.keep_furniture("front", [])


async def test_why_says_that_it_is_furniture(hub, settings):
    await hub.memory.keep_furniture("front", chair_learned_at(NOON - timedelta(hours=1)))
    explained = await why(hub, settings, "front", NOON + timedelta(seconds=2), eyes_of=squares)
    assert "learned furniture" in str(explained.told)


async def test_what_cannot_be_read_is_no_furniture(hub, settings):
    await hub.memory.keep_furniture("front", [{"label": "person"}])
    assert len((await replayed(settings)).report["tracks"]) == WALK_AND_CHAIR
