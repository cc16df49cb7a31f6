"""Which precision is taken on which processor, and why."""

import pytest

from marengocam.core.errors import ModelError
from marengocam.settings import Settings
from marengocam.vision.detectors import choice
from marengocam.vision.detectors.precision import Precision, decide, has_vnni
from marengocam.vision.models import Models, commands

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
        (False, True, True, Precision.BF16, "INT8 would be faster still"),
        (False, False, True, Precision.BF16, "has BF16"),
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


def listed(tmp_path, monkeypatch, capsys, vnni, bf16, here="yolo11n-onnx", **changes):
    """Return what `models list` says after its table, with one detector here and this processor."""
    for module in (choice, commands):
        monkeypatch.setattr(module, "processor_has_vnni", lambda: vnni)
    monkeypatch.setattr("marengocam.vision.openvino_net.processor_has_bf16", lambda: bf16)
    monkeypatch.setattr(Models, "find", lambda _, spec, **__: tmp_path / "any" if spec.name == here else None)
    settings = Settings(data_dir=tmp_path, media_dir=tmp_path, download_models=False, **changes)
    assert commands.run(settings, "list", None) == 0
    return [
        line for line in capsys.readouterr().out.splitlines() if not line.startswith(("detector ", "face", "appear"))
    ]


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "f32")])
def test_the_list_tells_who_would_gain_by_int8_and_how_to_make_it(tmp_path, monkeypatch, capsys, bf16, precision):
    said, how = listed(tmp_path, monkeypatch, capsys, vnni=True, bf16=bf16)
    assert f"looks in {precision}: " in said
    assert "no INT8 network of it was made" in said
    assert "`marengocam models export yolo11n-onnx --int8`" in how


def test_the_list_advises_nothing_that_would_not_help(tmp_path, monkeypatch, capsys):
    for bf16, precision in ((True, "bf16"), (False, "f32")):
        (said,) = listed(tmp_path, monkeypatch, capsys, vnni=False, bf16=bf16)
        assert f"looks in {precision}: " in said
    (said,) = listed(tmp_path, monkeypatch, capsys, vnni=True, bf16=True, detector_precision="f32")
    assert "the setting detector_precision asks for it" in said
    (said,) = listed(tmp_path, monkeypatch, capsys, vnni=True, bf16=True, here="yolo11n-int8")
    assert "looks in int8: the only network that is here" in said
    assert listed(tmp_path, monkeypatch, capsys, vnni=True, bf16=True, here=None) == []
    assert listed(tmp_path, monkeypatch, capsys, vnni=True, bf16=True, detector="hog") == []


def test_the_list_says_what_a_setting_asks_for_in_vain(tmp_path, monkeypatch, capsys):
    (said,) = listed(tmp_path, monkeypatch, capsys, vnni=True, bf16=True, detector_precision="int8")
    assert "No INT8 network of this detector is here" in said
