"""Privacy, certainty and gaps on the command line."""

from datetime import timedelta
from pathlib import PurePosixPath
from uuid import uuid4

import pytest

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, Chunk

pytestmark = pytest.mark.timeout(180)  # each command is a Python of its own, and this machine may be busy


async def test_privacy_is_switched_and_shown(hub, marengocam) -> None:
    assert await marengocam("privacy", "on") == (0, "Privacy is on: no camera is recorded or analysed.\n", "")
    assert (await hub.preferences.get()).privacy
    assert (await marengocam("privacy", "show"))[1].startswith("Privacy is on")
    assert (await marengocam("privacy", "off"))[1] == "Privacy is off.\n"


async def test_certainty_is_changed_shown_and_put_back(hub, marengocam) -> None:
    assert (await marengocam("certainty"))[1] == "Names are said from 0.95 on.\n"
    assert (await marengocam("certainty", "0.8"))[1] == "Names are said from 0.8 on.\n"
    assert (await hub.preferences.get()).confirm_probability == 0.8
    assert (await marengocam("certainty", "default"))[1] == "Names are said from 0.95 on.\n"


@pytest.mark.parametrize("probability", ["0.2", "1", "much"])
async def test_a_certainty_that_makes_no_sense_is_refused(hub, marengocam, probability: str) -> None:
    status, _, complained = await marengocam("certainty", probability)
    assert (status, "from 0.5 to 0.9999" in complained) == (2, True)


async def test_gaps_are_listed(hub, marengocam) -> None:
    assert (await marengocam("gaps"))[1] == "No gaps.\n"
    now = SystemClock().now()
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera/1"))
    for ago_s in (600.0, 348.0, 60.0):
        path = PurePosixPath(f"recordings/front/{ago_s}.mp4")
        started_at = now - timedelta(seconds=ago_s)
        length_s = 60.0 if ago_s > 400 else ago_s - 60.0 if ago_s > 60 else 60.0
        await hub.chunks.add([Chunk(uuid4(), "front", started_at, length_s, 9, path, "h264", 640, 480)])
    status, told, _ = await marengocam("gaps", "--hours", "1")
    assert status == 0
    assert [line.split("  ", 1)[1] for line in told.splitlines()] == ["front  lost 0:03:12"]
    assert (await marengocam("gaps", "--camera", "yard"))[1] == "No gaps.\n"
    assert (await marengocam("gaps", "--hours", "0"))[0] == 2


async def test_what_is_kept_is_set_shown_and_taken_back(hub, marengocam) -> None:
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera/1"))
    assert (await marengocam("retention", "set", "*", "person", "--days", "30"))[0] == 0
    assert (await marengocam("retention", "set", "front", "all", "--max-gb", "1.5"))[0] == 0
    told = (await marengocam("retention", "list"))[1].splitlines()
    assert told[0].startswith("*  everything  14 days")
    assert told[1:] == ["*  person  30 days", "front  all  at most 1.5 GB"]
    refused = ["* all --days 3", "* person", "* person --days -1", "nowhere named --days 1"]
    for wrong in (line.split() for line in refused):
        status, _, complained = await marengocam("retention", "set", *wrong)
        assert (status, complained.startswith("marengocam: ")) == (2, True)
    assert (await marengocam("retention", "clear", "*", "person"))[0] == 0
    assert (await marengocam("retention", "clear", "*", "person"))[0] == 2
    assert (await marengocam("favourite", "list"))[1] == "No favourites.\n"
    assert (await marengocam("favourite", "remove", str(uuid4())))[0] == 2
    assert (await marengocam("gaps", "--days", "3"))[1] == "No day was counted yet.\n"


async def test_ways_are_told_and_shown(hub, marengocam) -> None:
    assert (await marengocam("ways"))[1].startswith("Nothing is known")
    for camera in ("front", "yard"):
        await hub.cameras.add(Camera(camera, camera, "file:///dev/null"))
    status, told, _ = await marengocam("ways", "--from", "front", "--to", "yard", "--seconds", "12", "--overlap", "no")
    assert status == 0
    assert told.splitlines()[0].startswith("front -> yard: 12 s told (no journeys yet); views do not overlap, told")
    assert (await marengocam("ways", "--from", "front", "--to", "yard"))[0] == 2
    assert (await marengocam("ways", "--from", "front", "--to", "yard", "--seconds", "soon"))[0] == 2
