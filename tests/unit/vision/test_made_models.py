"""Models made here are found by their side file, and only what it vouches for is used."""

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from marengocam.core.errors import ModelError
from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.settings import Settings
from marengocam.vision.models import Models, Role, spec_named
from marengocam.vision.models.keeping import compared
from marengocam.vision.models.made import MAX_SIDE_BYTES, SIDE_SUFFIX, MadeModel, hashes, install, made_in, origin_of

ORIGIN = spec_named("yolo11n-onnx")
NAME = "yolo11n-onnx-int8"


def parts_in(place: Path, content: bytes) -> dict[str, Path]:
    place.mkdir(parents=True, exist_ok=True)
    parts = {".xml": place / "any.xml", ".bin": place / "any.bin"}
    for suffix, part in parts.items():
        part.write_bytes(content + suffix.encode())
    return parts


def made(parts: dict[str, Path], **changes) -> MadeModel:
    whole = MadeModel(
        NAME,
        ORIGIN.name,
        ORIGIN.sha256,
        hashes(parts),
        10,
        "2026-11-26T18:00:00+00:00",
        "nncf 3.4.0",
        ORIGIN.name,
        ORIGIN.digest,
        kept_share=0.99,
    )
    return replace(whole, **changes)


def installed(folder: Path, content: bytes = b"one", **changes) -> Path:
    parts = parts_in(folder.parent / "making", content)
    folder.mkdir(parents=True, exist_ok=True)
    return install(made(parts, **changes), parts, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", media_dir=tmp_path / "media", download_models=False)


def test_what_was_made_is_found_and_tells_what_it_is(folder: Path, settings: Settings) -> None:
    file = installed(folder)
    small, found = Models(settings).int8_of(ORIGIN)
    assert found == file
    assert (small.name, small.role, small.licence) == (NAME, Role.DETECTOR, ORIGIN.licence)
    assert "INT8 of yolo11n-onnx, made here on 2026-11-26: finds 0.990" in small.quality
    assert origin_of(small, file) is ORIGIN
    assert Models(settings).best(Role.DETECTOR) == (small, file), "where nothing else is, it is the detector"


@pytest.mark.parametrize("suffix", [".xml", ".bin"])
def test_a_file_that_was_changed_is_not_used_and_the_owner_is_told(
    folder: Path, settings: Settings, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = installed(folder).with_suffix(suffix)
    file.write_bytes(file.read_bytes() + b"!")
    with caplog.at_level(logging.WARNING):
        assert Models(settings).int8_of(ORIGIN) is None
        assert Models(settings).best(Role.DETECTOR) is None
    assert "is not used" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"made_of": "no-such-model"},
        {"made_of_sha256": "0" * 64},
        {"name": "../yolo"},
        {"name": "yolo11n"},
        {"files": {".pt": "0" * 64}},
        {"files": {".onnx": "0" * 64, ".pt": "0" * 64}},
        {"files": {".bin": "0" * 64, ".xml": "0" * 64}},
        {"files": {".onnx": "/../../etc/passwd"}},
    ],
    ids="-".join,
)
def test_a_side_file_that_names_no_known_source_or_other_files_is_not_believed(folder: Path, changes: dict) -> None:
    installed(folder)
    side = folder / f"{NAME}{SIDE_SUFFIX}"
    content = json.loads(side.read_text()) | changes
    other = folder / f"{content['name'].replace('/', '_')}{SIDE_SUFFIX}"
    other.write_text(json.dumps(content))
    if other != side:
        side.unlink()
    assert list(made_in(folder)) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": 1}', b" " * (MAX_SIDE_BYTES + 1), b"\xff\xfe"])
def test_a_side_file_that_is_none_is_passed_over(folder: Path, content: bytes) -> None:
    installed(folder)
    (folder / f"{NAME}{SIDE_SUFFIX}").write_bytes(content)
    assert list(made_in(folder)) == []


