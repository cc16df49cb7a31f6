"""Model files: only known contents are used, downloads resume, are verified, limited and given up."""

import hashlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from marengocam.core.errors import BadInputError, ModelError
from marengocam.settings import Settings
from marengocam.vision.detectors import load_detector
from marengocam.vision.detectors.batching import BatchingDetector
from marengocam.vision.detectors.choice import load_in_place_of
from marengocam.vision.detectors.hog import HogDetector
from marengocam.vision.faces import load_face_analyser
from marengocam.vision.models import Models, ModelSpec, Role
from marengocam.vision.models.commands import run
from marengocam.vision.models.download import BASE_VARIABLE, fetch_model
from marengocam.vision.models.registry import MODELS

CONTENT = bytes(range(256)) * 4000
SPEC = ModelSpec(
    "test-model",
    Role.DETECTOR,
    "test.onnx",
    hashlib.sha256(CONTENT).hexdigest(),
    len(CONTENT),
    "none",
    "none",
    "https://example.invalid/test.onnx",
)


class Mirror(ThreadingHTTPServer):
    """An upstream that can break off, ignore ranges, or serve something else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = CONTENT
        self.breaks_after: int | None = None
        self.takes_ranges = True
        self.ranges: list[str | None] = []


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.takes_ranges else 0
        if start >= len(self.server.content):
            self.send_error(416)
            return
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.breaks_after])

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv(BASE_VARIABLE, f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_fetched_model_lies_under_its_name_and_nothing_else_is_left(mirror: Mirror, tmp_path: Path) -> None:
    file = fetch_model(SPEC, tmp_path / "models")
    assert file.read_bytes() == CONTENT
    assert [found.name for found in (tmp_path / "models").iterdir()] == ["test.onnx"]


def test_a_broken_download_goes_on_where_it_stopped_however_often_it_breaks(mirror: Mirror, tmp_path: Path) -> None:
    mirror.breaks_after = 400_000
    for _ in range(2):
        with pytest.raises(ModelError, match="fetched next time"):
            fetch_model(SPEC, tmp_path)
    assert fetch_model(SPEC, tmp_path).read_bytes() == CONTENT
    assert mirror.ranges == [None, "bytes=400000-", "bytes=800000-"]


def test_an_upstream_without_ranges_is_read_from_the_start_again(mirror: Mirror, tmp_path: Path) -> None:
    mirror.breaks_after, mirror.takes_ranges = 300_000, False
    with pytest.raises(ModelError):
        fetch_model(SPEC, tmp_path)
    mirror.breaks_after = None
    assert fetch_model(SPEC, tmp_path).read_bytes() == CONTENT


def test_a_wholly_fetched_partial_file_is_taken(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "test.onnx.partial").write_bytes(CONTENT)
    assert fetch_model(SPEC, tmp_path).read_bytes() == CONTENT


def test_other_content_is_refused_and_deleted(mirror: Mirror, tmp_path: Path) -> None:
    mirror.content = CONTENT[::-1]
    with pytest.raises(ModelError, match="not the known file"):
        fetch_model(SPEC, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_endless_file_is_cut_off(mirror: Mirror, tmp_path: Path) -> None:
    mirror.content = CONTENT * 3
    with pytest.raises(ModelError, match="larger than it should be"):
        fetch_model(SPEC, tmp_path)
    assert (tmp_path / "test.onnx.partial").stat().st_size == 0


def test_a_service_that_is_told_to_end_does_not_wait_for_a_download(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="too long"):
        fetch_model(SPEC, tmp_path, stopping=lambda: True)
    assert (tmp_path / "test.onnx.partial").stat().st_size > 0  # what came is kept


def test_offline_the_message_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror
) -> None:
    monkeypatch.setenv(BASE_VARIABLE, "http://127.0.0.1:9")  # nobody listens on the discard port
    with pytest.raises(ModelError, match=r"put test\.onnx into .* or set MARENGOCAM_MODELS_DIR"):
        fetch_model(SPEC, tmp_path)


def _settings(tmp_path: Path, **changes: object) -> Settings:
    settings = Settings(data_dir=tmp_path / "data", media_dir=tmp_path / "media", download_models=False)
    return replace(settings, **changes)


def test_the_owners_folder_comes_before_the_data_folder(tmp_path: Path) -> None:
    settings = _settings(tmp_path, models_dir=tmp_path / "own")
    for folder in (tmp_path / "own", tmp_path / "data" / "models"):
        folder.mkdir(parents=True)
        (folder / "test.onnx").write_bytes(CONTENT)
    assert Models(settings).find(SPEC) == tmp_path / "own" / "test.onnx"


def test_a_file_with_other_content_is_not_used_and_the_owner_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = _settings(tmp_path, models_dir=tmp_path)
    (tmp_path / "test.onnx").write_bytes(CONTENT + b"!")
    with caplog.at_level(logging.WARNING):
        assert Models(settings).find(SPEC) is None
    assert "is not used" in caplog.text
    assert "models fetch test-model" in caplog.text


def test_downloads_happen_only_when_allowed_and_once_a_start(mirror: Mirror, tmp_path: Path) -> None:
    assert Models(_settings(tmp_path)).find(SPEC, download=True) is None
    assert mirror.ranges == []

    mirror.breaks_after = 1000
    models = Models(_settings(tmp_path, download_models=True))
    assert [models.find(SPEC, download=True) for _ in range(3)] == [None] * 3
    assert len(mirror.ranges) == 1


def test_without_any_model_people_are_found_by_opencv_and_faces_not_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = _settings(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert load_detector(settings, Models(settings)).name == "hog-people-opencv"
    assert "built-in people detector" in caplog.text
    assert load_face_analyser(settings, Models(settings)) is None


def test_a_detector_asked_for_by_name_is_not_silently_another(tmp_path: Path) -> None:
    for name in ("openvino", "ultralytics"):
        settings = _settings(tmp_path, detector=name)
        with pytest.raises(ModelError, match="models list"):
            load_detector(settings, Models(settings))


def test_in_place_of_a_detector_that_hangs_on_a_gpu_the_processor_looks_else_the_same_again(tmp_path: Path) -> None:
    on_gpu, on_cpu = BatchingDetector(HogDetector()), HogDetector()
    settings = _settings(tmp_path, detector="ultralytics")
    assert isinstance(load_in_place_of(on_gpu, settings, Models(settings))(), HogDetector)
    with pytest.raises(ModelError, match="models list"):
        load_in_place_of(on_cpu, settings, Models(settings))()


def test_verify_fails_while_a_role_has_no_file_and_fetch_names_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = _settings(tmp_path)
    assert run(settings, "verify", None) == 1
    listed = capsys.readouterr().out
    assert all(spec.name in listed for spec in MODELS)
    with pytest.raises(BadInputError, match="yunet-2023mar"):
        run(settings, "fetch", "no-such-model")


def test_every_known_model_is_pinned_and_fetched_over_https() -> None:
    assert len({spec.name for spec in MODELS}) == len(MODELS)
    for spec in MODELS:
        assert len(bytes.fromhex(spec.sha256)) == 32
        assert spec.size_bytes > 100_000
        assert spec.url is None or spec.url.startswith("https://")
