"""The Time Machine over the API: asked for, steered, compared, shown as a page, removed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import pytest
from tests.support.ingest_service import until
from tests.support.replay_eyes import squares
from tests.support.squares import render_walks
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.errors import NotFoundError
from marengocam.core.model import Camera, Chunk, EventType, NewEvent
from marengocam.media.names import RecordingName
from marengocam.replay.control import CancelledRunError
from marengocam.replay.places import run_place
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.replay.suite_run import run_suite

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
STRETCH = {"camera_id": "front", "from_at": "2026-06-01T12:00:00Z", "to_at": "2026-06-01T12:00:06Z"}


@pytest.fixture
async def recorded(hub, hub_settings):
    """Six seconds of camera `front` with a walk, as a file and a row."""
    name = RecordingName("front", NOON, uuid4())
    file = hub_settings.media_dir / name.path
    file.parent.mkdir(parents=True)
    render_walks(file, 6.0, [1.0])
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.chunks.add([Chunk(name.chunk_id, "front", NOON, 6.0, file.stat().st_size, name.path, "h264", 320, 180)])
    return replace(hub_settings, face_url="off", analysis_fps=10.0)


async def test_a_run_is_asked_for_with_what_it_changes_and_steered(hub, recorded):
    async with serving_api(hub, recorded) as api:
        status, run = await api.call("POST", "/replays", STRETCH | {"overrides": {"detector_min_score": "0.3"}})
        assert (status, run["state"], run["overrides"]) == (202, "requested", {"detector_min_score": "0.3"})
        for wrong, field in (({"overrides": {"chunk_s": "5"}}, "overrides"), ({"models": ["a.pt"]}, "models")):
            status, answer = await api.call("POST", "/replays", STRETCH | wrong)
            assert (status, answer["error"]["field"]) == (400, field)
        path = f"/replays/{run['run_id']}"
        _, run = await api.call("POST", f"{path}/control", {"wish": "pause"})
        assert run["wish"] == "pause"
        _, run = await api.call("POST", f"{path}/control", {"wish": "run", "steps": 2})
        assert (run["pace"], run["steps"]) == ("step", 2)
        await api.call("POST", f"{path}/control", {"wish": "cancel"})
        assert await hub.replays.claim(SystemClock().now()) is None
        assert (await api.call("GET", path))[1]["state"] == "cancelled"
        assert (await api.call("POST", f"{path}/control", {"wish": "run"}))[0] == 409
        assert (await api.call("GET", f"{path}/report"))[0] == 404


async def test_what_a_run_found_is_compared_shown_and_removed_with_it(hub, recorded):
    async with serving_api(hub, recorded) as api:
        _, run = await api.call("POST", "/replays", STRETCH)
        claimed = await hub.replays.claim(SystemClock().now())
        await replay_source(recorded, ReplayRequest.of(claimed), eyes_of=squares)
        path = f"/replays/{run['run_id']}"
        _, run = await api.call("GET", path)
        assert (run["state"], len(run["report"]["tracks"])) == ("finished", 1)
        _, report = await api.call("GET", f"{path}/report")
        (walk,) = report["tracks"]
        assert len(walk["path"]) > 3
        status, picture = await api.call("GET", f"{path}/pictures/{walk['picture']}")
        assert (status, picture[:2]) == (200, b"\xff\xd8")
        assert (await api.call("GET", f"{path}/pictures/..%2Freport.json"))[0] == 404
        _, told = await api.call("GET", f"{path}/difference")
        assert told["difference"]["tracks_found"][0]["label"] == "person"
        assert "1 found" in told["summary"]
        _, same = await api.call("GET", f"{path}/difference?against={run['run_id']}")
        assert same["difference"]["differs"] is False
        _, signed = await api.call("GET", f"{path}/page")
        async with aiohttp.ClientSession() as browser, browser.get(api.address + signed["url"]) as page:
            assert page.status == 200
            assert "sandbox" in page.headers["Content-Security-Policy"]
            assert "data:image/jpeg;base64," in await page.text()
        _, other = await api.call("GET", f"{path}/page?against={run['run_id']}")
        assert (await api.call("GET", f"{path}/page?against=yesterday"))[0] == 400
        exchanged = other["url"].replace(f"against={run['run_id']}", "against=live")
        for url, status in ((other["url"], 200), (exchanged, 403)):
            async with aiohttp.ClientSession() as browser, browser.get(api.address + url) as page:
                assert page.status == status, "a signature opens one comparison"
        assert (await api.call("DELETE", path))[0] == 204
        assert (await api.call("GET", path))[0] == 404
        assert not run_place(recorded.media_dir, claimed.run_id).exists()


async def test_a_moment_is_explained_only_where_it_was_recorded(hub, recorded):
    async with serving_api(hub, recorded) as api:
        at = NOON + timedelta(seconds=2)
        status, run = await api.call("POST", "/cameras/front/why", {"at": at.isoformat()})
        assert (status, run["why_at"]) == (202, "2026-06-01T12:00:02Z")
        status, answer = await api.call("POST", "/cameras/front/why", {"at": "2026-06-01T13:00:00Z"})
        assert (status, answer["error"]["field"]) == (400, "at")
        assert (await api.call("GET", "/replays/cases"))[1] == {"cases": []}


async def test_own_tests_are_marked_run_as_a_replay_and_removed(hub, recorded):
    (marked,) = await hub.events.append(
        [NewEvent(uuid4(), EventType.MOMENT_MARKED, NOON + timedelta(seconds=3), camera_id="front")]
    )
    async with serving_api(hub, recorded) as api:
        assert (await api.call("POST", "/replays/suite", {}))[0] == 404, "there is none yet"
        mailman = {"name": "the mailman", "event_number": marked.number, "expected": "person", "before_s": 3}
        status, case = await api.call("POST", "/replays/cases", mailman | {"after_s": 3})
        assert (status, case["camera_id"], case["from_at"]) == (201, "front", "2026-06-01T12:00:00Z")
        moment = {"camera_id": "front", "at": "2026-06-01T12:00:03Z", "before_s": 3, "after_s": 3}
        await api.call("POST", "/replays/cases", moment | {"name": "a <car>", "expected": "car"})
        for wrong, field in (
            ({"expected": "mailman"}, "expected"),
            ({"at": None}, "at"),
            ({"event_number": marked.number}, "at"),
            ({"camera_id": None}, "camera_id"),
        ):
            status, answer = await api.call("POST", "/replays/cases", moment | {"name": "n", "expected": "car"} | wrong)
            assert (status, answer["error"].get("field")) == (400, field), wrong
        again = moment | {"name": "the mailman", "expected": "person"}
        assert (await api.call("POST", "/replays/cases", again))[0] == 409
        elsewhere = moment | {"name": "n", "expected": "car", "at": "2020-06-01T12:00:00Z"}
        assert (await api.call("POST", "/replays/cases", elsewhere))[0] == 404, "nothing was recorded then"
        status, run = await api.call("POST", "/replays/suite", {})
        assert (status, run["state"], len(run["case_ids"])) == (202, "requested", 2)
        await run_suite(recorded, await hub.replays.claim(SystemClock().now()), squares)
        path = f"/replays/{run['run_id']}"
        _, run = await api.call("GET", path)
        assert (run["state"], run["report"]["passed"], run["report"]["failed"]) == ("finished", 1, 1)
        assert run["progress"]["done_s"] <= run["progress"]["total_s"] == 12.0
        assert [one["passed"] for one in run["report"]["outcomes"]] == [False, True]
        assert (await api.call("GET", f"{path}/difference"))[0] == 400
        _, signed = await api.call("GET", f"{path}/page")
        async with aiohttp.ClientSession() as browser, browser.get(api.address + signed["url"]) as page:
            text = await page.text()
            assert "1 of 2 passed" in text
            assert "a &lt;car&gt;" in text
        _, listed = await api.call("GET", "/replays/cases")
        assert {one["name"]: one["passed"] for one in listed["cases"]} == {"a <car>": False, "the mailman": True}
        _, run = await api.call("POST", "/replays/suite", {"names": ["the mailman"], "overrides": {"labels": "car"}})
        claimed = await hub.replays.claim(SystemClock().now())
        assert (await api.call("DELETE", f"/replays/cases/{case['case_id']}"))[0] == 204
        assert (await api.call("DELETE", f"/replays/cases/{case['case_id']}"))[0] == 404
        with pytest.raises(NotFoundError, match="removed before they ran"):
            await run_suite(recorded, claimed, squares)


async def test_a_run_of_own_tests_waits_and_ends_inside_a_test(hub, recorded):
    async with serving_api(hub, recorded) as api:
        moment = {"camera_id": "front", "at": "2026-06-01T12:00:03Z", "before_s": 3, "after_s": 3}
        await api.call("POST", "/replays/cases", moment | {"name": "n", "expected": "person"})
        _, run = await api.call("POST", "/replays/suite", {})
        path = f"/replays/{run['run_id']}"
        await api.call("POST", f"{path}/control", {"wish": "run", "pace": "step", "steps": 3})
        claimed = await hub.replays.claim(SystemClock().now())
        going = asyncio.create_task(run_suite(recorded, claimed, squares))

        def waits_for(what):
            async def told():
                _, now = await api.call("GET", path)
                return what in now["progress"].get("waits_for", "") or going.done()

            return told

        await until(waits_for("the next step"))
        await api.call("POST", f"{path}/control", {"wish": "pause", "pace": "fast"})
        await until(waits_for("it is paused"))
        _, told = await api.call("GET", path)
        assert told["progress"]["at"] > "2026-06-01T12:00:00", "inside the test, at the frame it came to"
        assert not going.done()
        await api.call("POST", f"{path}/control", {"wish": "cancel"})
        with pytest.raises(CancelledRunError):
            await going
        assert [case.passed for case in await hub.cases.list()] == [None]
