"""The composed scenes: their truth, their actors, and that a plain people detector sees them."""

import json

import numpy as np
import pytest

from marengocam.core.errors import BadInputError
from marengocam.demo.footage import PROGRAMME, programme_for, render_camera
from marengocam.demo.scenes.cutouts import load_cutouts, picture_file
from marengocam.demo.scenes.screenplay import PLAY, PLAY_S, Walk
from marengocam.demo.video import VideoFile, read_frames
from marengocam.demo.worlds import ANY_CAMERA, build_world


def test_a_walker_is_in_the_picture_only_between_start_and_end():
    walk = Walk("cream_coat", 2.0, 4.0, (0.0, 0.9), (1.0, 0.9), 0.5, 0.5)
    assert walk.place(1.9, 0.4, 1.78) is None
    assert walk.place(4.0, 0.4, 1.78) is None
    middle = walk.place(3.0, 0.4, 1.78)
    assert middle is not None
    assert middle.foot[0] == pytest.approx(0.5)
    assert middle.height == pytest.approx(0.5)


def test_every_actor_of_the_play_exists_and_leaves_before_the_round_ends():
    cutouts = load_cutouts()
    for view in PLAY:
        for walk in view.walks:
            assert walk.actor in cutouts
            assert walk.end_s <= PLAY_S


def test_an_actor_is_opaque_inside_and_transparent_at_the_corners():
    for cutout in load_cutouts().values():
        height, width = cutout.opacity.shape
        assert cutout.opacity[height // 2, width // 2 - width // 10 : width // 2 + width // 10].max() == pytest.approx(
            1
        )
        assert cutout.opacity[0, 0] < 0.1
        assert cutout.opacity[0, -1] < 0.1
        assert cutout.scaled(100, mirrored=True).picture.shape[0] == 100


def test_a_missing_picture_package_names_the_mend():
    with pytest.raises(BadInputError, match="script/setup"):
        picture_file("a_package_that_is_not_there", "x.jpg")


@pytest.mark.timeout(240)  # twenty seconds of a processor that may be shared
def test_the_composed_world_is_rendered_once_with_its_truth(composed_clips):
    world = build_world(None, None, composed_clips)
    assert {camera.name for camera in world.cameras} == {view.camera_name for view in PLAY}
    assert ANY_CAMERA in world.stranger_names
    stamps = {camera.file: camera.file.stat().st_mtime_ns for camera in world.cameras}
    for camera in world.cameras:
        truth = json.loads(camera.file.with_suffix(".truth.json").read_text())
        assert {entry["actor"] for entry in truth["boxes"]} <= {"cream_coat", "dark_coat", "orange_suit"}
        assert len(list(read_frames(camera.file))) == round(PLAY_S * truth["fps"])
    again = build_world(None, None, composed_clips)
    assert {camera.file: camera.file.stat().st_mtime_ns for camera in again.cameras} == stamps


def test_any_folder_of_videos_becomes_cameras(tmp_path):
    for name in ("back_door.mp4", "drive.mp4"):
        with VideoFile(tmp_path / name, 64, 48, 10) as video:
            for number in range(20):
                video.write(np.full((48, 64, 3), number * 10, np.uint8))
    programme = programme_for(tmp_path)
    assert [camera.camera_name for camera in programme] == ["back door", "drive"]
    assert programme != PROGRAMME
    rendered = render_camera(tmp_path, programme[0], tmp_path / "cache")
    assert rendered == render_camera(tmp_path, programme[0], tmp_path / "cache")


def test_a_folder_without_videos_and_a_file_that_is_none_are_told_plainly(tmp_path):
    with pytest.raises(BadInputError, match="no video files"):
        programme_for(tmp_path)
    (tmp_path / "letter.mp4").write_text("Dear reader, this is no video.")
    with pytest.raises(BadInputError, match=r"letter\.mp4 cannot be read as video"):
        render_camera(tmp_path, programme_for(tmp_path)[0], tmp_path / "cache")
