"""Which changes of a camera connect it anew: each of its fields is decided on."""

from dataclasses import fields, replace
from uuid import uuid4

import pytest

from marengocam.core.camera_options import Analysis, Recording, RecordingMode, Transport
from marengocam.core.model import Camera, Zone
from marengocam.core.secret import Secret
from marengocam.ingest.changes import reads_anew

CAMERA = Camera("front", "Front", "rtsp://192.0.2.1/main", recording=Recording(sound=False))
ANEW = {
    "main_url": "rtsp://192.0.2.1/other",
    "username": "owner",
    "password": Secret("new"),
    "enabled": False,
    "transport": Transport.UDP,
    "restarts": 1,
}
IN_PLACE = {
    "name": "Front door",
    "sub_url": "rtsp://192.0.2.1/sub",
    "detect": False,
    "zones": (Zone(uuid4(), "step", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))),),
    "recording": Recording(RecordingMode.PERSON, pre_roll_s=2.0, sound=False),
    "analysis": Analysis(faces=False),
}


def test_every_field_is_decided_on() -> None:
    assert ANEW.keys() | IN_PLACE.keys() | {"camera_id"} == {field.name for field in fields(Camera)}


@pytest.mark.parametrize("name", ANEW)
def test_how_it_is_reached_connects_it_anew(name: str) -> None:
    assert reads_anew(CAMERA, replace(CAMERA, **{name: ANEW[name]}))


@pytest.mark.parametrize("name", IN_PLACE)
def test_everything_else_is_taken_over(name: str) -> None:
    assert not reads_anew(CAMERA, replace(CAMERA, **{name: IN_PLACE[name]}))


def test_sound_has_to_be_asked_for_and_can_be_left_out() -> None:
    with_sound = replace(CAMERA, recording=Recording(sound=True))
    assert reads_anew(CAMERA, with_sound)
    assert not reads_anew(with_sound, CAMERA)
