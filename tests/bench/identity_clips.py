"""What ingest would save of the footage with truth: tracks, second by second, with looks and faces; and who it was."""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np

from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Detection, Embedding, LocalTrack, PathPoint
from marengocam.ingest.frame_analysis import face_part
from marengocam.vision.appearance import AppearanceEncoder, fuse
from marengocam.vision.crops import cut
from marengocam.vision.detectors.protocol import Detector
from marengocam.vision.faces import FaceAnalyser
from marengocam.vision.tracker import Tracker

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANALYSIS_FPS = 5.0
MIN_SCORE = 0.4
CROP_EVERY_S = 0.6
BEST_CROPS = 6
SAVE_EVERY_S = 1.0
PATH_EVERY_S = 0.4
TRUTH_IOU = 0.5
TRUTH_SHARE = 0.6  # of a track's labelled boxes must be one person's
NOT_A_PERSON = "not_a_person"
OWN_TRUTH = Path(__file__).parent / "truth" / "identities.json"
Truth = dict[int, list[tuple[str, Box]]]


@dataclass(frozen=True, slots=True)
class Eyes:
    """The models that look."""

    encoder: AppearanceEncoder
    faces: FaceAnalyser
    detector: Detector


@dataclass(slots=True)
class Follow:
    """One object while its clip is read: what ingest would have saved, second by second."""

    track: LocalTrack
    labels: Counter[str] = field(default_factory=Counter)
    crops: list[Embedding] = field(default_factory=list)
    face: Embedding | None = None
    cropped_at: datetime = START
    snapshots: list[LocalTrack] = field(default_factory=list)
    boxes: dict[int, Box] = field(default_factory=dict)  # by number of the picture

    @property
    def label(self) -> str | None:
        """Return who it was, where that is clear."""
        label, count = self.labels.most_common(1)[0] if self.labels else (None, 0)
        return label if count >= TRUTH_SHARE * self.labels.total() else None


@dataclass(slots=True)
class Clip:
    """One camera's clip: its tracks, and in which pictures who stands where."""

    name: str
    seconds: float
    follows: list[Follow]
    truth: Truth


def follow_clip(name: str, start_s: float, footage: Path, eyes: Eyes) -> Clip:
    """Return every track of a clip, with the revisions that ingest would have written."""
    known, ranges = detections_of(name, footage), own_truth(name)
    truth, tracker = Truth(), Tracker()
    follows: dict[int, Follow] = {}
    fps, number, at = (known or {}).get("fps", 0.0), 0, START
    for number, picture, rate in frames(footage / f"{name}.mp4", fps):
        height, width = picture.shape[:2]
        if number <= 1 and not ranges:
            truth = read_truth(name, footage, width, height)
        at = START + timedelta(seconds=start_s + number / rate)
        for one in tracker.update(found_in(known, number, picture, eyes), at):
            if not one.confirmed or one.lost:
                continue
            follow = follows.setdefault(one.track_id, Follow(opened(name, at, one.box, one.score)))
            advance(follow, at, one.box, one.score)
            follow.boxes[number] = one.box
            if ranges and (who := within(ranges, one.box)):
                truth.setdefault(number, []).append((who, one.box))
            label = truth_label(truth, number, one.box)
            if label:
                follow.labels[label] += 1
            if not follow.crops or (at - follow.cropped_at).total_seconds() >= CROP_EVERY_S:
                look_at(follow, picture, one.box, eyes)
                follow.cropped_at = at
            save(follow, at)
    return Clip(name, (at - START).total_seconds() - start_s, [closed(one) for one in follows.values()], truth)


def look_at(follow: Follow, picture: np.ndarray, box: Box, eyes: Eyes) -> None:
    follow.crops += eyes.encoder.encode([cut(picture, box, margin=0)])
    for seen in eyes.faces.faces(face_part(picture, box))[:1]:
        if seen.embedding is not None and (follow.face is None or seen.quality > follow.face.quality):
            follow.face = seen.embedding


