"""Following objects from frame to frame: a vectorised Kalman filter, and assignment in two rounds.

The idea is ByteTrack's (Zhang and others, 2022): sure detections are assigned first, then the doubtful ones may keep
a track alive that nothing else explains. Times may be irregular; all speeds are per second.
"""

from collections.abc import Sequence
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
Booleans = npt.NDArray[np.bool_]
_NOBODY: Integers = np.zeros(0, np.int64)
_Pairs = tuple[Integers, Integers]  # which tracks, and which detection each of them is now


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
        self._tracks = _Tracks.of(0)

    def update(
        self, detections: Sequence[Detection], at: datetime, least_scores: Floats | None = None
    ) -> list[TrackedObject]:
        """Take in the detections of one frame; return every track that lives after it.

        `least_scores` tells for each detection from which score its kind counts; what is below only keeps tracks alive.
        """
        self._predict(at)
        measured, labels, scores = self._measurements(detections)
        above = scores - (DEFAULT_LEAST_SCORE if least_scores is None else least_scores)
        tracks, taken = self._assign(measured, labels, above >= SURE_ABOVE)
        self._correct(tracks, measured.take(taken, axis=1), scores[taken])
        fresh = above >= NEW_ABOVE
        fresh[taken] = False
        self._begin(fresh.nonzero()[0], measured, labels, scores)
        self._drop()
        return self._objects()

    def _measurements(self, detections: Sequence[Detection]) -> tuple[Floats, Integers, Floats]:
        """Return centre and size (4 x n), the label's code and the score of each detection."""
        codes = self._codes
        boxes = ((one.box, one.score) for one in detections)
        numbers = np.array([(box.x1, box.y1, box.x2, box.y2, score) for box, score in boxes]).reshape(-1, 5).T
        measured = np.empty((4, len(detections)))
        np.add(numbers[:2], numbers[2:4], out=measured[:2])
        measured[:2] /= 2
        np.subtract(numbers[2:4], numbers[:2], out=measured[2:])
        labels = np.array([codes.setdefault(one.label, len(codes)) for one in detections], np.int64)
        return measured, labels, numbers[4]

    def _predict(self, at: datetime) -> None:
        step_s = 0.0 if self._at is None else max(0.0, (at - self._at).total_seconds())
        self._at = at
        ours = self._tracks
        if not len(ours) or step_s == 0:
            return
        ours.unseen_s += min(step_s, LOOK_LIMIT_S)
        ours.state += ours.speed * step_s
        np.maximum(ours.state[2:], MIN_SIDE, out=ours.state[2:])
        noise = (SPEED_NOISE * ours.state[3]) ** 2 * step_s
        ours.variance += 2 * step_s * ours.covariance + step_s**2 * ours.speed_variance + noise * step_s**2 / 3
        ours.covariance += step_s * ours.speed_variance + noise * step_s / 2
        ours.speed_variance += noise

    def _assign(self, measured: Floats, labels: Integers, sure: Booleans) -> _Pairs:
        ours = self._tracks
        if not len(ours) or not len(sure):
            return _NOBODY, _NOBODY
        likeness = _likeness(ours.state, measured)
        likeness *= ours.labels[:, None] == labels
        first = _pairs(likeness, np.arange(len(ours)), sure.nonzero()[0], FIRST_MATCH_IOU)
        free = np.ones(len(ours), bool)
        free[first[0]] = False
        second = _pairs(likeness, free.nonzero()[0], (~sure).nonzero()[0], SECOND_MATCH_IOU)
        return np.concatenate((first[0], second[0])), np.concatenate((first[1], second[1]))

    def _correct(self, tracks: Integers, measured: Floats, scores: Floats) -> None:
        if not len(tracks):
            return
        seen = self._tracks.taken(tracks)
        total = seen.variance + (POSITION_NOISE * seen.state[3]) ** 2
        gain, speed_gain = seen.variance / total, seen.covariance / total
        surprise = measured - seen.state
        seen.state += gain * surprise
        seen.speed += speed_gain * surprise
        seen.speed_variance -= speed_gain * seen.covariance
        seen.variance *= 1 - gain
        seen.covariance *= 1 - gain
        seen.unseen_s[:] = 0
        seen.scores[:] = scores
        seen.counts += 1
        self._tracks.put(tracks, seen)

    def _begin(self, fresh: Integers, measured: Floats, labels: Integers, scores: Floats) -> None:
        count = len(fresh)
        if not count:
            return
        new = _Tracks.of(count)
        new.state[:] = measured[:, fresh]
        new.variance[:] = (POSITION_NOISE * new.state[3]) ** 2
        new.speed_variance[:] = (FIRST_SPEED_NOISE * new.state[3]) ** 2
        new.scores[:] = scores[fresh]
        new.ids[:] = np.arange(self._next_id, self._next_id + count)
        new.labels[:] = labels[fresh]
        new.counts[:] = 1
        self._next_id += count
        self._tracks = self._tracks.with_others(new)

    def _drop(self) -> None:
        ours = self._tracks
        confirmed = ours.counts >= CONFIRM_OBSERVATIONS
        kept = ours.unseen_s <= np.where(confirmed, self._lost_limit_s, TENTATIVE_LIMIT_S)
        if not kept.all():
            self._tracks = ours.taken(kept.nonzero()[0])

    def _objects(self) -> list[TrackedObject]:
        names = list(self._codes)
        ours = self._tracks
        corners = np.minimum(np.maximum(_corners(ours.state), 0.0), 1.0).T.tolist()
        columns = (ours.ids, ours.labels, ours.scores, ours.unseen_s > 0, ours.counts)
        return [
            TrackedObject(track_id, names[label], Box(*box), score, count >= CONFIRM_OBSERVATIONS, lost, count)
            for box, track_id, label, score, lost, count in zip(
                corners, *(column.tolist() for column in columns), strict=True
            )
        ]


