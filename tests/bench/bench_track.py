"""The tracker against ByteTrack and BoT-SORT: microseconds a frame, identity switches on footage with truth."""

import contextlib
import gzip
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.bench.identity_clips import NOT_A_PERSON, TRUTH_IOU, read_truth
from tests.bench.measuring import alternated, arguments_of, at_most, cpu_s, shared_folder, tell

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.tracker import Tracker

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
FPS = 5.0
CLIPS = ("plaza_a_cam1", "plaza_a_cam2", "lab4_cam0", "lab4_cam1", "lab4_cam2", "lab4_cam3", "people_detection")
COUNTS = {20: 200.0, 50: 400.0}  # objects, microseconds a frame
LOWEST_SCORE = 0.25
MISSED_SHARE = 0.05
SEED = 11
LOST_FRAMES = 10  # ByteTrack's patience, the same two seconds as ours

Floats = npt.NDArray[np.float32]
Follow = Callable[[list[Detection], int], list[tuple[int, Box]]]  # (identity, box) of what is seen now


def main() -> int:
    parser = arguments_of(__doc__, seconds=40.0, rounds=7)
    arguments = parser.parse_args()
    makers = trackers()
    figures: dict[str, Any] = {"microseconds_a_frame": {}}
    for count in COUNTS:
        walks = crowd(count, round(arguments.seconds * FPS))
        ways = {name: lambda make=make, walks=walks: cost_us(make, walks) for name, make in makers.items()}
        figures["microseconds_a_frame"][str(count)] = {
            name: round(value, 1) for name, value in alternated(ways, arguments.rounds).items()
        }
    figures["identity"] = identity = {name: switches(make, arguments.seconds) for name, make in makers.items()}
    targets = [
        at_most("G7", f"microseconds a frame at {count}", figures["microseconds_a_frame"][str(count)]["ours"], limit)
        for count, limit in COUNTS.items()
    ]
    peers = [identity[name]["switches"] for name in makers if name != "ours" and identity[name]]
    ours = identity["ours"]["switches"] if identity["ours"] and peers else None
    targets.append(at_most("G7", "identity switches, no more than its peers'", ours, min(peers, default=0)))
    tell("track", arguments.json, figures, targets, notes(makers, identity))
    return 0


def notes(makers: dict[str, Callable[[], Follow]], identity: dict[str, Any]) -> list[str]:
    said = []
    if "bytetrack" not in makers:
        said.append("ByteTrack is not compared: install the package 'supervision' to do so.")
    if "botsort" not in makers:
        said.append("BoT-SORT is not compared: it is in ultralytics, which needs torch.")
    if not identity["ours"]:
        said.append("No footage with truth is here: identity switches are not counted.")
    return said


def trackers() -> dict[str, Callable[[], Follow]]:
    """Return ours, and of the peers those whose packages are installed."""
    found = {"ours": ours}
    with contextlib.suppress(ImportError):
        import supervision  # noqa: F401, PLC0415 - a peer that need not be installed

        found |= {"bytetrack": lambda: bytetrack(LOST_FRAMES), "bytetrack_default": lambda: bytetrack(5)}
    with contextlib.suppress(ImportError):
        from ultralytics.trackers import bot_sort  # noqa: F401, PLC0415 - needs torch, which need not be installed

        found["botsort"] = botsort
    return found


def ours() -> Follow:
    tracker = Tracker()

    def follow(detections: list[Detection], number: int) -> list[tuple[int, Box]]:
        seen = tracker.update(detections, START + timedelta(seconds=number / FPS))
        return [(one.track_id, one.box) for one in seen if one.confirmed and not one.lost]

    return follow


def bytetrack(lost_frames: int) -> Follow:
    import supervision  # noqa: PLC0415 - a peer that need not be installed

    tracker = supervision.ByteTrack(frame_rate=round(FPS), lost_track_buffer=round(lost_frames * 30 / FPS))
    scale = 1000.0

    def follow(detections: list[Detection], _number: int) -> list[tuple[int, Box]]:
        corners = [(one.box.x1, one.box.y1, one.box.x2, one.box.y2) for one in detections]
        given = supervision.Detections(
            xyxy=np.array(corners, np.float32).reshape(-1, 4) * scale,
            confidence=np.array([one.score for one in detections], np.float32),
            class_id=np.zeros(len(detections), int),
        )
        seen = tracker.update_with_detections(given)
        boxes = np.clip(seen.xyxy / scale, 0, 1).tolist()
        return [(int(number), Box(*box)) for number, box in zip(seen.tracker_id, boxes, strict=True)]

    return follow


