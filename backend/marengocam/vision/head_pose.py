"""Where a head is turned, from YuNet's five landmarks."""

from dataclasses import dataclass
from math import acos, asin, atan2, cos, degrees, radians, tan

import numpy as np
import numpy.typing as npt

# Eyes, nose and corners of the mouth of a mean face that looks straight ahead, in distances between the eyes: x to the
# picture's right, y down, z away from the camera. As in ArcFace's template, but the nose lower, where YuNet puts it;
# the depth is a mean adult's.
_FACE = np.array(
    [[-0.5, -0.61, 0.0], [0.5, -0.61, 0.0], [0.0, 0.03, -0.45], [-0.42, 0.54, -0.05], [0.41, 0.54, -0.05]], np.float64
)
_CENTRED = _FACE - _FACE.mean(axis=0)
_SOLVE = np.linalg.pinv(_CENTRED)  # least squares: landmarks in, scaled rows of the rotation out
STEEPNESS = 0.72  # of the loss with the tangent of the angle: nothing is left at 54 degrees
PITCH_FREE_DEG = 15.0  # faces differ so much in their heights of nose and mouth that less says nothing


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees: yaw to the picture's right, pitch up, roll clockwise; 0, 0, 0 looks straight at the camera."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    @property
    def frontal(self) -> float:
        """Return how much of the face is shown: 1 from the front, 0 from 54 degrees aside."""
        pitch = radians(max(0.0, abs(self.pitch_deg) - PITCH_FREE_DEG))
        facing = cos(radians(self.yaw_deg)) * cos(pitch)  # cosine of the angle between its direction and the camera's
        if facing <= 0:
            return 0.0
        return max(0.0, 1 - STEEPNESS * tan(acos(min(facing, 1.0))))

    def told(self) -> dict[str, float]:
        """Return the angles as answers give them."""
        return {"yaw": round(self.yaw_deg, 1), "pitch": round(self.pitch_deg, 1), "roll": round(self.roll_deg, 1)}


def head_pose(landmarks_px: npt.NDArray[np.float32]) -> HeadPose | None:
    """Return how a head is turned, None where the landmarks lie on one another.

    Scaled orthographic projection: the mean face, rotated and scaled, is laid over the landmarks with the least squared
    error; its first two rows, made of unit length, give the angles.
    """
    points = landmarks_px.astype(np.float64)
    across, down = (_SOLVE @ (points - points.mean(axis=0))).T
    long, high = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if min(long, high) < 1 or not np.isfinite(long + high):
        return None
    across, down = across / long, down / high
    facing = float(np.cross(across, down)[2])
    return HeadPose(
        yaw_deg=degrees(atan2(-float(across[2]), facing)),
        pitch_deg=degrees(asin(min(max(float(down[2]), -1.0), 1.0))),
        roll_deg=degrees(atan2(float(down[0]), float(across[0]))),
    )