class _Tracks:
    """All living tracks, a column each; what has a name is a view of one of two tables.

    Few calls count here, since at 20 objects NumPy takes longer to be called than to reckon: two tables are taken from,
    put to and joined at once. Noise is a share of the height, the same for all four coordinates, and so are variances.
    """

    def __init__(self, reals: Floats, whole: Integers) -> None:
        self.reals, self.whole = reals, whole
        self.state = reals[:4]
        self.speed = reals[4:8]  # per second
        self.variance, self.covariance, self.speed_variance, self.unseen_s, self.scores = reals[8:]
        self.ids, self.labels, self.counts = whole

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, count: int) -> "_Tracks":
        """Return so many, of zeros."""
        return cls(np.zeros((13, count)), np.zeros((3, count), np.int64))

    def taken(self, chosen: Integers) -> "_Tracks":
        """Return the chosen ones, as copies."""
        return _Tracks(self.reals.take(chosen, axis=1), self.whole.take(chosen, axis=1))

    def put(self, where: Integers, others: "_Tracks") -> None:
        """Set those at `where` to what `others` are."""
        self.reals[:, where] = others.reals
        self.whole[:, where] = others.whole

    def with_others(self, others: "_Tracks") -> "_Tracks":
        """Return both, others last."""
        return _Tracks(
            np.concatenate((self.reals, others.reals), axis=1), np.concatenate((self.whole, others.whole), axis=1)
        )


def _pairs(likeness: Floats, tracks: Integers, candidates: Integers, least: float) -> _Pairs:
    """Return which of `tracks` and which of `candidates` belong together."""
    if not len(tracks) or not len(candidates):
        return _NOBODY, _NOBODY
    part = likeness.take(tracks, axis=0).take(candidates, axis=1)
    column_of_row, _ = lap.lapjv(1.0 - part, extend_cost=True, return_cost=False)
    rows = (column_of_row >= 0).nonzero()[0]
    columns = column_of_row[rows]
    good = part[rows, columns] >= least
    return tracks[rows[good]], candidates[columns[good]]


def _corners(state: Floats) -> Floats:
    half = state[2:] / 2
    return np.concatenate((state[:2] - half, state[:2] + half))


def _likeness(tracks: Floats, measured: Floats) -> Floats:
    """Return how well each track explains each measurement, 0 to 1: overlap, helped by nearness of centres."""
    ours, theirs = tracks[:, :, None], measured[:, None, :]
    apart = np.abs(ours[:2] - theirs[:2])  # both coordinates at once, as all below that has two rows
    smaller = np.minimum(ours[2:], theirs[2:])
    shared = np.maximum(np.minimum(smaller, (ours[2:] + theirs[2:]) / 2 - apart), 0)
    overlap = shared[0] * shared[1]
    iou = overlap / np.maximum(ours[2] * ours[3] + theirs[2] * theirs[3] - overlap, TINY)
    taller = np.maximum(np.maximum(ours[3], theirs[3]), TINY)
    near = np.maximum(1 - np.hypot(apart[0], apart[1]) / (CENTRE_REACH * taller), 0)
    similar = smaller[1] / taller
    return np.asarray((1 - CENTRE_WEIGHT) * iou + CENTRE_WEIGHT * near * similar)
