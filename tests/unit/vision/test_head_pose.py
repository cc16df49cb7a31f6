"""Where a head is turned, from five landmarks."""

import numpy as np
import pytest

from marengocam.vision.head_pose import _FACE, head_pose


def turned(yaw: float = 0, pitch: float = 0, roll: float = 0, scale_px: float = 40) -> np.ndarray:
    """Return the landmarks of a mean face that is turned so, in the picture."""
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    seen = _FACE @ (about_z @ about_x @ about_y).T
    return (seen[:, :2] * scale_px + [300, 200]).astype(np.float32)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (-45, 0, 0), (0, 20, 0), (0, -25, 0), (0, 0, 30)]
)
@pytest.mark.parametrize("scale_px", [8, 60])
def test_the_angles_of_a_mean_face_are_found(yaw: float, pitch: float, roll: float, scale_px: float) -> None:
    pose = head_pose(turned(yaw, pitch, roll, scale_px))
    assert pose is not None
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx((yaw, pitch, roll), abs=0.5)


def test_the_more_a_face_is_turned_aside_the_less_it_counts_and_tilting_does_not_matter() -> None:
    shown = [head_pose(turned(yaw=yaw)).frontal for yaw in (0, 15, 30, 45, 60)]
    assert shown[0] == pytest.approx(1)
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] == 0
    assert head_pose(turned(pitch=10)).frontal == pytest.approx(1), "as much as faces differ"
    assert head_pose(turned(pitch=-40)).frontal < 0.8
    assert head_pose(turned(roll=40)).frontal == pytest.approx(1, abs=1e-3)


def test_landmarks_on_one_another_have_no_pose() -> None:
    assert head_pose(np.full((5, 2), 7, np.float32)) is None
    assert head_pose(np.full((5, 2), np.nan, np.float32)) is None
