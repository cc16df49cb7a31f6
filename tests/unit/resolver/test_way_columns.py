"""What known ways say of many at once is what they say of each."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.identity import Transit
from marengocam.resolver.spacetime import LONGEST_S, Way, way_ratio
from marengocam.resolver.way_columns import way_ratios

TOLD = Transit(1, log(20), 0.5, told=True)
WAYS = (
    Way(Transit(20, log(60), 0.3)),
    Way(TOLD),
    Way(None, moves=3.0, all_moves=9.0, chance=0.2),
    Way(None, moves=0.0, all_moves=40.0, chance=0.5),
    Way(Transit(0.4, log(300), 0.01), moves=7.5, all_moves=8.0, chance=0.1),
)


@given(st.lists(st.tuples(st.integers(0, len(WAYS) - 1), st.floats(10.5, 4 * LONGEST_S)), min_size=1))
def test_many_are_told_what_each_is(taken: list[tuple[int, float]]) -> None:
    which, seconds = np.array([way for way, _ in taken]), np.array([apart_s for _, apart_s in taken])
    found = way_ratios(WAYS, which, seconds).tolist()
    assert found == [pytest.approx(way_ratio(WAYS[way], apart_s), abs=1e-12) for way, apart_s in taken]
