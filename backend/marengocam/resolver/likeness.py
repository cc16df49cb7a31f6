"""How alike some unknown individuals are to each other: all looks of one against all looks of the other."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from marengocam.core.calibration import appearance_log_ratios, face_log_ratios
from marengocam.core.identity import Floats, Looks, Portraits
from marengocam.resolver.fusion import MOST_TRUST

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Alike:
    """Log ratios of two identities being one individual, by their looks; for both orders of each pair."""

    apart: dict[Pair, float]  # as they are
    with_track: dict[Pair, float]  # the first one together with the track's own look


def like_it(looks: Looks, ratios: Floats) -> set[UUID]:
    """Return who is more like a track than somebody else would be, in one look at least, as the log ratios say."""
    return {looks.owners[code] for code in looks.owner[ratios > 0].tolist()}


def alike_faces(faces: Portraits) -> Alike:
    """Compare faces."""
    own, others = faces.qualities[:, None], faces.qualities[None, :]
    return _alike(faces, lambda cosines: face_log_ratios(faces.model, cosines, own, others))


def alike_clothes(looks: Portraits) -> Alike:
    """Compare clothes and build, fading with the seconds between two sights."""
    own, others = looks.qualities[:, None], looks.qualities[None, :]
    apart_s = np.abs(looks.at_s[:, None] - looks.at_s[None, :])
    return _alike(looks, lambda cosines: appearance_log_ratios(looks.model, cosines, own, others, apart_s))


def _alike(portraits: Portraits, weigh: Callable[[Floats], Floats]) -> Alike:
    """Weigh each look of one as a mixture of the other's looks, and take the mean over all looks of both.

    The mean: looks of one individual are much alike, so that they do not add up, and a single odd one does not decide.
    """
    cosines = (portraits.vectors @ portraits.vectors.T).astype(np.float64)
    both = np.outer(*[np.clip(portraits.trusts, 0.0, MOST_TRUST)] * 2)
    ratios = both * np.exp(weigh(np.clip(cosines, -1.0, 1.0))) + 1 - both
    among, track = ratios[1:, 1:], ratios[0, 1:]  # the first look is the track's own
    starts = np.flatnonzero(np.diff(portraits.owner, prepend=-1))
    counts = np.diff(starts, append=len(portraits.owner))
    sums = np.add.reduceat(among, starts, axis=1)

    def means(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, starts, axis=0) / counts[:, None])

    one_way = means(np.log(sums / counts))
    other_way = means(np.log((sums + track[:, None]) / (counts + 1))).T
    tracks = np.log(np.add.reduceat(track, starts) / counts)
    joined = (counts[:, None] * one_way + tracks) / (counts[:, None] + 1)
    owners = [portraits.identity_ids[code] for code in portraits.owner[starts]]
    return Alike(_pairs(owners, (one_way + one_way.T) / 2), _pairs(owners, (joined + other_way) / 2))


def _pairs(owners: list[UUID], ratios: Floats) -> dict[Pair, float]:
    table = ratios.tolist()
    return {
        (one, other): table[row][column]
        for row, one in enumerate(owners)
        for column, other in enumerate(owners)
        if row != column
    }
