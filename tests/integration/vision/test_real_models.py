"""The real models on real footage, where both are: what they have to find, tell apart and agree on."""

import csv
import gzip
import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from tests.support.shared_assets import needed_folder

from marengocam.core.calibration import appearance_log_ratio, face_log_ratio
from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.settings import Settings
from marengocam.vision import appearance
from marengocam.vision.appearance import AppearanceEncoder, ColourTexture, load_appearance_encoder
from marengocam.vision.crops import cut
from marengocam.vision.detectors import load_detector
from marengocam.vision.faces import FaceAnalyser, load_face_analyser
from marengocam.vision.models import Models
from marengocam.vision.tracker import Tracker

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAME_BOX_IOU = 0.5
MIN_RECALL = 0.9  # of the boxes that the same weights gave elsewhere, at a score of 0.5


def settings_with(models: Path, data: Path) -> Settings:
    return Settings(data_dir=data, media_dir=data, models_dir=models, download_models=False, detector="openvino")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_with(needed_folder("models"), tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def footage() -> Path:
    return needed_folder("footage")


def frames_of(file: Path, numbers: set[int]) -> dict[int, np.ndarray]:
    """Return the wanted frames as RGB."""
    wanted = {}
    with av.open(str(file)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in numbers:
                wanted[number] = frame.to_ndarray(format="rgb24")
            if number >= max(numbers):
                break
    return wanted


def reference(footage: Path, clip: str) -> dict:
    return json.loads(gzip.decompress((footage / "detections" / f"{clip}.json.gz").read_bytes()))


def truth_rows(footage: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((footage / "truth" / f"{name}_identities.csv").read_text().splitlines()))


def overlap(one: Box, other: Box) -> float:
    width = min(one.x2, other.x2) - max(one.x1, other.x1)
    height = min(one.y2, other.y2) - max(one.y1, other.y1)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.area + other.area - shared)


def people(detections: dict, frame: int, least: float) -> list[Detection]:
    wide, high = detections["width"], detections["height"]
    return [
        Detection("person", score, Box(x1 / wide, y1 / high, x2 / wide, y2 / high))
        for label, score, x1, y1, x2, y2 in detections["detections"].get(str(frame), [])
        if label == 0 and score >= least
    ]


@pytest.mark.parametrize("clip", ["plaza_a_cam1", "lab4_cam2", "people_detection"])
def test_the_detector_agrees_with_what_the_same_weights_found_elsewhere(
    settings: Settings, footage: Path, clip: str
) -> None:
    detector = load_detector(settings, Models(settings))
    assert detector.name.startswith("yolo11n-openvino-")
    known = reference(footage, clip)
    numbers = sorted(int(frame) for frame in known["detections"] if people(known, int(frame), 0.5))[::25][:12]
    expected = found = 0
    for number, picture in frames_of(footage / f"{clip}.mp4", set(numbers)).items():
        seen = [one.box for one in detector.detect([picture], 0.3)[0] if one.label == "person"]
        boxes = [one.box for one in people(known, number, 0.5)]
        expected += len(boxes)
        found += sum(any(overlap(box, other) >= SAME_BOX_IOU for other in seen) for box in boxes)
    assert expected >= 10
    assert found >= MIN_RECALL * expected


def test_cars_from_above_and_an_empty_picture_hold_no_people(settings: Settings, footage: Path) -> None:
    detector = load_detector(settings, Models(settings))
    cars = frames_of(footage / "car_detection.mp4", {20, 60, 100})
    assert [
        one for picture in cars.values() for one in detector.detect([picture], 0.4)[0] if one.label == "person"
    ] == []
    assert detector.detect([np.full((360, 640, 3), 90, np.uint8)], 0.4) == [[]]


@pytest.mark.parametrize(("clip", "most_switches"), [("people_detection", 0), ("plaza_a_cam2", 3)])
def test_people_keep_their_track(footage: Path, clip: str, most_switches: int) -> None:
    known, tracker = reference(footage, clip), Tracker()
    truth: dict[int, list[tuple[str, Box]]] = defaultdict(list)
    name = "plaza_a" if clip.startswith("plaza") else clip
    for row in truth_rows(footage, name):
        if row["clip"] == clip:
            corners = [float(row[key]) for key in ("x1", "y1", "x2", "y2")]
            box = Box(*(value / known[side] for value, side in zip(corners, ("width", "height") * 2, strict=True)))
            truth[int(row["frame"])].append((row["person"], box))
    tracks: dict[str, list[int]] = defaultdict(list)
    labelled = 0
    for frame in range(0, known["frames"], 2):
        objects = tracker.update(people(known, frame, 0.25), START + timedelta(seconds=frame / known["fps"]))
        for person, box in truth[frame]:
            labelled += 1
            near = [one for one in objects if one.confirmed and overlap(one.box, box) >= SAME_BOX_IOU]
            tracks[person] += [max(near, key=lambda one: overlap(one.box, box)).track_id] if near else []
    switches = sum(one != other for ids in tracks.values() for one, other in itertools.pairwise(ids))
    assert sum(map(len, tracks.values())) >= 0.9 * labelled
    assert switches <= most_switches


def crops_of(footage: Path, name: str, every: int) -> list[tuple[str, str, int, np.ndarray]]:
    """Return (person, clip, frame, picture) of the labelled people."""
    rows = truth_rows(footage, name)
    chosen = [row for row in rows if row["person"] != "not_a_person"][::every]
    crops = []
    for clip in sorted({row["clip"] for row in chosen}):
        mine = [row for row in chosen if row["clip"] == clip]
        frames = frames_of(footage / f"{clip}.mp4", {int(row["frame"]) for row in mine})
        for row in mine:
            picture = frames[int(row["frame"])]
            corners = [float(row[key]) for key in ("x1", "y1", "x2", "y2")]
            high, wide = picture.shape[:2]
            box = Box(*(value / side for value, side in zip(corners, (wide, high) * 2, strict=True)))
            crops.append((row["person"], clip, int(row["frame"]), cut(picture, box)))
    return crops


@pytest.mark.parametrize(("statistics", "least"), [(False, 0.95), (True, 0.6)], ids=["network", "statistics"])
def test_the_likest_crop_of_another_view_is_mostly_the_same_person(
    settings: Settings, footage: Path, statistics: bool, least: float
) -> None:
    encoder: AppearanceEncoder = ColourTexture() if statistics else load_appearance_encoder(settings, Models(settings))
    crops = crops_of(footage, "lab4", 3)
    vectors = np.stack([one.vector for one in encoder.encode([crop for *_, crop in crops])])
    cosines = vectors @ vectors.T
    right = 0
    for index, (person, clip, _, _) in enumerate(crops):
        elsewhere = [other for other, one in enumerate(crops) if one[1] != clip]
        right += crops[max(elsewhere, key=lambda other: cosines[index, other])][0] == person
    assert right >= least * len(crops)


def test_a_rounded_network_says_of_people_what_it_says_in_full_precision(
    settings: Settings, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounded = load_appearance_encoder(settings, Models(settings))
    monkeypatch.setattr(appearance, "BF16_DOES", frozenset())
    full = load_appearance_encoder(settings, Models(settings))
    crops = [crop for *_, crop in crops_of(footage, "lab4", 6)]
    ours, exact = (np.stack([one.vector for one in encoder.encode(crops)]) for encoder in (rounded, full))
    assert (ours * exact).sum(axis=1).min() >= 0.998, "1 where the processor has no BF16"
    assert np.abs(ours @ ours.T - exact @ exact.T).max() < 0.02, "of two people's likeness"


def test_evidence_of_appearance_points_the_right_way(settings: Settings, footage: Path) -> None:
    encoder = load_appearance_encoder(settings, Models(settings))
    crops = crops_of(footage, "people_detection", 15)
    embedded = encoder.encode([crop for *_, crop in crops])
    evidence: dict[bool, list[float]] = {True: [], False: []}
    for one, other in itertools.combinations(range(len(crops)), 2):
        cosine = float(embedded[one].vector @ embedded[other].vector)
        ratio = appearance_log_ratio(encoder.model, cosine, embedded[one].quality, embedded[other].quality, 10)
        evidence[crops[one][0] == crops[other][0]].append(ratio)
    assert np.median(evidence[True]) > 1
    assert np.median(evidence[False]) < -1


@pytest.fixture(scope="module")
def analyser(settings: Settings) -> FaceAnalyser:
    loaded = load_face_analyser(settings, Models(settings))
    assert loaded is not None
    return loaded


def read_rgb(file: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)


def test_faces_of_one_person_are_liker_than_any_two_people(analyser: FaceAnalyser) -> None:
    faces = needed_folder("faces")
    portraits = {
        "obama": ["obama.jpg", "obama1.jpg", "obama2.jpg", "obama3.jpg"],
        "biden": ["biden.jpg", "biden2.jpg"],
        "woman": ["clip_woman_grey_top_2.png", "clip_woman_grey_top_3.png"],
        "man": ["clip_man_blue_tshirt_1.png", "clip_man_blue_tshirt_2.png"],
        "miranda": ["lin-manuel-miranda.png"],
    }
    seen = []
    for name, files in portraits.items():
        for file in files:
            (face,) = analyser.faces(read_rgb(faces / file))
            assert face.embedding is not None
            seen.append((name, face.embedding))
    same, other = [], []
    for (name, one), (other_name, two) in itertools.combinations(seen, 2):
        cosine = float(one.vector @ two.vector)
        (same if name == other_name else other).append(cosine)
        evidence = face_log_ratio(one.model, cosine, one.quality, two.quality)
        assert (evidence > 2) == (name == other_name), (name, other_name, cosine)
    assert min(same) > max(other) + 0.1


def test_a_small_crop_is_enlarged_so_that_its_face_is_found_where_it_is(analyser: FaceAnalyser) -> None:
    picture = read_rgb(needed_folder("faces") / "obama.jpg")
    (large,) = analyser.faces(picture)
    scale = 40 / large.box_px[2]  # a face as a camera on the wall sees it
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (face,) = analyser.faces(small)
    assert np.array(face.box_px) == pytest.approx(np.array(large.box_px) * scale, abs=6)
    assert face.quality < large.quality
    assert float(face.embedding.vector @ large.embedding.vector) > 0.5
