"""The Time Machine on the command line: why, differences with an exit status, an owner's own tests."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.support.replay_eyes import squares
from tests.support.squares import render_walks, square_eyes

from marengocam.cli.main import build_parser
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.model import Camera, Chunk
from marengocam.media.names import RecordingName
from marengocam.media.store import Store
from marengocam.replay import eyes, politeness
from marengocam.replay.run import ReplayRequest, replay_source

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WALK, STILL = "2026-06-01T12:00:02.5Z", "2026-06-01T12:00:09Z"


@pytest.fixture
async def recorded(hub, hub_settings, monkeypatch):
    """Twelve seconds of camera `front`: somebody walks from the first to the fourth."""
    seen = square_eyes()
    monkeypatch.setattr(eyes, "load_detector", lambda *_: seen.detector)
    monkeypatch.setattr(eyes, "load_appearance_encoder", lambda *_: seen.appearance)
    monkeypatch.setattr(politeness, "be_polite", lambda: None)  # the tests after this one are not last in line
    Store(hub_settings.media_dir).prepare(await hub.settings_store.installation_id())
    name = RecordingName("front", NOON, uuid4())
    file = hub_settings.media_dir / name.path
    file.parent.mkdir(parents=True)
    render_walks(file, 12.0, [1.0])
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.chunks.add([Chunk(name.chunk_id, "front", NOON, 12.0, 1, name.path, "h264", 320, 180)])
    return replace(hub_settings, face_url="off", analysis_fps=10.0)


async def told(settings, *words):
    arguments = build_parser().parse_args(["replay", *map(str, words)])
    return await arguments.command(settings, arguments)


async def test_why_tells_each_stage_draws_the_frame_and_shows_what_a_setting_does(recorded, tmp_path, capsys):
    files = ("--json", tmp_path / "why.json", "--html", tmp_path / "why.html", "--picture", tmp_path / "why.png")
    await told(recorded, "why", "--camera", "front", "--at", WALK, *files)
    said = capsys.readouterr().out
    assert said.startswith("A person was followed but not recognised")
    answer = json.loads((tmp_path / "why.json").read_text())
    assert {one["stage"] for one in answer["stages"]} >= {
        "motion",
        "detector",
        "not counted",
        "face",
        "identity",
        "live",
    }
    (detection,) = answer["detections"]
    assert (detection["label"], detection["score"]) == ("person", 0.9)
    assert detection["why_not"] in {"", "the detector did not look at this frame"}
    assert answer["candidates"][0]["candidates"][0]["who"] == "somebody new"
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    assert "data:image/jpeg;base64," in (tmp_path / "why.html").read_text()

    await told(recorded, "why", "--camera", "front", "--at", WALK, "--set", "detector_min_score=0.95")
    assert "did not count: its score 0.90 is under 0.95" in capsys.readouterr().out
    await told(recorded, "why", "--camera", "front", "--at", STILL)
    assert "sees nobody" in capsys.readouterr().out
    in_berlin = replace(recorded, time_zone="Europe/Berlin")
    await told(in_berlin, "why", "--camera", "front", "--at", "2026-06-01T14:00:09")
    assert "2026-06-01 14:00:09+02:00 (Europe/Berlin)" in capsys.readouterr().out
    await told(in_berlin, "why", "--camera", "front", "--at", WALK)
    assert "person, from 14:00:0" in capsys.readouterr().out
    with pytest.raises(NotFoundError, match="was not recorded around 2026-06-01 15:00:00 CEST"):
        await told(in_berlin, "why", "--camera", "front", "--at", "2026-06-01T15:00")
    with pytest.raises(NotFoundError, match="was not recorded around"):
        await told(recorded, "why", "--camera", "front", "--at", "2026-06-01T13:00:00Z")
    with pytest.raises(BadInputError, match="it can change"):
        await told(recorded, "why", "--camera", "front", "--at", WALK, "--set", "web_port=1")


async def test_a_difference_has_an_exit_status_a_page_and_json(recorded, hub, tmp_path, capsys):
    runs = []
    for overrides in ({}, {"labels": "car", "movement": "off"}):
        runs.append(await hub.replays.request("front", NOON, overrides=overrides))
        claimed = await hub.replays.claim(SystemClock().now())
        await replay_source(recorded, ReplayRequest.of(claimed), eyes_of=squares)
    first, second = runs
    assert await told(recorded, "diff", first, "--against", first) == 0
    files = ("--html", tmp_path / "d.html", "--json", tmp_path / "d.json")
    assert await told(recorded, "diff", second, "--against", first, *files) == 1
    assert "1 lost" in capsys.readouterr().out
    assert json.loads((tmp_path / "d.json").read_text())["events_missing"][0]["type"] == "person_detected"
    assert (tmp_path / "d.html").read_text().count("data:image/jpeg") >= 1
    await told(replace(recorded, time_zone="Europe/Berlin"), "show", first, "--json", tmp_path / "report.json")
    assert "    2026-06-01 14:00:0" in capsys.readouterr().out
    assert json.loads((tmp_path / "report.json").read_text())["tracks"][0]["label"] == "person"
    await told(recorded, "remove", first)
    with pytest.raises(NotFoundError):
        await told(recorded, "diff", first)


async def test_an_owners_own_tests_outlive_the_recording_and_fail_when_something_is_missed(
    recorded, hub, tmp_path, capsys
):
    walk = ("--camera", "front", "--at", WALK, "--before-s", "2", "--after-s", "2")
    await told(recorded, "suite", "add", "the mailman", *walk, "--expect", "person")
    still = ("--camera", "front", "--at", STILL, "--before-s", "1", "--after-s", "2")
    await told(recorded, "suite", "add", "quiet", *still, "--expect", "nothing")
    with pytest.raises(BadInputError, match="cannot be expected"):
        await told(recorded, "suite", "add", "odd", *walk, "--expect", "mailman")
    for file in (recorded.media_dir / "recordings").rglob("*.mp4"):
        file.unlink()  # retention
    assert await told(recorded, "suite", "run") == 0
    assert "2 of 2 passed" in capsys.readouterr().out
    file = tmp_path / "suite.json"
    changed = ("--set", "labels=car", "--set", "movement=off", "--json", file)
    assert await told(recorded, "suite", "run", "the mailman", *changed) == 1
    (outcome,) = json.loads(file.read_text())
    assert (outcome["passed"], outcome["seen"]) == (False, "nothing")
    assert [case.passed for case in await hub.cases.list()] == [True, True], "a trial is not noted as today's outcome"
    await told(recorded, "suite", "remove", "the mailman")
    assert [case.name for case in await hub.cases.list()] == ["quiet"]
    assert len(list((recorded.media_dir / "replay_cases").iterdir())) == 1
    assert timedelta(0) < SystemClock().now() - (await hub.cases.list())[0].ran_at
