"""Real clips arranged into cameras: what each camera shows over one round of the programme."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import BadInputError
from marengocam.demo.video import VideoFile, read_frames

Picture = npt.NDArray[np.uint8]

FPS = 12
MAX_WIDTH_PX = 960
MAX_CLIP_S = 120.0
MAX_CAMERAS = 4
ROUND_S = 44.0
CURTAIN_BLUR_SHARE = 0.08  # of the picture's width
CURTAIN_LIGHT = 0.25
VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".avi", ".m4v"}


class Idle(StrEnum):
    """What a camera shows while its clip rests."""

    FIRST = "first"  # the clip's first frame, empty of people
    LAST = "last"  # the clip's last frame, empty of people
    CURTAIN = "curtain"  # the view darkened and blurred, for clips that never show it empty


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of a camera's round: an idle picture for some seconds, or a clip played to and fro."""

    clip: str
    idle: Idle | None = None
    idle_s: float = 0.0
    rounds: int = 1  # each further round runs the other way, so that nobody jumps


@dataclass(frozen=True, slots=True)
class FootageCamera:
    """One camera of a programme; `round_s` cuts its round short so that all cameras stay in step."""

    camera_name: str
    scenes: tuple[Scene, ...]
    round_s: float | None = None


_HEAD_F = "intel_head_pose_face_detection_female.mp4"
_HEAD_M = "intel_head_pose_face_detection_male.mp4"
_CORRIDOR = "intel_face_demographics_walking_and_pause.mp4"
_ROOM = "handoff_cam1_room.mp4"
_HALLWAY = "handoff_cam2_hallway.mp4"

# One woman passes Entrance, then Corridor (in company); one man leaves Room and comes into Hallway.
PROGRAMME = (
    FootageCamera(
        "Entrance",
        (
            Scene(_HEAD_F, Idle.CURTAIN, 4),
            Scene(_HEAD_F, rounds=4),
            Scene(_HEAD_M, Idle.CURTAIN, 14),
            Scene(_HEAD_M, rounds=2),
            Scene(_HEAD_M, Idle.CURTAIN, 44),
        ),
        ROUND_S,
    ),
    FootageCamera(
        "Corridor",
        (Scene(_CORRIDOR, Idle.CURTAIN, 14), Scene(_CORRIDOR, rounds=4), Scene(_CORRIDOR, Idle.CURTAIN, 44)),
        ROUND_S,
    ),
    FootageCamera("Room", (Scene(_ROOM, Idle.FIRST, 8), Scene(_ROOM), Scene(_ROOM, Idle.FIRST, 44)), ROUND_S),
    FootageCamera(
        "Hallway", (Scene(_HALLWAY, Idle.LAST, 13), Scene(_HALLWAY), Scene(_HALLWAY, Idle.LAST, 44)), ROUND_S
    ),
)
# Portraits that an owner would enrol; the names are invented.
PORTRAITS = {"Alice": "clip_woman_grey_top_3.png", "Bob": "clip_man_blue_tshirt_1.png"}


def programme_for(folder: Path) -> tuple[FootageCamera, ...]:
    """Return the prepared programme if `folder` holds its clips, else one camera per video file (at most four).

    Raises BadInputError when there is no video.
    """
    wanted = {scene.clip for camera in PROGRAMME for scene in camera.scenes}
    if all((folder / clip).is_file() for clip in wanted):
        return PROGRAMME
    files = sorted(file for file in folder.glob("*") if file.suffix.lower() in VIDEO_SUFFIXES)
    if not files:
        raise BadInputError(f"{folder} holds no video files ({', '.join(sorted(VIDEO_SUFFIXES))}).")
    return tuple(FootageCamera(file.stem.replace("_", " "), (Scene(file.name),)) for file in files[:MAX_CAMERAS])


def render_camera(folder: Path, camera: FootageCamera, target_folder: Path) -> Path:
    """Render one round of a camera as a camera would send it; return the file, made anew if its sources changed."""
    target = target_folder / f"{_fingerprint(folder, camera)}.mp4"
    if target.is_file():
        return target
    clips = {scene.clip: _load(folder / scene.clip) for scene in camera.scenes}
    height_px, width_px = next(iter(clips.values()))[0].shape[:2]
    frames = chain.from_iterable(_play(clips[scene.clip], scene) for scene in camera.scenes)
    length = None if camera.round_s is None else round(camera.round_s * FPS)
    with VideoFile(target, width_px, height_px, FPS) as video:
        for frame in islice(frames, length):
            video.write(frame if frame.shape[:2] == (height_px, width_px) else _fit(frame, width_px, height_px))
    return target


def _play(frames: list[Picture], scene: Scene) -> Iterator[Picture]:
    if scene.idle is not None:
        still = frames[-1 if scene.idle is Idle.LAST else 0]
        if scene.idle is Idle.CURTAIN:
            still = _curtain(still)
        yield from (still for _ in range(round(scene.idle_s * FPS)))
        return
    for number in range(scene.rounds):
        yield from frames if number % 2 == 0 else reversed(frames)


def _load(file: Path) -> list[Picture]:
    """Return the clip's frames at our own rate and at most MAX_WIDTH_PX wide, with even sizes."""
    kept: list[Picture] = []
    for at_s, frame in islice(read_frames(file), round(MAX_CLIP_S * 60)):
        if at_s > MAX_CLIP_S:
            break
        while len(kept) <= at_s * FPS:
            width = min(MAX_WIDTH_PX, frame.shape[1]) // 2 * 2
            kept.append(_fit(frame, width, round(frame.shape[0] * width / frame.shape[1]) // 2 * 2))
    if not kept:
        raise BadInputError(f"{file.name} has no frames: give video files in --footage.")
    return kept


def _fit(frame: Picture, width_px: int, height_px: int) -> Picture:
    return np.asarray(cv2.resize(frame, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)


def _curtain(frame: Picture) -> Picture:
    blurred = cv2.GaussianBlur(frame, (0, 0), frame.shape[1] * CURTAIN_BLUR_SHARE)
    return np.asarray(blurred * CURTAIN_LIGHT, np.uint8)


def _fingerprint(folder: Path, camera: FootageCamera) -> str:
    parts = [repr(camera), str(FPS), str(MAX_WIDTH_PX)]
    parts += [f"{clip}:{(folder / clip).stat().st_size}" for clip in sorted({scene.clip for scene in camera.scenes})]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]