def detections_of(name: str, footage: Path) -> dict[str, Any] | None:
    """Return the detections that come with the footage, None where there are none."""
    file = footage / "detections" / f"{name}.json.gz"
    if not file.exists():
        return None
    with gzip.open(file, "rt") as opened_file:
        known = json.load(opened_file)
    return known if isinstance(known, dict) else None


def found_in(known: dict[str, Any] | None, number: int, picture: np.ndarray, eyes: Eyes) -> list[Detection]:
    if known is None:
        (found,) = eyes.detector.detect([picture], MIN_SCORE)
        return [one for one in found if one.label == "person"]
    width, height = known["width"], known["height"]
    return [
        Detection("person", score, Box(x1 / width, y1 / height, x2 / width, y2 / height))
        for kind, score, x1, y1, x2, y2 in known["detections"].get(str(number), [])
        if kind == 0 and score >= MIN_SCORE
    ]


def frames(path: Path, fps: float) -> Iterator[tuple[int, np.ndarray, float]]:
    """Yield some pictures a second with number and frame rate, odd ones where the truth labels those."""
    with av.open(str(path)) as container:
        rate = fps or float(container.streams.video[0].average_rate or 0)
        step = max(1, round(rate / ANALYSIS_FPS))
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 1 % step:
                yield number, frame.to_ndarray(format="rgb24"), rate


def own_truth(name: str) -> list[dict[str, Any]]:
    """Return who holds which part of the picture, for clips whose truth is ours."""
    return list(json.loads(OWN_TRUTH.read_text())["clips"].get(name, []))


def within(ranges: list[dict[str, Any]], box: Box) -> str | None:
    middle = (box.x1 + box.x2) / 2
    return next((one["person"] for one in ranges if one["from_x"] <= middle <= one["to_x"]), None)


def opened(clip: str, at: datetime, box: Box, score: float) -> LocalTrack:
    return LocalTrack(
        new_id(at), clip, "person", at, at, open=True, score=score, observations=0, path=(PathPoint(at, box, score),)
    )


def advance(follow: Follow, at: datetime, box: Box, score: float) -> None:
    track = follow.track
    thinned = (
        track.path[:-1]
        if len(track.path) > 1 and (at - track.path[-2].at).total_seconds() < PATH_EVERY_S
        else track.path
    )
    follow.track = replace(
        track,
        last_seen_at=at,
        score=max(track.score, score),
        observations=track.observations + 1,
        path=(*thinned, PathPoint(at, box, score)),
    )


def save(follow: Follow, at: datetime) -> None:
    last = follow.snapshots[-1] if follow.snapshots else None
    if last is None or (at - last.last_seen_at).total_seconds() >= SAVE_EVERY_S:
        follow.snapshots.append(replace(follow.track, appearance=look(follow.crops), face=follow.face))


def closed(follow: Follow) -> Follow:
    last = replace(follow.track, open=False, appearance=look(follow.crops), face=follow.face)
    follow.snapshots.append(last)
    return follow


def look(crops: list[Embedding]) -> Embedding:
    """Return the fused look of the best crops so far."""
    return fuse(sorted(crops, key=lambda one: -one.quality)[:BEST_CROPS])


def read_truth(clip: str, footage: Path, width: int, height: int) -> dict[int, list[tuple[str, Box]]]:
    truth: dict[int, list[tuple[str, Box]]] = defaultdict(list)
    for name in sorted((footage / "truth").glob("*_identities.csv")):
        with name.open() as file:
            for row in csv.DictReader(file):
                if row["clip"] == clip:
                    box = Box(
                        float(row["x1"]) / width,
                        float(row["y1"]) / height,
                        float(row["x2"]) / width,
                        float(row["y2"]) / height,
                    )
                    truth[int(row["frame"])].append((row["person"], box))
    return truth


def truth_label(truth: dict[int, list[tuple[str, Box]]], number: int, box: Box) -> str | None:
    near = [
        (box.iou(known), label) for frame in (number - 1, number, number + 1) for label, known in truth.get(frame, [])
    ]
    overlap, label = max(near, default=(0.0, ""))
    return label if overlap >= TRUTH_IOU else None
