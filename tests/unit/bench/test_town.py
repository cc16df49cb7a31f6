"""The made-up town draws looks as core/calibration.py says."""

from itertools import combinations

import numpy as np
import pytest
from tests.bench.town import CLOTHES, CLOTHES_SIZE, FACE, FACE_SIZE, look, population

from marengocam.core.calibration import APPEARANCE_FITS, FACE_FITS, CosineFit

PEOPLE, LOOKS = 160, 4
GOOD = 1.0  # at this quality the fits' numbers hold as they stand


@pytest.mark.parametrize(
    ("model", "size", "fit"),
    [(FACE, FACE_SIZE, FACE_FITS[FACE]), (CLOTHES, CLOTHES_SIZE, APPEARANCE_FITS[CLOTHES])],
)
def test_looks_of_the_same_and_of_different_people_are_as_alike_as_the_fit_says(
    model: str, size: int, fit: CosineFit
) -> None:
    rng = np.random.default_rng(1)
    people = population(rng, PEOPLE, size, fit)
    looks = np.array([[look(rng, one, model, fit, GOOD).vector for _ in range(LOOKS)] for one in people])
    same = [float(a @ b) for one in looks for a, b in combinations(one, 2)]
    other = [float(a @ b) for one, two in combinations(looks, 2) for a in one for b in two]
    assert np.mean(same) == pytest.approx(fit.same_mean, abs=0.04)
    assert np.mean(other) == pytest.approx(fit.other_mean, abs=0.02)
    assert np.std(same) == pytest.approx(fit.same_deviation, abs=0.025)
    assert np.std(other) == pytest.approx(fit.other_deviation, abs=0.012)
