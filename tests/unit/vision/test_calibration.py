"""From cosine to evidence: rises with likeness, is bounded, fades, and trusts the unknown little."""

import numpy as np
import pytest

from marengocam.core.calibration import (
    APPEARANCE_END_S,
    APPEARANCE_FITS,
    APPEARANCE_HALF_LIFE_S,
    FACE_FITS,
    UNKNOWN_APPEARANCE_FIT,
    UNKNOWN_FACE_FIT,
    appearance_log_ratio,
    face_log_ratio,
)

COSINES = np.linspace(-1, 1, 201)
ALL_FITS = [*FACE_FITS.values(), *APPEARANCE_FITS.values(), UNKNOWN_FACE_FIT, UNKNOWN_APPEARANCE_FIT]


@pytest.mark.parametrize("fit", ALL_FITS)
@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_evidence_never_falls_with_likeness_beyond_its_turning_point_and_is_bounded(fit, quality) -> None:
    ratios = np.array([fit.log_ratio(float(cosine), quality, quality) for cosine in COSINES])
    assert ratios.min() >= fit.lowest
    assert ratios.max() <= fit.highest
    assert ratios[-1] == ratios.max()
    inside = ratios[fit.other_mean <= COSINES]
    assert np.all(np.diff(inside) >= -0.05)


@pytest.mark.parametrize("model", FACE_FITS)
def test_a_face_alike_speaks_for_and_a_stranger_speaks_against(model: str) -> None:
    assert face_log_ratio(model, 0.65, 0.9, 0.9) > 4
    assert face_log_ratio(model, 0.05, 0.9, 0.9) < -1


def test_a_bad_picture_weakens_what_a_poor_likeness_says_against_somebody() -> None:
    assert face_log_ratio("mobilefacenet-128", 0.2, 0.1, 0.9) > face_log_ratio("mobilefacenet-128", 0.2, 1.0, 0.9)


@pytest.mark.parametrize("model", FACE_FITS)
def test_two_blurred_faces_are_alike_by_their_blur_and_say_little(model: str) -> None:
    assert abs(face_log_ratio(model, 0.55, 0.2, 0.2)) < 0.7
    assert face_log_ratio(model, 0.55, 0.2, 0.9) > 2, "beside a sharp face it is his own look that is alike"


def test_a_blurred_face_unlike_somebody_hardly_denies_him() -> None:
    assert face_log_ratio("mobilefacenet-128", 0.0, 0.2, 0.9) > -0.5


def test_an_unknown_model_never_weighs_as_much_as_a_measured_one() -> None:
    assert face_log_ratio("somebody-elses", 0.99, 1.0, 1.0) <= UNKNOWN_FACE_FIT.highest < 4
    assert appearance_log_ratio("somebody-elses", 0.99, 1.0, 1.0, 0) <= 1


def test_appearance_fades_with_time_and_ends() -> None:
    model = "omz-reid-0287-256"
    now, later = (appearance_log_ratio(model, 0.7, 0.8, 0.8, after_s) for after_s in (0, APPEARANCE_HALF_LIFE_S))
    assert later == pytest.approx(now / 2)
    assert appearance_log_ratio(model, 0.7, 0.8, 0.8, APPEARANCE_END_S) == 0
