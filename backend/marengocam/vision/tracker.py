"""Following objects from frame to frame: a vectorised Kalman filter, and assignment in two rounds.

The idea is ByteTrack's (Zhang and others, 2022): sure detections are assigned first, then the doubtful ones may keep
a track alive that nothing else explains. Times may be irregular; all speeds are per second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from marengocam.core.geometry import Box
from marengocam.core.model import Detection

SURE_SCORE = 0.5
NEW_SCORE = 0.45  # a new track needs at least this
FIRST_MATCH_IOU = 0.15
SECOND_MATCH_IOU = 0.35
CONFIRM_OBSERVATIONS = 3
LOST_LIMIT_S = 2.0
TENTATIVE_LIMIT_S = 0.7
# Noise as shares of the box's height: measured positions, and how speeds change per second.
POSITION_NOISE = 0.05
SPEED_NOISE = 1.2
FIRST_SPEED_NOISE = 2.0
CENTRE_WEIGHT = 0.3  # of nearness of centres beside overlap, so that small fast objects are not lost
CENTRE_REACH = 1.5  # in box heights

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrackedObject:
    """One object as it is now; `lost` while it is only predicted."""

    track_id: int
    label: str
    box: Box
    score: float
    confirmed: bool
    lost: bool
    observations: int


class Tracker:
    """Follows the objects of one camera.

    State per track: centre x, centre y, width, height, each with its speed, as independent constant-velocity filters.
    """

    def __init__(self, lost_limit_s: float = LOST_LIMIT_S) -> None:
        self._lost_limit_s = lost_limit_s
        self._next_id = 1
        self._at: datetime | None = None
        self._ids: list[int] = []
        self._labels: list[str] = []
        self._scores: list[float] = []
        self._counts: list[int] = []
        self._unseen_s = np.zeros(0)
        self._state = np.zeros((0, 4))
        self._speed = np.zeros((0, 4))
        # Covariance of position and speed: [position variance, covariance, speed variance] per coordinate.
        self._cov = np.zeros((0, 4, 3))

    def update(self, detections: Sequence[Detection], at: datetime) -> list[TrackedObject]:
        """Take in the detections of one frame; return every track that lives after it."""
        self._predict(at)
        measured = _measurements(detections)
        scores = np.array([detection.score for detection in detections])
        free_tracks = list(range(len(self._ids)))
        taken: set[int] = set()
        for chosen, limit in ((scores >= SURE_SCORE, FIRST_MATCH_IOU), (scores < SURE_SCORE, SECOND_MATCH_IOU)):
            candidates = [index for index in np.flatnonzero(chosen).tolist() if index not in taken]
            for track, index in self._assign(free_tracks, candidates, measured, detections, limit):
                self._correct(track, measured[index], detections[index])
                free_tracks.remove(track)
                taken.add(index)
        self._begin([index for index in range(len(detections)) if index not in taken], measured, detections)
        self._drop()
        return self._objects()

    def _predict(self, at: datetime) -> None:
        step_s = 0.0 if self._at is None else max(0.0, (at - self._at).total_seconds())
        self._at = at
        if not self._ids or step_s == 0:
            return
        self._unseen_s += step_s
        self._state += self._speed * step_s
        self._state[:, 2:] = np.maximum(self._state[:, 2:], 1e-4)
        noise = (SPEED_NOISE * self._state[:, 3:4]) ** 2 * step_s
        position, covariance, speed = self._cov[..., 0], self._cov[..., 1], self._cov[..., 2]
        self._cov[..., 0] = position + 2 * step_s * covariance + step_s**2 * speed + noise * step_s**2 / 3
        self._cov[..., 1] = covariance + step_s * speed + noise * step_s / 2
        self._cov[..., 2] = speed + noise

    def _assign(
        self,
        tracks: list[int],
        candidates: list[int],
        measured: Floats,
        detections: Sequence[Detection],
        min_overlap: float,
    ) -> list[tuple[int, int]]:
        if not tracks or not candidates:
            return []
        likeness = _likeness(self._state[tracks], measured[candidates])
        for row, track in enumerate(tracks):
            for column, index in enumerate(candidates):
                if self._labels[track] != detections[index].label:
                    likeness[row, column] = 0
        rows, columns = linear_sum_assignment(-likeness)
        return [
            (tracks[row], candidates[column])
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if likeness[row, column] >= min_overlap
        ]

    def _correct(self, track: int, measured: Floats, detection: Detection) -> None:
        noise = (POSITION_NOISE * self._state[track, 3]) ** 2
        position, covariance, speed = self._cov[track, :, 0], self._cov[track, :, 1], self._cov[track, :, 2]
        total = position + noise
        gain, speed_gain = position / total, covariance / total
        surprise = measured - self._state[track]
        self._state[track] += gain * surprise
        self._speed[track] += speed_gain * surprise
        self._cov[track] = np.stack(
            [(1 - gain) * position, (1 - gain) * covariance, speed - speed_gain * covariance], axis=1
        )
        self._unseen_s[track] = 0
        self._scores[track] = detection.score
        self._counts[track] += 1

    def _begin(self, free: list[int], measured: Floats, detections: Sequence[Detection]) -> None:
        fresh = [index for index in free if detections[index].score >= NEW_SCORE]
        if not fresh:
            return
        height = measured[fresh, 3:4]
        cov = np.zeros((len(fresh), 4, 3))
        cov[..., 0] = (POSITION_NOISE * height) ** 2
        cov[..., 2] = (FIRST_SPEED_NOISE * height) ** 2
        self._state = np.vstack([self._state, measured[fresh]])
        self._speed = np.vstack([self._speed, np.zeros((len(fresh), 4))])
        self._cov = np.concatenate([self._cov, cov])
        self._unseen_s = np.concatenate([self._unseen_s, np.zeros(len(fresh))])
        for index in fresh:
            self._ids.append(self._next_id)
            self._labels.append(detections[index].label)
            self._scores.append(detections[index].score)
            self._counts.append(1)
            self._next_id += 1

    def _drop(self) -> None:
        limits = np.where(np.array(self._counts) >= CONFIRM_OBSERVATIONS, self._lost_limit_s, TENTATIVE_LIMIT_S)
        kept = np.flatnonzero(self._unseen_s <= limits) if self._ids else np.zeros(0, int)
        if len(kept) == len(self._ids):
            return
        self._state, self._speed = self._state[kept], self._speed[kept]
        self._cov, self._unseen_s = self._cov[kept], self._unseen_s[kept]
        self._ids = [self._ids[index] for index in kept]
        self._labels = [self._labels[index] for index in kept]
        self._scores = [self._scores[index] for index in kept]
        self._counts = [self._counts[index] for index in kept]

    def _objects(self) -> list[TrackedObject]:
        corners = _corners(self._state)
        return [
            TrackedObject(
                track_id=self._ids[index],
                label=self._labels[index],
                box=Box(*(min(max(value, 0.0), 1.0) for value in corners[index].tolist())),
                score=self._scores[index],
                confirmed=self._counts[index] >= CONFIRM_OBSERVATIONS,
                lost=bool(self._unseen_s[index] > 0),
                observations=self._counts[index],
            )
            for index in range(len(self._ids))
        ]


def _measurements(detections: Sequence[Detection]) -> Floats:
    return np.array(
        [(*detection.box.centre, detection.box.width, detection.box.height) for detection in detections]
    ).reshape(-1, 4)


def _corners(state: Floats) -> Floats:
    half = state[:, 2:] / 2
    return np.hstack([state[:, :2] - half, state[:, :2] + half])


def _likeness(tracks: Floats, measured: Floats) -> Floats:
    """Return how well each track explains each measurement, 0 to 1: overlap, helped by nearness of centres."""
    ours, theirs = _corners(tracks)[:, None], _corners(measured)[None]
    shared = np.clip(np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2]), 0, None)
    overlap = shared.prod(axis=2)
    areas = tracks[:, 2:].prod(axis=1)[:, None] + measured[:, 2:].prod(axis=1)[None]
    iou = overlap / np.maximum(areas - overlap, 1e-12)
    reach = CENTRE_REACH * np.maximum(tracks[:, None, 3], measured[None, :, 3])
    distance = np.linalg.norm(tracks[:, None, :2] - measured[None, :, :2], axis=2)
    near = np.clip(1 - distance / np.maximum(reach, 1e-6), 0, None)
    similar = np.minimum(tracks[:, None, 3], measured[None, :, 3]) / np.maximum(
        tracks[:, None, 3], measured[None, :, 3]
    )
    return np.asarray((1 - CENTRE_WEIGHT) * iou + CENTRE_WEIGHT * near * similar)