def test_a_side_file_under_another_name_is_passed_over(folder: Path) -> None:
    installed(folder)
    (folder / f"{NAME}{SIDE_SUFFIX}").rename(folder / f"other{SIDE_SUFFIX}")
    assert list(made_in(folder)) == []


def test_making_it_again_replaces_it_and_leaves_no_other_file(folder: Path, settings: Settings) -> None:
    former = installed(folder)
    (folder / "yolo11n-onnx-int8-mine.xml").write_text("the owner's own")
    latter = installed(folder, b"two")
    assert latter != former
    assert Models(settings).int8_of(ORIGIN)[1] == latter
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [f"{NAME}{SIDE_SUFFIX}", latter.name, latter.with_suffix(".bin").name, "yolo11n-onnx-int8-mine.xml"]
    )


@pytest.mark.parametrize("steps", range(4))
def test_interrupted_at_any_step_the_former_holds(
    folder: Path, settings: Settings, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = installed(folder)
    whole, done = Path.replace, []

    def replacing(self: Path, target: Path) -> Path:
        if len(done) == steps:
            raise OSError(28, "No space left on device")
        done.append(self)
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", replacing)
    if steps < 3:
        with pytest.raises(ModelError, match="No space left"):
            installed(folder, b"two")
        assert Models(settings).int8_of(ORIGIN)[1] == former
    else:
        latter = installed(folder, b"two")
        assert Models(settings).int8_of(ORIGIN)[1] == latter


def test_int8_of_another_network_is_not_taken_for_this_one(folder: Path, settings: Settings) -> None:
    installed(folder, int8_of_digest="1" * 64)
    assert Models(settings).int8_of(ORIGIN) is None


def test_a_full_precision_network_comes_before_int8_when_the_best_is_looked_for(
    folder: Path, settings: Settings
) -> None:
    installed(folder)
    plain = installed(folder, b"full", name="yolo11n-exported", int8_of=None, int8_of_digest=None, kept_share=None)
    spec, file = Models(settings).best(Role.DETECTOR)
    assert (spec.name, file) == ("yolo11n-exported", plain)
    assert "made here of yolo11n-onnx on 2026-11-26" in spec.quality


def test_the_owners_folder_comes_first(tmp_path: Path, settings: Settings) -> None:
    mine = installed(tmp_path / "own")
    installed(tmp_path / "data" / "models", b"two")
    own = replace(settings, models_dir=tmp_path / "own")
    assert Models(own).int8_of(ORIGIN)[1] == mine


def test_weights_count_in_what_tells_two_networks_apart(tmp_path: Path) -> None:
    parts = parts_in(tmp_path, b"one")
    one = made(parts).spec()
    parts[".bin"].write_bytes(b"other weights")
    other = made(parts).spec()
    assert one.sha256 == other.sha256
    assert one.digest != other.digest


def test_a_made_model_survives_its_side_file(tmp_path: Path) -> None:
    whole = made(parts_in(tmp_path, b"one"))
    installed(tmp_path / "models")
    assert asdict(whole) == json.loads((tmp_path / "models" / f"{NAME}{SIDE_SUFFIX}").read_text())


def test_what_is_kept_is_counted_both_ways() -> None:
    def one(x: float, score: float = 0.9, label: str = "person") -> Detection:
        return Detection(label, score, Box(x, 0.1, x + 0.1, 0.4))

    full = [[one(0.1), one(0.5), one(0.8, 0.45)], [one(0.3, label="car")], []]
    small = [[one(0.105, 0.42), one(0.8, 0.55)], [one(0.3, label="truck")], [one(0.7)]]
    keeping = compared(full, small)
    assert (keeping.sure, keeping.kept, keeping.told, keeping.backed) == (3, 1, 3, 1)
    assert (keeping.kept_share, keeping.backed_share) == pytest.approx((1 / 3, 1 / 3))
    assert compared([[]], [[]]).kept_share == 0.0, "nothing seen is nothing shown"
