"""Which id a camera gets from its name, in any script and beside others."""

import pytest

from marengocam.core.errors import ConflictError
from marengocam.core.ids import CAMERA_ID_PATTERN, camera_id_beside

NAMES = [
    "Front door",
    "front-door!",
    "前门",
    "后门",
    "Двор",
    "Двор 2",
    "Сад 2",
    "🎥",
    "🚪",
    "../../etc",
    "Tür/ Garage 🚗",
    "x" * 100,
]


def test_names_in_any_script_get_ids_of_their_own():
    known: dict[str, str] = {}
    for name in NAMES:
        known[camera_id_beside(name, known)] = name
    assert list(known.values()) == NAMES
    assert all(CAMERA_ID_PATTERN.match(camera_id) for camera_id in known)
    assert {"front_door", "etc", "tur_garage"} <= set(known)


def test_a_camera_that_is_added_again_gets_the_id_it_had():
    assert camera_id_beside("前门", {}) == camera_id_beside("前门", {"yard": "后门"})


def test_a_name_that_is_in_use_is_told():
    with pytest.raises(ConflictError, match="that name is there already"):
        camera_id_beside("front Door", {"front_door": "Front door"})
