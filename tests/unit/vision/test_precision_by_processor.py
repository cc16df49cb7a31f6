"""Which precision is taken on which processor, and why."""

import pytest

from marengocam.core.errors import ModelError
from marengocam.vision.detectors.precision import Precision, decide, has_vnni

N100 = "processor\t: 0\nflags\t\t: fpu avx2 fma avx_vnni gfni\n"
ZEN5 = "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni avx512_bf16\n"
HASWELL = "processor\t: 0\nflags\t\t: fpu avx2 fma\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp\n"


def test_vnni_is_read_from_the_processors_flags():
    assert [has_vnni(text) for text in (N100, ZEN5, HASWELL, ARM, "")] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("made", "vnni", "bf16", "precision", "reason"),
    [
        (True, True, False, Precision.INT8, "has VNNI"),
        (True, True, True, Precision.INT8, "has VNNI"),
        (False, True, True, Precision.BF16, "has BF16"),
        (False, True, False, Precision.F32, "no INT8 network of it was made"),
        (True, False, True, Precision.BF16, "has BF16"),
        (True, False, False, Precision.F32, "for processors with VNNI, which this one has not"),
        (False, False, False, Precision.F32, "neither BF16 nor VNNI"),
    ],
)
def test_the_processor_decides(made, vnni, bf16, precision, reason):
    decided, why = decide("auto", made_int8=made, vnni=vnni, bf16=bf16)
    assert decided is precision
    assert reason in why


def test_the_setting_comes_before_the_processor():
    for wanted in Precision:
        decided, why = decide(str(wanted), made_int8=True, vnni=False, bf16=True)
        assert decided is wanted
        assert "detector_precision" in why


def test_what_was_asked_for_is_not_silently_another():
    with pytest.raises(ModelError, match=r"models export NAME --int8"):
        decide("int8", made_int8=False, vnni=True, bf16=True)
    with pytest.raises(ModelError, match="no BF16"):
        decide("bf16", made_int8=True, vnni=True, bf16=False)
