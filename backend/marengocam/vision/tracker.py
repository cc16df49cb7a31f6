"""Following objects from frame to frame: a vectorised Kalman filter, and assignment in two rounds.

The idea is ByteTrack's (Zhang and others, 2022): sure detections are assigned first, then the doubtful ones may keep
a track alive that nothing else explains. Times may be irregular; all speeds are per second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import lap
import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box
from marengocam.core.model import Detection

DEFAULT_LEAST_SCORE = 0.4  # from which a detection counts at all
NEW_ABOVE = 0.05  # a new track needs a score so far above the least
SURE_ABOVE = 0.1  # a sure detection has one so far above
FIRST_MATCH_IOU = 0.2
SECOND_MATCH_IOU = 0.35
CONFIRM_OBSERVATIONS = 3
LOST_LIMIT_S = 2.0
TENTATIVE_LIMIT_S = 0.7
LOOK_LIMIT_S = 1.0  # one look that misses counts as so long unseen at most: in between nobody looked
# Noise as shares of the box's height: measured positions, and how speeds change per second.
POSITION_NOISE = 0.05
SPEED_NOISE = 0.6
FIRST_SPEED_NOISE = 2.0
CENTRE_WEIGHT = 0.3  # of nearness of centres beside overlap, so that small fast objects are not lost
CENTRE_REACH = 1.5  # in box heights

MIN_SIDE = 1e-4  # of the picture
TINY = 1e-12  # keeps divisions defined

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_NOBODY: Integers = np.zeros(0, np.int64)


class TrackedObject(NamedTuple):
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
        self._codes: dict[str, int] = {}
        self._tracks = _Tracks.none()

    def update(
        self, detections: Sequence[Detection], at: datetime, least_scores: Floats | None = None
    ) -> list[TrackedObject]:
        """Take in the detections of one frame; return every track that lives after it.

        `least_scores` tells for each detection from which score its kind counts; what is below only keeps tracks alive.
        """
        self._predict(at)
        measured, labels, scores = self._measurements(detections)
        above = scores - (DEFAULT_LEAST_SCORE if least_scores is None else least_scores)
        sure = above >= SURE_ABOVE
        free_tracks = np.arange(len(self._tracks.ids))
        free = np.ones(len(detections), bool)
        for chosen, limit in ((sure, FIRST_MATCH_IOU), (~sure, SECOND_MATCH_IOU)):
            candidates = np.flatnonzero(chosen)
            rows, columns = self._assign(free_tracks, candidates, measured, labels, limit)
            tracks, taken = free_tracks[rows], candidates[columns]
            self._correct(tracks, measured[taken], scores[taken])
            free[taken] = False
            unmatched = np.ones(len(free_tracks), bool)
            unmatched[rows] = False
            free_tracks = free_tracks[unmatched]
        self._begin(np.flatnonzero(free & (above >= NEW_ABOVE)), measured, labels, scores)
        self._drop()
        return self._objects()

    def _measurements(self, detections: Sequence[Detection]) -> tuple[Floats, Integers, Floats]:
        corners = np.array([(one.box.x1, one.box.y1, one.box.x2, one.box.y2) for one in detections]).reshape(-1, 4)
        measured = np.empty_like(corners)
        measured[:, :2] = (corners[:, :2] + corners[:, 2:]) / 2
        measured[:, 2:] = corners[:, 2:] - corners[:, :2]
        codes = self._codes
        labels = np.array([codes.setdefault(one.label, len(codes)) for one in detections], np.int64)
        return measured, labels, np.array([one.score for one in detections], np.float64)

    def _predict(self, at: datetime) -> None:
        step_s = 0.0 if self._at is None else max(0.0, (at - self._at).total_seconds())
        self._at = at
        if not len(self._tracks.ids) or step_s == 0:
            return
        state, cov = self._tracks.state, self._tracks.cov
        self._tracks.unseen_s += min(step_s, LOOK_LIMIT_S)
        state += self._tracks.speed * step_s
        np.maximum(state[:, 2:], MIN_SIDE, out=state[:, 2:])
        noise = (SPEED_NOISE * state[:, 3:4]) ** 2 * step_s
        position, covariance, speed = cov
        position += 2 * step_s * covariance + step_s**2 * speed + noise * step_s**2 / 3
        covariance += step_s * speed + noise * step_s / 2
        speed += noise

    def _assign(
        self, tracks: Integers, candidates: Integers, measured: Floats, labels: Integers, min_likeness: float
    ) -> tuple[Integers, Integers]:
        """Return which of `tracks` and which of `candidates` belong together, as indices into both."""
        if not len(tracks) or not len(candidates):
            return _NOBODY, _NOBODY
        likeness = _likeness(self._tracks.state[tracks], measured[candidates])
        likeness *= self._tracks.labels[tracks][:, None] == labels[candidates]
        _, column_of_row, _ = lap.lapjv(1.0 - likeness, extend_cost=True)
        rows = np.flatnonzero(column_of_row >= 0)
        columns = column_of_row[rows]
        good = likeness[rows, columns] >= min_likeness
        return rows[good], columns[good]

    def _correct(self, tracks: Integers, measured: Floats, scores: Floats) -> None:
        if not len(tracks):
            return
        ours = self._tracks
        noise = (POSITION_NOISE * ours.state[tracks, 3:4]) ** 2
        position, covariance, speed = ours.cov[:, tracks]
        total = position + noise
        gain, speed_gain = position / total, covariance / total
        surprise = measured - ours.state[tracks]
        ours.state[tracks] += gain * surprise
        ours.speed[tracks] += speed_gain * surprise
        ours.cov[0, tracks] = (1 - gain) * position
        ours.cov[1, tracks] = (1 - gain) * covariance
        ours.cov[2, tracks] = speed - speed_gain * covariance
        ours.unseen_s[tracks] = 0
        ours.scores[tracks] = scores
        ours.counts[tracks] += 1

    def _begin(self, fresh: Integers, measured: Floats, labels: Integers, scores: Floats) -> None:
        count = len(fresh)
        if not count:
            return
        height = measured[fresh, 3:4]
        cov = np.zeros((3, count, 4))
        cov[0] = (POSITION_NOISE * height) ** 2
        cov[2] = (FIRST_SPEED_NOISE * height) ** 2
        new = _Tracks(
            ids=np.arange(self._next_id, self._next_id + count),
            labels=labels[fresh],
            scores=scores[fresh],
            counts=np.ones(count, np.int64),
            unseen_s=np.zeros(count),
            state=measured[fresh],
            speed=np.zeros((count, 4)),
            cov=cov,
        )
        self._next_id += count
        self._tracks = self._tracks.with_others(new)

    def _drop(self) -> None:
        confirmed = self._tracks.counts >= CONFIRM_OBSERVATIONS
        kept = self._tracks.unseen_s <= np.where(confirmed, self._lost_limit_s, TENTATIVE_LIMIT_S)
        if not kept.all():
            self._tracks = self._tracks.only(kept)

    def _objects(self) -> list[TrackedObject]:
        names = list(self._codes)
        ours = self._tracks
        corners = np.minimum(np.maximum(_corners(ours.state), 0.0), 1.0).tolist()
        columns = (ours.ids, ours.labels, ours.scores, ours.unseen_s > 0, ours.counts)
        return [
            TrackedObject(track_id, names[label], Box(*box), score, count >= CONFIRM_OBSERVATIONS, lost, count)
            for box, track_id, label, score, lost, count in zip(
                corners, *(column.tolist() for column in columns), strict=True
            )
        ]


@dataclass(slots=True)
class _Tracks:
    """All living tracks, a row each; `cov` holds position variance, covariance and speed variance per coordinate."""

    ids: Integers
    labels: Integers
    scores: Floats
    counts: Integers
    unseen_s: Floats
    state: Floats  # n x 4
    speed: Floats  # n x 4, per second
    cov: Floats  # 3 x n x 4

    @classmethod
    def none(cls) -> "_Tracks":
        whole, real, wide = np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 4))
        return cls(whole, whole, real, whole, real, wide, wide, np.zeros((3, 0, 4)))

    def only(self, kept: npt.NDArray[np.bool_]) -> "_Tracks":
        """Return the chosen rows."""
        return _Tracks(
            ids=self.ids[kept],
            labels=self.labels[kept],
            scores=self.scores[kept],
            counts=self.counts[kept],
            unseen_s=self.unseen_s[kept],
            state=self.state[kept],
            speed=self.speed[kept],
            cov=self.cov[:, kept],
        )

    def with_others(self, others: "_Tracks") -> "_Tracks":
        """Return both, others last."""
        return _Tracks(
            ids=np.concatenate([self.ids, others.ids]),
            labels=np.concatenate([self.labels, others.labels]),
            scores=np.concatenate([self.scores, others.scores]),
            counts=np.concatenate([self.counts, others.counts]),
            unseen_s=np.concatenate([self.unseen_s, others.unseen_s]),
            state=np.concatenate([self.state, others.state]),
            speed=np.concatenate([self.speed, others.speed]),
            cov=np.concatenate([self.cov, others.cov], axis=1),
        )


def _corners(state: Floats) -> Floats:
    half = state[:, 2:] / 2
    corners = np.empty_like(state)
    np.subtract(state[:, :2], half, out=corners[:, :2])
    np.add(state[:, :2], half, out=corners[:, 2:])
    return corners


def _likeness(tracks: Floats, measured: Floats) -> Floats:
    """Return how well each track explains each measurement, 0 to 1: overlap, helped by nearness of centres."""
    ours, theirs = tracks.T[:, :, None], measured.T[:, None, :]
    apart_x, apart_y = np.abs(ours[0] - theirs[0]), np.abs(ours[1] - theirs[1])
    shared_x = np.minimum(np.minimum(ours[2], theirs[2]), (ours[2] + theirs[2]) / 2 - apart_x)
    shared_y = np.minimum(np.minimum(ours[3], theirs[3]), (ours[3] + theirs[3]) / 2 - apart_y)
    overlap = np.maximum(shared_x, 0) * np.maximum(shared_y, 0)
    iou = overlap / np.maximum(ours[2] * ours[3] + theirs[2] * theirs[3] - overlap, TINY)
    taller = np.maximum(np.maximum(ours[3], theirs[3]), TINY)
    near = np.maximum(1 - np.hypot(apart_x, apart_y) / (CENTRE_REACH * taller), 0)
    similar = np.minimum(ours[3], theirs[3]) / taller
    return np.asarray((1 - CENTRE_WEIGHT) * iou + CENTRE_WEIGHT * near * similar)