@dataclass(frozen=True, slots=True)
class Boxes:
    """Detections as ultralytics' trackers take them: centres and sizes in pixels."""

    xywh: Floats
    conf: Floats
    cls: Floats

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, chosen: Any) -> "Boxes":
        return Boxes(self.xywh[chosen], self.conf[chosen], self.cls[chosen])


def botsort() -> Follow:
    """Return BoT-SORT as ultralytics has it by default, without a moving camera and with the same patience as ours."""
    from ultralytics.trackers.bot_sort import BOTSORT  # noqa: PLC0415 - needs torch, which need not be installed
    from ultralytics.utils import YAML, IterableSimpleNamespace  # noqa: PLC0415 - as above
    from ultralytics.utils.checks import check_yaml  # noqa: PLC0415 - as above

    usual = YAML.load(check_yaml("botsort.yaml"))
    tracker = BOTSORT(IterableSimpleNamespace(**usual | {"gmc_method": "none", "track_buffer": LOST_FRAMES}))
    scale = 1000.0

    def follow(detections: list[Detection], _number: int) -> list[tuple[int, Box]]:
        boxes = [one.box for one in detections]
        xywh = np.array([(*box.centre, box.width, box.height) for box in boxes], np.float32).reshape(-1, 4) * scale
        given = Boxes(xywh, np.array([one.score for one in detections], np.float32), np.zeros(len(boxes), np.float32))
        seen = tracker.update(given)
        return [(int(row[4]), Box(*np.clip(row[:4] / scale, 0, 1).tolist())) for row in seen]

    return follow


def crowd(count: int, frames: int) -> list[list[Detection]]:
    """Return detections of people who walk about, with noise, doubt and misses."""
    generator = np.random.default_rng(SEED)
    place, speed = generator.uniform(0.1, 0.9, (count, 2)), generator.normal(0, 0.01, (count, 2))
    found = []
    for _ in range(frames):
        place += speed
        speed[(place < 0.08) | (place > 0.92)] *= -1
        place = place.clip(0.07, 0.93)
        middle = place + generator.normal(0, 0.001, place.shape)
        scores, seen = generator.uniform(0.35, 0.95, count), generator.random(count) > MISSED_SHARE
        found.append(
            [
                Detection("person", float(score), Box(x - 0.02, y - 0.06, x + 0.02, y + 0.06))
                for (x, y), score, there in zip(middle.tolist(), scores, seen, strict=True)
                if there
            ]
        )
    return found


def cost_us(make: Callable[[], Follow], frames: list[list[Detection]]) -> float:
    follow = make()
    before_s = cpu_s()
    for number, detections in enumerate(frames):
        follow(detections, number)
    return 1e6 * (cpu_s() - before_s) / len(frames)


def switches(make: Callable[[], Follow], seconds: float) -> dict[str, float | int]:
    """Return how often a labelled person's track changed, and how much of the labelled people was followed."""
    folder = shared_folder("footage")
    if folder is None:
        return {}
    changed = followed = labelled = 0
    for clip in CLIPS:
        for person_tracks in follow_clip(make(), folder, clip, seconds):
            known = [track for track in person_tracks if track is not None]
            labelled += len(person_tracks)
            followed += len(known)
            changed += sum(a != b for a, b in pairwise(known))
    return {"switches": changed, "labelled_boxes": labelled, "followed_share": round(followed / max(labelled, 1), 3)}


def follow_clip(follow: Follow, folder: Path, clip: str, seconds: float) -> list[list[int | None]]:
    """Return for each labelled person the track of each of its boxes, None where there is none."""
    with gzip.open(folder / "detections" / f"{clip}.json.gz", "rt") as file:
        known = json.load(file)
    width, height, step = known["width"], known["height"], round(known["fps"] / FPS)
    truth = read_truth(clip, folder, width, height)
    people: dict[str, list[int | None]] = {}
    frames = min(known["frames"], round(seconds * known["fps"]))
    for turn, number in enumerate(range(1 % step, frames, step)):
        seen = follow(
            [
                Detection("person", score, Box(x1 / width, y1 / height, x2 / width, y2 / height))
                for kind, score, x1, y1, x2, y2 in known["detections"].get(str(number), [])
                if kind == 0 and score >= LOWEST_SCORE
            ],
            turn,
        )
        for person, box in truth.get(number, []):
            if person != NOT_A_PERSON:
                overlap, track = max(((box.iou(one), track) for track, one in seen), default=(0.0, 0))
                people.setdefault(person, []).append(track if overlap >= TRUTH_IOU else None)
    return list(people.values())


if __name__ == "__main__":
    sys.exit(main())
