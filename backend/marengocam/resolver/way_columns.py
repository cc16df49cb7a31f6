"""What known ways say of many who may have taken them: as `spacetime.way_ratio` says of one, worked out at once."""

from collections.abc import Iterable

import numpy as np

from marengocam.core.calibration import clipped
from marengocam.core.identity import Floats, Places
from marengocam.resolver.spacetime import (
    BACKGROUND_DEVIATION,
    BACKGROUND_MEAN_LOG,
    LONGEST_S,
    MOVES_PRIOR,
    TRANSIT_LIMIT,
    Way,
    deviation_of,
)


def way_ratios(ways: Iterable[Way], which: Places, seconds: Floats) -> Floats:
    """Return what is known of ways says of having taken them in that time; `which` of them each took."""
    table = np.array([_row(one) for one in ways]).T
    timed, told, count, mean, deviation, moves, all_moves = table[:, which]
    logs = np.log(seconds)
    usual = -(logs + np.log(deviation)) - (logs - mean) ** 2 / (2 * deviation**2)
    unrelated = -(logs + _BACKGROUND_LOG) - (logs - BACKGROUND_MEAN_LOG) ** 2 / (2 * BACKGROUND_DEVIATION**2)
    time = clipped(usual - unrelated, *TRANSIT_LIMIT) * timed
    likelier = np.exp(time)
    by_time = np.where(told > 0, time, np.log((count * likelier + 1.0) / (count + 1.0)))
    whither = clipped(np.log((moves * likelier + MOVES_PRIOR) / (all_moves + MOVES_PRIOR)), *TRANSIT_LIMIT)
    return np.where((all_moves > 0) & (seconds <= LONGEST_S), whither, by_time)


_BACKGROUND_LOG = float(np.log(BACKGROUND_DEVIATION))


def _row(way: Way) -> tuple[float, ...]:
    """Return a way as numbers; without a known time it is told nothing by how long it took."""
    moves = way.moves / way.chance
    if way.time is None:
        return 0.0, 0.0, 0.0, 0.0, 1.0, moves, way.all_moves
    one = way.time
    return 1.0, float(one.told), one.count, one.mean_log_s, deviation_of(one), moves, way.all_moves
