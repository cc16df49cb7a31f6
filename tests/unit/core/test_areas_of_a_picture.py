"""Where something stands, by the areas that an owner draws: also at the very edge of the picture."""

import pytest

from marengocam.core.camera_options import Analysis
from marengocam.core.geometry import Box, polygon_contains

WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
LOWER_HALF = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
UPPER_HALF = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))
CUT_OFF_BY_THE_LOWER_EDGE = Box(0.4, 0.3, 0.6, 1.0)


@pytest.mark.parametrize("point", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.5)])
@pytest.mark.parametrize("polygon", [WHOLE, WHOLE[::-1], WHOLE[1:] + WHOLE[:1]])
def test_an_area_that_reaches_the_picture_s_edge_holds_what_stands_on_that_edge(polygon, point):
    assert polygon_contains(polygon, point)


def test_whoever_the_lower_edge_cuts_off_stands_in_the_area_drawn_down_to_it_and_in_no_other():
    assert polygon_contains(LOWER_HALF, CUT_OFF_BY_THE_LOWER_EDGE.foot)
    assert not polygon_contains(UPPER_HALF, CUT_OFF_BY_THE_LOWER_EDGE.foot)
    assert Analysis(masks=(LOWER_HALF,)).masked(CUT_OFF_BY_THE_LOWER_EDGE)
    assert not Analysis(masks=(UPPER_HALF,)).masked(CUT_OFF_BY_THE_LOWER_EDGE)


@pytest.mark.parametrize("line", [((0.1, 0.1), (0.9, 0.9), (0.1, 0.1)), ((0.5, 0.5),) * 3])
def test_an_area_without_extent_holds_nothing(line):
    assert not polygon_contains(line, (0.5, 0.4))
    assert not polygon_contains(line, (0.5, 1.0))
