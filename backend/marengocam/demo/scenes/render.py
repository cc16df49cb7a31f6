"""The play rendered to H.264 files, with its truth beside them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from marengocam.demo.scenes.backdrops import BACKDROPS
from marengocam.demo.scenes.cutouts import Cutout, load_cutouts
from marengocam.demo.scenes.screenplay import PLAY, PLAY_S, View
from marengocam.demo.video import VideoFile

Picture = npt.NDArray[np.uint8]

WIDTH_PX = 960
HEIGHT_PX = 540
FPS = 15
NOISE_LEVELS = 2.0  # standard deviation of a cheap sensor's noise, in grey levels
NOISE_PATTERNS = 8


def render_play(folder: Path) -> dict[str, Path]:
    """Render every view into `folder`; return camera name to file. `<file>.truth.json` lists who is where."""
    cutouts = load_cutouts()
    files: dict[str, Path] = {}
    for view in PLAY:
        file = folder / f"{view.backdrop}.mp4"
        truth: list[dict[str, object]] = []
        with VideoFile(file, WIDTH_PX, HEIGHT_PX, FPS) as video:
            for frame in _frames(view, cutouts, truth):
                video.write(frame)
        file.with_suffix(".truth.json").write_text(json.dumps({"fps": FPS, "boxes": truth}))
        files[view.camera_name] = file
    return files


def _frames(view: View, cutouts: dict[str, Cutout], truth: list[dict[str, object]]) -> Iterator[Picture]:
    backdrop = BACKDROPS[view.backdrop](WIDTH_PX, HEIGHT_PX)
    noise = np.random.default_rng(1).normal(0, NOISE_LEVELS, (NOISE_PATTERNS, HEIGHT_PX, WIDTH_PX, 1)).astype(np.int16)
    for number in range(round(PLAY_S * FPS)):
        frame = backdrop.copy()
        for walk in view.walks:
            actor = cutouts[walk.actor]
            height, width = actor.opacity.shape
            box = walk.place(number / FPS, width / height, WIDTH_PX / HEIGHT_PX)
            if box is None:
                continue
            _paste(frame, actor.scaled(round(box.height * HEIGHT_PX), mirrored=walk.mirrored), box.x1, box.y1)
            truth.append({"frame": number, "actor": walk.actor, "box": [box.x1, box.y1, box.x2, box.y2]})
        yield np.clip(frame.astype(np.int16) + noise[number % NOISE_PATTERNS], 0, 255).astype(np.uint8)


def _paste(frame: Picture, actor: Cutout, x_share: float, y_share: float) -> None:
    left, top = round(x_share * WIDTH_PX), round(y_share * HEIGHT_PX)
    height, width = actor.opacity.shape
    x1, y1, x2, y2 = max(0, left), max(0, top), min(WIDTH_PX, left + width), min(HEIGHT_PX, top + height)
    if x1 >= x2 or y1 >= y2:
        return
    source = np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
    opacity = actor.opacity[source][..., None]
    target = frame[y1:y2, x1:x2]
    target[:] = (actor.picture[source] * opacity + target * (1 - opacity)).astype(np.uint8)
